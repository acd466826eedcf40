"""What people type, checked before it reaches the database."""

import math
import unicodedata

from mmcore.errors import RefusedError

MAX_TOKEN = 200  # characters
MAX_COMMENT = 2_000
_SHOWN = 40


def checked_token(token: str) -> str:
    """Return the token of one decision.

    Raises:
        RefusedError: if it is empty, too long or holds control characters.
    """
    return checked_line(token, "the token of an act", MAX_TOKEN, needed=True)


def checked_comment(text: str, what: str = "the comment") -> str:
    """Return a comment of one or more lines, without outer spaces."""
    return checked_text(text, what, MAX_COMMENT)


def checked_line(text: str, what: str, limit: int, needed: bool = False) -> str:
    """Return one line of text, without outer spaces.

    Raises:
        RefusedError: naming what is wrong and the limit.
    """
    line = checked_text(text, what, limit)
    if "\n" in line or "\t" in line:
        raise RefusedError(f"{what} {_shown(line)} holds a line break or tab; write it in one line")
    if needed and not line:
        raise RefusedError(f"{what} is empty; give 1 to {limit} characters")
    return line


def checked_text(text: str, what: str, limit: int) -> str:
    """Return text of several lines, without outer spaces and in one Unicode form.

    Raises:
        RefusedError: naming what is wrong and the limit.
    """
    clean = text.strip()
    if not (clean.isascii() and clean.isprintable()):  # nearly all is, and files have many cells
        clean = _without_surprises(clean, what)
    if len(clean) > limit:
        raise RefusedError(
            f"{what} has {len(clean):,} characters, {limit:,} are the limit; shorten it"
        )
    return clean


def _without_surprises(text: str, what: str) -> str:
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    # Cc: control characters; Cs: halves of characters, which no database stores
    bad = next(
        (c for c in clean if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"), ""
    )
    if bad:
        raise RefusedError(
            f"{what} {_shown(clean)} holds the control character U+{ord(bad):04X}; remove it"
        )
    return clean


def seconds_or_none(seconds: float | None) -> float | None:
    """Return a time spent, None where a clock went wrong: that must not cost the label."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return None
    return float(seconds)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
