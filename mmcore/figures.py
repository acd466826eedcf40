"""Numbers as shops write them: prices with a currency, thousands in groups, comma or point."""

import math
import re
import unicodedata

MAX_CHARACTERS = 40  # a longer cell is a text that has a number in it

_CODES = "eur euros? usd gbp chf cad aud nzd jpy cny inr brl mxn pln sek nok dkk czk huf ron"
# ¤ stands for any currency sign; letters before it tell dollars apart (US$, CA$)
_CURRENCY = rf"(?:(?:us|ca|au|nz|hk|s|r|a|c)?\s?¤|{'|'.join(_CODES.split())}|rs\.?|kr\.?|zł|kč)"
_CELL = re.compile(
    rf"([+-]?)\s*{_CURRENCY}?\s*([+-]?)\s*([0-9 '.,]*[0-9][.,]?)(e[+-]?[0-9]+)?\s*{_CURRENCY}?",
    re.IGNORECASE,
)
_SIGN_AS_MARK = re.compile(r"(?<=[0-9])\s?¤\s?(?=[0-9]{2}$)")  # 12€50
_GROUPED = re.compile(r"[0-9]{1,3}(?:([ '.,])(?:[0-9]{2,3}\1)*[0-9]{3})?")  # India: 1,00,000
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")


def parse_number(text: str) -> float:
    """Return the finite number that a cell holds, NaN where it holds anything else.

    A currency before or behind it is passed over (12,50 EUR, $5, 12€50). Spaces and apostrophes
    group thousands. Where point and comma both occur, the last one is the decimal mark. A lone
    comma is one, too, but before exactly three digits it groups (1,299): no shop writes prices in
    thousandths. A lone point always is the decimal mark, for programs write numbers so.
    """
    if len(text) > MAX_CHARACTERS:
        return math.nan
    match = _CELL.fullmatch(_plain_signs(text))
    if match is None or (match[1] and match[2]):
        return math.nan
    digits = _with_point(match[3].strip())
    if digits is None:
        return math.nan
    value = float(f"{match[1] or match[2]}{digits}{match[4] or ''}")
    return value if math.isfinite(value) else math.nan


def _plain_signs(text: str) -> str:
    """Return the text with plain spaces, digits and minus, and ¤ for each currency sign."""
    text = unicodedata.normalize("NFKC", text).strip()  # no-break spaces, full-width digits
    text = text.replace("\u2212", "-").replace("\u2019", "'")
    text = "".join("¤" if unicodedata.category(c) == "Sc" else c for c in text)
    return _SIGN_AS_MARK.sub(".", text)


def _with_point(number: str) -> str | None:
    """Return digits with a decimal point and nothing else, None where the groups are odd."""
    mark = max(".", ",", key=number.rfind)
    if number.count(mark) != 1 or _THOUSANDS.fullmatch(number):
        mark = ""
    whole, _, fraction = number.partition(mark) if mark else (number, "", "")
    is_whole = whole.isdigit() or not whole or _GROUPED.fullmatch(whole)
    if not is_whole or not (fraction.isdigit() or not fraction) or not (whole or fraction):
        return None
    return f"{re.sub('[^0-9]', '', whole) or '0'}.{fraction or '0'}"
