"""Colours of the drawn catalogue: their French names in four forms, their pixels, and mixing."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]

WHITE: Rgb = (250, 250, 248)
INK: Rgb = (38, 40, 46)
STEEL: Rgb = (172, 178, 186)
WOOD: Rgb = (178, 128, 80)
PAPER: Rgb = (240, 230, 205)
SKIN_TONES: tuple[Rgb, ...] = ((244, 208, 178), (222, 172, 132), (160, 108, 74), (112, 74, 52))
HAIR_TONES: tuple[Rgb, ...] = ((60, 42, 32), (30, 28, 30), (196, 150, 80), (158, 84, 44))


@dataclass(frozen=True)
class Colour:
    """A colour name with its feminine; `varies` is False for nouns used as colours (marron)."""

    masculine: str
    feminine: str
    rgb: Rgb
    varies: bool = True


COLOURS: dict[str, Colour] = {
    colour.masculine: colour
    for colour in (
        Colour("rouge", "rouge", (206, 54, 50)),
        Colour("bleu", "bleue", (52, 112, 196)),
        Colour("vert", "verte", (70, 148, 84)),
        Colour("jaune", "jaune", (240, 196, 58)),
        Colour("noir", "noire", (52, 54, 60)),
        Colour("blanc", "blanche", (236, 236, 232)),
        Colour("gris", "grise", (146, 150, 156)),
        Colour("rose", "rose", (236, 142, 170)),
        Colour("violet", "violette", (128, 82, 168)),
        Colour("beige", "beige", (222, 202, 168)),
        Colour("marron", "marron", (128, 86, 58), varies=False),
        Colour("orange", "orange", (236, 134, 48), varies=False),
        Colour("turquoise", "turquoise", (60, 182, 184), varies=False),
        Colour("bleu marine", "bleu marine", (38, 56, 104), varies=False),
    )
}

COVER_INKS: tuple[Rgb, ...] = tuple(colour.rgb for colour in COLOURS.values())


def shade(rgb: Rgb, by: float) -> Rgb:
    """Return the colour moved towards black (by = -1) or white (by = 1)."""
    goal = 255 if by > 0 else 0
    return mix(rgb, (goal, goal, goal), abs(by))


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return the colour that lies `share` (0 to 1) of the way from the first to the second."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def luminance(rgb: Rgb) -> float:
    """Return the perceived brightness, 0 to 255 (ITU-R BT.601 weights)."""
    red, green, blue = rgb
    return 0.299 * red + 0.587 * green + 0.114 * blue


def readable_on(rgb: Rgb) -> Rgb:
    """Return near-black or near-white, whichever can be read on the colour."""
    return INK if luminance(rgb) > 140 else WHITE
