"""What a class of the drawn catalogue can say: its items, complements, title and text patterns.

Patterns are filled by texts.py. In a pattern, {braces} are fields and [a|b] chooses a for a
singular item, b for a plural one; {e} is the ending of a participle that agrees with the item.
"""

from dataclasses import dataclass

HOME_COLOURS = ("beige", "gris", "blanc", "noir", "marron", "bleu", "vert", "jaune", "bleu marine")
SOFT_COLOURS = ("rose", "bleu", "blanc", "gris", "vert", "jaune", "beige", "turquoise", "violet")
TOOL_COLOURS = ("rouge", "vert", "orange", "jaune", "noir", "bleu", "gris")
POOL_COLOURS = ("bleu", "gris", "turquoise", "blanc", "beige", "vert", "orange")
BRIGHT_COLOURS = ("rouge", "bleu", "vert", "jaune", "rose", "violet", "orange", "turquoise", "noir")
COVER_COLOURS = (*BRIGHT_COLOURS, "beige", "marron", "gris", "bleu marine", "blanc")


@dataclass(frozen=True)
class Item:
    """Something a class sells: its name, grammatical form (m, f, mp, fp) and how to draw it."""

    name: str
    form: str
    motif: str
    fits: str = ""  # complements that suit this item alone, separated by semicolons
    is_coloured: bool = True  # False: nobody names its colour (kibble, nappies)


@dataclass(frozen=True)
class Vocabulary:
    """Everything one class is written and drawn from."""

    code: str
    place: str  # where its photos are taken: indoors, outdoors or anywhere
    price_eur: tuple[float, float]  # median, and sigma of its logarithm
    colours: tuple[str, ...]
    brands: tuple[str, ...]
    adjectives: tuple[str, ...]  # "masculine/feminine", or one word for both
    items: tuple[Item, ...]
    details: tuple[str, ...]  # complements that suit every item of the class
    titles: tuple[str, ...]
    sentences: tuple[str, ...]


GOODS_TITLES = (
    "{Item} {colour} {detail} - {brand}",
    "{Item} {adj} {detail}",
    "{brand} {item} {adj} {colour}",
    "{Item} {detail} {colour}",
    "{brand} - {item} {detail}",
    "{Item} {adj} {colour}",
    "{Item} {brand} {detail} réf {ref}",
)

# Classes that people confuse: half of the wrong labels and all stray mentions come from here.
NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "10": ("2705", "2403", "2280"), "40": ("2905", "2462", "50"), "50": ("60", "40", "2462"),
    "60": ("2462", "50", "40"), "1140": ("1180", "1280", "1160"), "1160": ("1281", "1140"),
    "1180": ("1140", "1281", "1300"), "1280": ("1281", "1140", "1302"),
    "1281": ("1280", "1160", "1180"), "1300": ("1280", "1302"), "1301": ("1320", "1280"),
    "1302": ("1280", "2583", "1300"), "1320": ("1301", "1280"), "1560": ("2582", "2060", "1920"),
    "1920": ("2060", "1560", "1301"), "1940": ("2220", "2522"), "2060": ("1560", "1920", "2582"),
    "2220": ("1920", "1940"), "2280": ("10", "2403"), "2403": ("10", "2705", "2280"),
    "2462": ("60", "40", "50"), "2522": ("2280", "2705", "2060"), "2582": ("1560", "2585", "2060"),
    "2583": ("2582", "1302", "2585"), "2585": ("2582", "2583"), "2705": ("10", "2403"),
    "2905": ("40", "2462"),
}  # fmt: skip
