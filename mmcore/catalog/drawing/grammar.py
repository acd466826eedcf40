"""French agreement for the drawn catalogue: adjectives, colours, articles, patterns."""

import re
from collections.abc import Mapping

from mmcore.catalog.drawing.colours import COLOURS

_CHOICE = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")
_VOWELS = "aàâeéèêiîoôuûyœh"
# h that forbids elision: "cette housse", never "cet"
_ASPIRATED = ("housse", "hamac", "harnais")


def agree(adjective: str, form: str) -> str:
    """Return "masculine/feminine" (or one word for both) in a form: m, f, mp or fp."""
    masculine, _, feminine = adjective.partition("/")
    word = (feminine or masculine) if form[0] == "f" else masculine
    return plural(word) if is_plural(form) else word


def colour_name(colour: str, form: str) -> str:
    """Return the name of a colour in a form; colours named after things never change."""
    entry = COLOURS[colour]
    return agree(f"{entry.masculine}/{entry.feminine}", form) if entry.varies else entry.masculine


def plural(word: str) -> str:
    """Return the plural of an adjective."""
    if word in ("bio", "premium", "vintage", "collector", "rétro", "design"):
        return word  # borrowed or shortened adjectives don't change
    if word.endswith(("s", "x")):
        return word
    return word[:-2] + "aux" if word.endswith("al") else word + "s"


def is_plural(form: str) -> bool:
    """Return whether a form (m, f, mp, fp) is plural."""
    return form.endswith("p")


def this(name: str, form: str) -> str:
    """Return the demonstrative that goes before a name: ce, cet, cette or ces."""
    if is_plural(form):
        return "ces"
    if form == "f":
        return "cette"
    has_elision = name[0].lower() in _VOWELS and not name.startswith(_ASPIRATED)
    return "cet" if has_elision else "ce"


def ending(form: str) -> str:
    """Return what a past participle takes to agree: nothing, e, s or es."""
    return {"m": "", "f": "e", "mp": "s", "fp": "es"}[form]


def fill(pattern: str, fields: Mapping[str, str], form: str) -> str:
    """Return the pattern with its [singular|plural] choices made and its fields filled in.

    A field may itself hold fields (a complement "version {language}"), one level deep.
    """
    pattern = _CHOICE.sub(r"\2" if is_plural(form) else r"\1", pattern)
    return pattern.format_map(fields).format_map(fields)


def capitalised(text: str) -> str:
    """Return the text with its first letter in upper case and the rest as it was."""
    return text[:1].upper() + text[1:]
