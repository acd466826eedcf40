"""Motifs of play indoors: dolls and other toys, board games."""

from mmcore.catalog.drawing.art import GAME_ARTS, WALL_ARTS, print_art
from mmcore.catalog.drawing.colours import (
    COLOURS,
    INK,
    SKIN_TONES,
    STEEL,
    WHITE,
    WOOD,
    Rgb,
    mix,
    readable_on,
    shade,
)
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, can, face, headline, slab, wheel

TOY_INKS: tuple[Rgb, ...] = tuple(
    COLOURS[name].rgb for name in ("rouge", "bleu", "vert", "jaune", "orange", "violet")
)
RESIN: tuple[Rgb, ...] = ((150, 152, 156), (120, 118, 112), (186, 186, 184))


def doll(pen: Pen) -> None:
    """Draw a rag doll in a dress."""
    skin = pen.rng.choice(SKIN_TONES)
    for side in (-1, 1):
        pen.line(((side * 0.14, 0.55), (side * 0.18, 0.85)), 0.13, skin)
        pen.oval(side * 0.21, 0.88, 0.12, 0.07, pen.accent)
        pen.line(((side * 0.2, -0.12), (side * 0.52, 0.25)), 0.13, skin)
    pen.blob(((-0.2, -0.2), (0.2, -0.2), (0.36, 0.2), (0.56, 0.6), (0, 0.68), (-0.56, 0.6),
              (-0.36, 0.2)), pen.main)  # fmt: skip
    for x in (-0.32, -0.1, 0.12, 0.34):
        pen.oval(x, 0.46, 0.05, 0.05, shade(pen.main, 0.5), edge=False)
    pen.box(-0.26, 0.02, 0.26, 0.1, pen.accent, r=0.03)
    face(pen, 0, -0.5, 0.34, skin, long_hair=True)
    for side in (-1, 1):
        pen.poly(((0.3, -0.82), (0.3 + side * 0.18, -0.92), (0.3 + side * 0.18, -0.72)), pen.accent)


def teddy(pen: Pen) -> None:
    """Draw a cuddly toy: a bear or a rabbit."""
    fur = mix(pen.main, (196, 150, 104), pen.rng.choice((0.2, 0.8)))
    is_rabbit, soft = pen.rng.random() < 0.4, shade(fur, 0.35)
    for side in (-1, 1):
        if is_rabbit:
            pen.oval(side * 0.22, -0.78, 0.13, 0.34, fur)
            pen.oval(side * 0.22, -0.76, 0.06, 0.22, soft, edge=False)
        else:
            pen.oval(side * 0.36, -0.68, 0.18, 0.18, fur)
            pen.oval(side * 0.36, -0.68, 0.09, 0.09, soft, edge=False)
        pen.oval(side * 0.42, 0.78, 0.22, 0.2, fur)
        pen.oval(side * 0.44, 0.8, 0.11, 0.1, soft, edge=False)
        pen.oval(side * 0.54, 0.15, 0.17, 0.3, fur)
    pen.oval(0, 0.35, 0.5, 0.52, fur)
    pen.oval(0, 0.42, 0.3, 0.34, soft, edge=False)
    pen.oval(0, -0.36, 0.46, 0.42, fur)
    pen.oval(0, -0.22, 0.2, 0.15, soft, edge=False)
    pen.oval(0, -0.28, 0.07, 0.05, INK, edge=False)
    for side in (-1, 1):
        pen.oval(side * 0.18, -0.45, 0.05, 0.06, INK, edge=False)
    if pen.rng.random() < 0.5:
        for side in (-1, 1):
            pen.poly(((0, 0.03), (side * 0.25, -0.08), (side * 0.25, 0.14)), pen.accent)


def blocks(pen: Pen) -> None:
    """Draw a tower of building bricks with studs."""
    for row, count in enumerate((4, 3, 2, 1)):
        for index in range(count):
            x0 = -0.9 + row * 0.2 + index * 0.46 + pen.rng.uniform(-0.02, 0.02)
            y1 = 0.85 - row * 0.4
            fill = pen.rng.choice(TOY_INKS)
            for stud in (0.08, 0.28):
                pen.box(x0 + stud, y1 - 0.46, x0 + stud + 0.12, y1 - 0.38, shade(fill, 0.2))
            slab(pen, Rect(x0, y1 - 0.38, x0 + 0.44, y1), fill, 0.06, 0.03)


def toy_train(pen: Pen) -> None:
    """Draw a wooden engine with a carriage."""
    slab(pen, Rect(-0.95, -0.05, -0.3, 0.45), pen.accent, 0.08, 0.05)
    for x in (-0.8, -0.48):
        pen.box(x - 0.09, 0.05, x + 0.09, 0.22, shade(pen.accent, 0.6))
    pen.line(((-0.3, 0.4), (-0.12, 0.4)), 0.06, INK)
    slab(pen, Rect(-0.12, -0.4, 0.3, 0.45), pen.main, 0.08, 0.05)
    pen.box(-0.02, -0.28, 0.2, -0.05, shade(pen.main, 0.6))
    slab(pen, Rect(0.3, 0.0, 0.85, 0.45), shade(pen.main, 0.15), 0.06, 0.04)
    can(pen, Rect(0.55, -0.35, 0.72, 0.02), INK, flat=0.3)
    for index in range(2):
        pen.oval(0.7 - index * 0.2, -0.6 - index * 0.2, 0.14, 0.11, (222, 226, 230), edge=False)
    for x in (-0.8, -0.45, 0.05, 0.45, 0.75):
        wheel(pen, x, 0.52, 0.15, hub=TOY_INKS[3])


def xylophone(pen: Pen) -> None:
    """Draw a toy xylophone with its stick."""
    pen.poly(((-0.9, -0.5), (0.9, -0.28), (0.9, -0.14), (-0.9, -0.34)), WOOD)
    pen.poly(((-0.9, 0.42), (0.9, 0.2), (0.9, 0.34), (-0.9, 0.58)), WOOD)
    for index in range(7):
        x, half = -0.8 + index * 0.26, 0.72 - index * 0.06
        pen.box(x - 0.1, -half, x + 0.1, half, TOY_INKS[index % 6], r=0.05)
        for y in (-half * 0.65, half * 0.65):
            pen.oval(x, y, 0.03, 0.03, STEEL)
    pen.line(((-0.3, 0.95), (0.75, 0.45)), 0.05, shade(WOOD, -0.2))
    pen.oval(0.78, 0.44, 0.11, 0.11, pen.main)


def game_box(pen: Pen) -> None:
    """Draw the box of a board game, seen from above at an angle."""
    side = shade(pen.main, -0.35)
    pen.poly(((-0.85, 0.62), (0.85, 0.62), (0.82, 0.85), (-0.82, 0.85)), side)
    pen.words(pen.look.words[0].upper(), 0, 0.735, 0.13, readable_on(side), fit=1.4)
    pen.box(-0.85, -0.8, 0.85, 0.62, pen.main)
    print_art(pen, Rect(-0.78, -0.42, 0.78, 0.55), (*GAME_ARTS, *WALL_ARTS))
    headline(pen, Rect(-0.8, -0.79, 0.8, -0.44), readable_on(pen.main), lines=2)
    pen.box(0.32, 0.34, 0.74, 0.5, WHITE, r=0.05)
    players = f"2-{pen.rng.randint(4, 8)} / {pen.rng.choice((6, 8, 10, 12))}+"
    pen.words(players, 0.53, 0.42, 0.1, INK, fit=0.38)


def _pawn(pen: Pen, fill: Rgb) -> None:
    pen.poly(((-0.45, 1), (0.45, 1), (0.15, -0.2), (-0.15, -0.2)), fill)
    pen.oval(0, -0.45, 0.36, 0.36, shade(fill, 0.15))


def _die(pen: Pen, fill: Rgb = WHITE) -> None:
    pen.box(-0.8, -0.8, 0.8, 0.8, fill, r=0.25)
    for x, y in ((0, 0), (-0.42, -0.42), (0.42, 0.42), (-0.42, 0.42), (0.42, -0.42)):
        pen.oval(x, y, 0.14, 0.14, readable_on(fill), edge=False)


def race_board(pen: Pen) -> None:
    """Draw an open game board with a track of squares, pawns and dice."""
    pen.box(-0.95, -0.85, 0.95, 0.85, shade(pen.main, 0.45), r=0.04)
    pen.line(((0, -0.85), (0, 0.85)), 0.02, shade(pen.main, -0.1), cap=False)
    track = [(x / 4 * 0.8, -0.65) for x in range(-4, 5)]
    track += [(0.8, y / 3 * 0.65) for y in range(-2, 4)]
    track += [(x / 4 * 0.8, 0.65) for x in range(3, -5, -1)]
    track += [(-0.8, y / 3 * 0.65) for y in range(2, -3, -1)]
    for index, (x, y) in enumerate(track):
        pen.box(x - 0.1, y - 0.1, x + 0.1, y + 0.1, TOY_INKS[index % 6])
    print_art(pen, Rect(-0.5, -0.42, 0.5, 0.42), (*GAME_ARTS, *WALL_ARTS))
    for index in range(4):
        x, y = pen.rng.choice(track)
        _pawn(pen.at(x, y - 0.1, 0.17), TOY_INKS[index])
    for x in (0.25, 0.5):
        _die(pen.at(x, 0.3, 0.11, pen.rng.uniform(0, 80)))


def chess_board(pen: Pen) -> None:
    """Draw a chequered board with pieces."""
    light, dark = (236, 214, 176), shade(pen.main, -0.3)
    pen.box(-0.92, -0.92, 0.92, 0.92, shade(WOOD, -0.3))
    for row in range(8):
        for column in range(8):
            x, y = -0.84 + column * 0.21, -0.84 + row * 0.21
            pen.box(x, y, x + 0.21, y + 0.21, dark if (row + column) % 2 else light)
    for row in (0, 1, 6, 7):
        for column in range(8):
            if pen.rng.random() < 0.7:
                fill = INK if row < 2 else WHITE
                _pawn(pen.at(-0.735 + column * 0.21, -0.76 + row * 0.21, 0.12), fill)


def jigsaw(pen: Pen) -> None:
    """Draw a half-finished jigsaw puzzle."""
    print_art(pen, Rect(-0.85, -0.7, 0.85, 0.7), WALL_ARTS)
    for index in range(1, 6):
        x = -0.85 + index * 1.7 / 6
        pen.line(((x, -0.7), (x, 0.7)), 0.014, INK, cap=False)
        y = -0.7 + index * 1.4 / 6
        pen.line(((-0.85, y), (0.85, y)), 0.014, INK, cap=False)
        for other in range(6):
            pen.oval(x + 0.04, -0.58 + other * 0.235, 0.05, 0.05, shade(pen.main, 0.3))
    for _ in range(4):
        x, y = pen.rng.uniform(0.2, 0.9), pen.rng.uniform(0.4, 0.9)
        piece = pen.at(x, y, 0.16, pen.rng.uniform(0, 90))
        fill = pen.rng.choice(TOY_INKS)
        piece.oval(0, -1, 0.35, 0.35, fill)
        piece.oval(1, 0, 0.35, 0.35, fill)
        piece.box(-0.85, -0.85, 0.85, 0.85, fill)


MOTIFS: dict[str, Motif] = {
    "doll": Motif(doll, 8),
    "teddy": Motif(teddy, 8),
    "blocks": Motif(blocks, 4),
    "toy train": Motif(toy_train, 3),
    "xylophone": Motif(xylophone, 20),
    "game box": Motif(game_box, 14),
    "race board": Motif(race_board, 16),
    "chess board": Motif(chess_board, 16),
    "jigsaw": Motif(jigsaw, 16),
}
