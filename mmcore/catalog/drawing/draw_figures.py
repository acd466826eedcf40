"""Motifs of collectors and players of roles: figurines, goodies, wargames, masks."""

from mmcore.catalog.drawing.art import COMIC_ARTS, print_art
from mmcore.catalog.drawing.colours import (
    COLOURS,
    HAIR_TONES,
    INK,
    SKIN_TONES,
    STEEL,
    WHITE,
    Rgb,
    readable_on,
    shade,
)
from mmcore.catalog.drawing.curves import arc, regular, star
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, can, face, headline, slab

TOY_INKS: tuple[Rgb, ...] = tuple(
    COLOURS[name].rgb for name in ("rouge", "bleu", "vert", "jaune", "orange", "violet")
)
RESIN: tuple[Rgb, ...] = ((150, 152, 156), (120, 118, 112), (186, 186, 184))


def big_head(pen: Pen) -> None:
    """Draw a collector's vinyl figure: square head, round black eyes, tiny body."""
    skin, hair = pen.rng.choice(SKIN_TONES), pen.rng.choice((*HAIR_TONES, pen.accent))
    pen.box(-0.24, 0.3, 0.24, 0.75, pen.main, r=0.1)
    for side in (-1, 1):
        pen.line(((side * 0.22, 0.4), (side * 0.4, 0.62)), 0.12, pen.main)
        pen.box(side * 0.13 - 0.11, 0.68, side * 0.13 + 0.11, 0.92, shade(pen.main, -0.35), r=0.05)
    pen.box(-0.62, -0.78, 0.62, 0.36, skin, r=0.3)
    pen.poly([(-0.66, -0.15), *arc(0, -0.35, 0.68, 0.58, 180, 360), (0.66, -0.15),
              (0.4, -0.42), (-0.1, -0.3), (-0.45, -0.42)], hair)  # fmt: skip
    for side in (-1, 1):
        pen.oval(side * 0.3, -0.04, 0.12, 0.12, INK, edge=False)
        pen.oval(side * 0.3 + 0.04, -0.08, 0.03, 0.03, WHITE, edge=False)
    pen.oval(0, 0.1, 0.05, 0.035, shade(skin, -0.25), edge=False)


def figure_in_box(pen: Pen) -> None:
    """Draw a figure behind the window of its box."""
    slab(pen, Rect(-0.68, -0.85, 0.58, 0.92), pen.main, 0.16, 0.08)
    pen.box(-0.58, -0.5, 0.48, 0.68, shade(pen.accent, 0.6), r=0.06)
    big_head(pen.at(-0.05, 0.1, 0.56).tinted(pen.accent, pen.main))
    headline(pen, Rect(-0.62, -0.82, 0.52, -0.53), readable_on(pen.main), lines=1)
    pen.words(pen.look.brand, -0.05, 0.8, 0.13, readable_on(pen.main), fit=1.0)


def hero_statue(pen: Pen) -> None:
    """Draw a posed figure with a cape on a display base."""
    skin = pen.rng.choice(SKIN_TONES)
    can(pen, Rect(-0.6, 0.72, 0.6, 0.86), (50, 48, 54), flat=0.2)
    pen.blob(((-0.2, -0.4), (0.2, -0.4), (0.65, 0.5), (0.1, 0.6), (-0.4, 0.62)), pen.accent)
    for side in (-1, 1):
        pen.line(((side * 0.1, 0.15), (side * 0.26, 0.45), (side * 0.28, 0.7)), 0.17,
                 shade(pen.main, -0.25))  # fmt: skip
    pen.blob(((-0.3, -0.4), (0.3, -0.4), (0.2, 0.2), (-0.2, 0.2)), pen.main)
    pen.line(((-0.28, -0.32), (-0.5, -0.05), (-0.25, 0.1)), 0.12, pen.main)
    pen.line(((0.28, -0.32), (0.52, -0.55), (0.6, -0.85)), 0.12, pen.main)
    pen.oval(0.61, -0.88, 0.08, 0.08, skin)
    pen.poly(star(0, -0.15, 0.12), pen.accent, edge=False)
    face(pen, 0, -0.62, 0.2, skin)


def goodie_mug(pen: Pen) -> None:
    """Draw a printed collector's mug."""
    pen.line(arc(0.62, 0.05, 0.3, 0.36, -90, 90), 0.13, shade(pen.main, -0.1))
    can(pen, Rect(-0.65, -0.62, 0.62, 0.68), pen.main, flat=0.2, top=shade(pen.main, -0.4))
    print_art(pen, Rect(-0.4, -0.3, 0.35, 0.45), COMIC_ARTS)
    headline(pen, Rect(-0.5, 0.5, 0.45, 0.7), readable_on(pen.main), lines=1)


def key_ring(pen: Pen) -> None:
    """Draw a key ring with a small character."""
    pen.line(arc(0, -0.7, 0.24, 0.24, 0, 360), 0.05, STEEL)
    for index in range(4):
        pen.oval(0, -0.42 + index * 0.1, 0.05, 0.06, STEEL)
    big_head(pen.at(0, 0.42, 0.6))


def miniature(pen: Pen) -> None:
    """Draw an unpainted or painted soldier on a round base."""
    resin = pen.rng.choice(RESIN) if pen.rng.random() < 0.7 else pen.main
    can(pen, Rect(-0.55, 0.72, 0.55, 0.84), (44, 44, 46), flat=0.26, top=(92, 100, 70))
    for side in (-1, 1):
        pen.line(((side * 0.12, 0.2), (side * 0.24, 0.72)), 0.18, shade(resin, -0.25))
    pen.blob(((-0.36, -0.3), (0.36, -0.3), (0.28, 0.25), (-0.28, 0.25)), resin)
    for side in (-1, 1):
        pen.oval(side * 0.4, -0.3, 0.2, 0.18, shade(resin, 0.15))
    pen.oval(0, -0.55, 0.18, 0.21, shade(resin, 0.1))
    pen.poly([*arc(0, -0.58, 0.22, 0.26, 180, 360), (0.1, -0.5), (-0.1, -0.5)],
             shade(resin, -0.15))  # fmt: skip
    pen.line(((0.5, 0.55), (0.62, -0.95)), 0.06, shade(resin, -0.35))
    if pen.rng.random() < 0.6:
        pen.blob(((-0.75, -0.15), (-0.3, -0.15), (-0.34, 0.35), (-0.52, 0.5), (-0.7, 0.35)),
                 shade(resin, -0.05))  # fmt: skip
    else:
        pen.poly(((0.56, -0.9), (0.95, -0.75), (0.9, -0.45), (0.6, -0.5)), shade(resin, 0.2))


def small_army(pen: Pen) -> None:
    """Draw a squad of miniatures in two rows."""
    columns = pen.rng.randint(3, 4)
    for row in range(2):
        for column in range(columns):
            x = (column - (columns - 1) / 2) * 0.52 + row * 0.1
            miniature(pen.at(x, -0.38 + row * 0.75, 0.36))


def mask(pen: Pen) -> None:
    """Draw a mask to wear, with ribbons, horns or feathers."""
    for side in (-1, 1):
        pen.curve(((side * 0.8, -0.1), (side * 0.95, 0.3), (side * 0.85, 0.7)), 0.06, pen.accent)
    if pen.rng.random() < 0.5:
        for index in range(5):
            feather = pen.at(-0.4 + index * 0.2, -0.35, 0.5, -24 + index * 12)
            feather.blob(((0, 0), (0.16, -0.5), (0, -1.1), (-0.16, -0.5)),
                         pen.rng.choice(TOY_INKS))  # fmt: skip
    else:
        for side in (-1, 1):
            pen.blob(((side * 0.3, -0.4), (side * 0.75, -0.95), (side * 0.62, -0.25)),
                     shade(pen.accent, -0.2))  # fmt: skip
    pen.blob(((-0.82, -0.35), (0, -0.48), (0.82, -0.35), (0.7, 0.25), (0.3, 0.75), (0, 0.85),
              (-0.3, 0.75), (-0.7, 0.25)), pen.main)  # fmt: skip
    for side in (-1, 1):
        pen.blob(((side * 0.15, -0.05), (side * 0.4, -0.24), (side * 0.62, -0.08),
                  (side * 0.38, 0.08)), INK)  # fmt: skip
    pen.poly(((-0.1, 0.3), (0, -0.02), (0.1, 0.3)), shade(pen.main, -0.25))
    pen.curve(((-0.28, 0.5), (0, 0.58), (0.28, 0.5)), 0.07, shade(pen.main, -0.5))


def dice_set(pen: Pen) -> None:
    """Draw the many-sided dice of role play."""
    for index, corners in enumerate((3, 4, 5, 6, 8, 10)):
        x, y = -0.6 + 0.6 * (index % 3), -0.35 + 0.75 * (index // 3)
        fill = shade(pen.rng.choice((pen.main, pen.accent)), pen.rng.uniform(-0.1, 0.2))
        turn = pen.rng.uniform(0, 90)
        pen.poly(regular(x, y, 0.32, max(corners, 4), turn), shade(fill, -0.2))
        pen.poly(regular(x, y, 0.22, 3, turn + 20), shade(fill, 0.15))
        pen.words(str(pen.rng.randint(1, 20)), x, y, 0.17, readable_on(fill))


def ruin(pen: Pen) -> None:
    """Draw a piece of gaming scenery: a ruined stone wall on rough ground."""
    pen.blob(((-0.95, 0.6), (0, 0.45), (0.95, 0.6), (0.9, 0.88), (0, 0.95), (-0.9, 0.88)),
             (112, 116, 84))  # fmt: skip
    for row in range(6):
        y, reach = 0.6 - row * 0.24, 0.8 - row * 0.12 - pen.rng.uniform(0, 0.1)
        x = -0.8 + (0.08 if row % 2 else 0)
        while x < reach:
            if not (row in (2, 3) and -0.35 < x < 0.0):
                grey = shade((150, 146, 138), pen.rng.uniform(-0.2, 0.15))
                pen.box(x, y - 0.22, x + 0.27, y, grey, r=0.04)
            x += 0.29
    miniature(pen.at(0.55, 0.4, 0.32))


MOTIFS: dict[str, Motif] = {
    "big head": Motif(big_head, 4),
    "figure in box": Motif(figure_in_box, 4),
    "hero statue": Motif(hero_statue, 3),
    "goodie mug": Motif(goodie_mug, 4),
    "key ring": Motif(key_ring, 12),
    "miniature": Motif(miniature, 4),
    "small army": Motif(small_army, 3),
    "mask": Motif(mask, 12),
    "dice set": Motif(dice_set, 25),
    "ruin": Motif(ruin, 3),
}
