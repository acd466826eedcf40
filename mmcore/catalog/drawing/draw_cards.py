"""Motifs of trading cards."""

from mmcore.catalog.drawing.art import GAME_ARTS, print_art
from mmcore.catalog.drawing.colours import COVER_INKS, INK, WHITE, readable_on, shade
from mmcore.catalog.drawing.curves import star
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import (
    Motif,
    Rect,
    can,
    gleam,
    headline,
    label,
    rating,
    text_lines,
)


def card(pen: Pen) -> None:
    """Draw a trading card: coloured frame, picture, stars and a line of rules."""
    pen.box(-0.68, -0.95, 0.68, 0.95, pen.rng.choice((INK, WHITE, (240, 205, 80))), r=0.08)
    pen.box(-0.6, -0.87, 0.6, 0.87, pen.main, r=0.05)
    label(pen, Rect(-0.54, -0.82, 0.54, -0.64), pen.look.words[0], shade(pen.main, 0.6))
    print_art(pen, Rect(-0.52, -0.6, 0.52, 0.22), GAME_ARTS)
    pen.box(-0.54, 0.3, 0.54, 0.82, shade(pen.main, 0.75))
    rating(pen, 0, 0.4, 0.06, (220, 160, 30))
    text_lines(pen, Rect(-0.48, 0.48, 0.48, 0.7), 3)
    pen.words(f"{pen.rng.randint(1, 60) * 50}", 0.36, 0.76, 0.1, INK)


def card_fan(pen: Pen) -> None:
    """Draw a hand of trading cards."""
    count = pen.rng.randint(3, 6)
    for index in range(count):
        offset = index - (count - 1) / 2
        ink = pen.rng.choice(COVER_INKS)
        card(pen.at(offset * 0.3, 0.05 + abs(offset) * 0.06, 0.64, offset * 12).tinted(ink))


def booster(pen: Pen) -> None:
    """Draw a foil pack of cards with crimped ends."""
    ends = []
    for y, sign in ((-0.92, 1), (0.92, -1)):
        teeth = [(-0.55 + i * 0.11, y + (0.05 * sign if i % 2 else 0)) for i in range(11)]
        ends.append(teeth if sign > 0 else teeth[::-1])
    pen.poly([*ends[0], *ends[1]], pen.main)
    for y in (-0.82, 0.8):
        for index in range(12):
            x = -0.5 + index * 0.09
            pen.line(((x, y - 0.05), (x, y + 0.05)), 0.012, shade(pen.main, 0.4), cap=False)
    print_art(pen, Rect(-0.5, -0.35, 0.5, 0.6), GAME_ARTS)
    headline(pen, Rect(-0.52, -0.72, 0.52, -0.38), readable_on(pen.main), lines=2)
    pen.poly(star(0.3, 0.55, 0.22, points=9, waist=0.75), pen.accent)
    pen.words(f"{pen.rng.randint(5, 15)}", 0.3, 0.55, 0.16, readable_on(pen.accent))
    gleam(pen, Rect(-0.5, -0.72, -0.1, 0.72), shade(pen.main, 0.3))


def card_binder(pen: Pen) -> None:
    """Draw an album page with nine cards in their pockets."""
    pen.box(-0.95, -0.95, 0.9, 0.95, shade(pen.main, -0.3), r=0.05)
    pen.box(-0.78, -0.88, 0.84, 0.88, (226, 230, 236))
    for row in range(3):
        for column in range(3):
            x, y = -0.5 + column * 0.54, -0.58 + row * 0.58
            tile = pen.at(x, y, 0.29).tinted(pen.rng.choice(COVER_INKS))
            tile.box(-0.78, -0.95, 0.78, 0.95, tile.main, r=0.1)
            print_art(tile, Rect(-0.6, -0.65, 0.6, 0.2), GAME_ARTS)
            tile.box(-0.6, 0.3, 0.6, 0.75, shade(tile.main, 0.7))
    for y in (-0.6, 0, 0.6):
        pen.oval(-0.87, y, 0.05, 0.05, WHITE)


def card_tin(pen: Pen) -> None:
    """Draw a metal box of cards, some standing out of it."""
    for index in range(4):
        tile = pen.at(-0.45 + index * 0.3, -0.35, 0.5, -12 + index * 8)
        card(tile.tinted(pen.rng.choice(COVER_INKS)))
    can(pen, Rect(-0.8, -0.15, 0.8, 0.72), pen.main, flat=0.16, top=shade(pen.main, -0.5))
    for index in range(4):
        pen.at(-0.45 + index * 0.3, -0.22, 0.3).box(-0.6, -0.5, 0.6, 0.5, WHITE)
    headline(pen, Rect(-0.6, 0.1, 0.6, 0.6), readable_on(pen.main), lines=2)


MOTIFS: dict[str, Motif] = {
    "card": Motif(card, 25),
    "card fan": Motif(card_fan, 10),
    "booster": Motif(booster, 15),
    "card binder": Motif(card_binder, 8),
    "card tin": Motif(card_tin, 3),
}
