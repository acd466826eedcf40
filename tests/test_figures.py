"""Numbers as shops write them, and what is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcore.figures import MAX_CHARACTERS, parse_number

NUMBERS = {
    "12": 12,
    " 12.50 ": 12.5,
    "12,5": 12.5,
    "0,125": 0.125,
    "1 299,00 €": 1299,
    "1\u202f299,00\u00a0€": 1299,
    "1'299.50": 1299.5,
    "1’299.50 CHF": 1299.5,
    "1.299,00": 1299,
    "1,299.00": 1299,
    "1,299": 1299,
    "1.299": 1.299,
    "12,345,678": 12345678,
    "1.234.567,8": 1234567.8,
    "1,00,000": 100000,
    "12.50 EUR": 12.5,
    "EUR 12.50": 12.5,
    "12,50 euros": 12.5,
    "12€50": 12.5,
    "12 € 50": 12.5,
    "$5": 5,
    "US$5": 5,
    "£5.99": 5.99,
    "5 kr": 5,
    "Rs. 499": 499,
    "₹1,00,000": 100000,
    "19,99zł": 19.99,
    "-5": -5,
    "- 5 €": -5,
    "€-5": -5,
    "\u22125": -5,
    "+5": 5,
    ".5": 0.5,
    "5.": 5,
    "12,": 12,
    "1e3": 1000,
    "1.5E-2": 0.015,
    "1e308": 1e308,
    "０１２": 12,
    "007": 7,
}
NO_NUMBERS = [
    *("", " ", "-", "€", ".", ",", "abc", "nan", "inf", "-inf", "Infinity", "1e400", "1_000"),
    *("12 kg", "3 m", "10x20", "10 x 20", "1/2", "½", "12%", "1.2.3", "1,2,3", "12 50", "1 2"),
    *(
        "06 12 34 56 78",
        "12.05.2020",
        "2020-01-02",
        "0x10",
        "--5",
        "-$-5",
        "EUROPE12",
        "M",
        "12 EURO S",
    ),
    *("1,2345.6", "1 2345", "12..5", "1 299.000,00 00", "5 ¤ ¤ 5", "1" * (MAX_CHARACTERS + 1)),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_a_number_is_read(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_none(text):
    assert math.isnan(parse_number(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_is_read_back(number):
    assert parse_number(repr(number)) == number


@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
def test_prices_of_any_country_are_one_number(whole, cents):
    english = f"{whole:,}.{cents:02d}"
    french = english.replace(",", " ").replace(".", ",") + " €"
    german = english.translate(str.maketrans(",.", ".,")) + " EUR"
    assert parse_number(english) == parse_number(french) == parse_number(german)
    assert parse_number(english) == float(f"{whole}.{cents:02d}")


@given(st.text(max_size=50))
def test_any_text_gives_a_finite_number_or_nan(text):
    number = parse_number(text)
    assert math.isnan(number) or math.isfinite(number)
