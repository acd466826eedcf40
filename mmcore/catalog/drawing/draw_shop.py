"""Motifs of the grocery and the stationer: food, paper, pens."""

from mmcore.catalog.drawing.colours import COLOURS, INK, STEEL, WHITE, Rgb, mix, readable_on, shade
from mmcore.catalog.drawing.curves import arc
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import (
    LEAF_GREEN,
    Motif,
    Rect,
    can,
    headline,
    label,
    slab,
    text_lines,
)

CHOCOLATE: Rgb = (92, 56, 38)
KRAFT: Rgb = (196, 158, 112)
SWEETS: tuple[Rgb, ...] = tuple(
    COLOURS[name].rgb for name in ("rouge", "jaune", "vert", "rose", "orange", "violet")
)


def coffee_bag(pen: Pen) -> None:
    """Draw a bag of coffee or tea with beans before it."""
    fill = pen.rng.choice((pen.main, KRAFT, (60, 44, 38)))
    pen.poly(((-0.5, -0.9), (0.5, -0.9), (0.58, 0.8), (-0.58, 0.8)), fill)
    pen.box(-0.5, -0.94, 0.5, -0.76, shade(fill, -0.3))
    pen.box(-0.42, -0.5, 0.42, 0.42, mix(fill, WHITE, 0.8), r=0.06)
    headline(pen, Rect(-0.4, -0.46, 0.4, -0.04), INK, lines=2)
    _cup(pen.at(0, 0.18, 0.2))
    for _ in range(9):
        x, y = pen.rng.uniform(-0.8, 0.8), pen.rng.uniform(0.7, 0.9)
        bean = pen.at(x, y, 0.09, pen.rng.uniform(0, 180))
        bean.oval(0, 0, 1, 0.65, CHOCOLATE)
        bean.curve(((-0.9, 0), (0, 0.2), (0.9, 0)), 0.15, shade(CHOCOLATE, 0.4))


def _cup(pen: Pen) -> None:
    pen.line(arc(0.8, 0.1, 0.45, 0.45, -90, 90), 0.2, INK)
    pen.poly([(-0.8, -0.4), *arc(0, -0.1, 0.8, 1, 180, 0)[::-1], (0.8, -0.4)], INK)
    pen.poly([(-0.8, -0.4), (0.8, -0.4), *arc(0, 0.1, 0.75, 0.8, 0, 180)], INK)
    for x in (-0.3, 0.3):
        pen.curve(((x, -0.6), (x + 0.15, -0.85), (x - 0.1, -1.1), (x, -1.35)), 0.13, INK)


def jam_jar(pen: Pen) -> None:
    """Draw a jar: jam, honey or spread."""
    fill = pen.rng.choice(((186, 40, 52), (232, 162, 40), (122, 60, 120), (150, 90, 40), pen.main))
    pen.box(-0.58, -0.5, 0.58, 0.9, shade(fill, 0.12), r=0.16)
    pen.box(-0.5, -0.42, -0.4, 0.8, shade(fill, 0.4), r=0.05)
    pen.box(-0.5, -0.62, 0.5, -0.46, (232, 238, 240))
    cloth = pen.rng.choice((WHITE, pen.accent))
    pen.box(-0.6, -0.88, 0.6, -0.56, cloth, r=0.08)
    for index in range(5):
        x = -0.48 + index * 0.24
        pen.line(((x, -0.86), (x, -0.58)), 0.06, shade(pen.main, -0.1), cap=False)
    pen.box(-0.46, -0.15, 0.46, 0.58, (250, 244, 226), r=0.05)
    headline(pen, Rect(-0.44, -0.1, 0.44, 0.35), INK, lines=2)
    pen.oval(0, 0.44, 0.09, 0.08, fill)


def chocolate(pen: Pen) -> None:
    """Draw a bar of chocolate half out of its wrapper."""
    for row in range(4):
        for column in range(3):
            x, y = -0.48 + column * 0.32, -0.9 + row * 0.24
            pen.box(x, y, x + 0.31, y + 0.23, CHOCOLATE)
            pen.box(x + 0.05, y + 0.04, x + 0.26, y + 0.18, shade(CHOCOLATE, 0.18))
    foil = [(-0.58 + index * 0.1054, -0.02 + (0.08 if index % 2 else -0.05)) for index in range(12)]
    pen.poly([*foil, (0.58, 0.2), (-0.58, 0.2)], (214, 216, 220))
    pen.box(-0.58, 0.12, 0.58, 0.92, pen.main)
    headline(pen, Rect(-0.55, 0.2, 0.55, 0.62), readable_on(pen.main), lines=2)
    label(pen, Rect(-0.25, 0.68, 0.25, 0.84), f"{pen.rng.choice((55, 70, 85))}%", pen.accent)


def sweets(pen: Pen) -> None:
    """Draw wrapped sweets, in a jar or loose."""
    is_jar = pen.rng.random() < 0.5
    if is_jar:
        pen.box(-0.65, -0.55, 0.65, 0.9, (224, 236, 242), r=0.22)
        pen.box(-0.52, -0.78, 0.52, -0.52, pen.main, r=0.06)
    for _ in range(18 if is_jar else 11):
        x = pen.rng.uniform(-0.42, 0.42) if is_jar else pen.rng.uniform(-0.75, 0.75)
        y = pen.rng.uniform(-0.25, 0.72) if is_jar else pen.rng.uniform(-0.6, 0.7)
        sweet = pen.at(x, y, 0.14 if is_jar else 0.2, pen.rng.uniform(-60, 60))
        fill = pen.rng.choice(SWEETS)
        for side in (-1, 1):
            sweet.poly(((side * 0.6, 0), (side * 1.25, -0.5), (side * 1.25, 0.5)), shade(fill, 0.3))
        sweet.oval(0, 0, 0.75, 0.6, fill)
        sweet.curve(((-0.3, -0.45), (0.1, 0), (-0.1, 0.5)), 0.14, WHITE)


def biscuits(pen: Pen) -> None:
    """Draw a packet of biscuits with three before it."""
    slab(pen, Rect(-0.85, -0.6, 0.6, 0.4), pen.main, 0.22, 0.16)
    headline(pen, Rect(-0.8, -0.55, 0.55, -0.05), readable_on(pen.main), lines=2)
    for x, y in ((-0.55, 0.55), (-0.05, 0.65), (0.45, 0.52)):
        pen.oval(x, y, 0.32, 0.29, (206, 154, 92))
        for _ in range(7):
            dx, dy = pen.rng.uniform(-0.2, 0.2), pen.rng.uniform(-0.18, 0.18)
            pen.oval(x + dx, y + dy, 0.04, 0.035, CHOCOLATE, edge=False)


def food_tin(pen: Pen) -> None:
    """Draw a tin with a paper label."""
    can(pen, Rect(-0.62, -0.7, 0.62, 0.72), STEEL, flat=0.24, top=(220, 224, 228))
    pen.line(arc(0, -0.7, 0.45, 0.1, 0, 360), 0.02, shade(STEEL, -0.3))
    lower = arc(0, 0.58, 0.62, 0.15, 0, 180)
    upper = arc(0, -0.5, 0.62, 0.15, 180, 0)
    pen.poly([*lower, *upper], pen.main)
    headline(pen, Rect(-0.5, -0.28, 0.5, 0.18), readable_on(pen.main), lines=2)
    for x in (-0.18, 0.0, 0.18):
        pen.oval(x, 0.42, 0.13, 0.13, pen.accent)
        pen.oval(x, 0.32, 0.05, 0.03, LEAF_GREEN)


def oil_bottle(pen: Pen) -> None:
    """Draw a bottle of oil, syrup or juice."""
    fill = pen.rng.choice(((150, 152, 50), (190, 60, 60), (210, 140, 40), pen.main))
    pen.blob(((-0.11, -0.7), (0.11, -0.7), (0.13, -0.4), (0.34, -0.1), (0.36, 0.86), (0, 0.92),
              (-0.36, 0.86), (-0.34, -0.1), (-0.13, -0.4)), fill)  # fmt: skip
    pen.box(-0.13, -0.95, 0.13, -0.66, pen.accent, r=0.03)
    pen.box(-0.25, -0.1, -0.19, 0.75, shade(fill, 0.4), r=0.03)
    pen.box(-0.34, 0.1, 0.35, 0.62, (248, 242, 224))
    headline(pen, Rect(-0.32, 0.12, 0.33, 0.44), INK, lines=2)
    for side in (-1, 1):
        pen.oval(side * 0.09, 0.52, 0.08, 0.05, LEAF_GREEN)


def spice_box(pen: Pen) -> None:
    """Draw a packet of pasta, tea or spices with a window."""
    pen.box(-0.55, -0.9, 0.55, 0.9, pen.main, r=0.04)
    pen.poly(((-0.55, -0.9), (0.55, -0.9), (0.42, -0.72), (-0.42, -0.72)), shade(pen.main, -0.25))
    headline(pen, Rect(-0.5, -0.66, 0.5, -0.2), readable_on(pen.main), lines=2)
    pen.oval(0, 0.3, 0.42, 0.42, (250, 244, 228))
    for _ in range(22):
        x, y = pen.rng.uniform(-0.26, 0.26), pen.rng.uniform(0.04, 0.56)
        pen.oval(x, y, 0.07, 0.04, shade((214, 160, 70), pen.rng.uniform(-0.25, 0.25)))
    pen.words(f"{pen.rng.choice((100, 250, 500))} g", 0, 0.81, 0.11, readable_on(pen.main))


def notebook(pen: Pen) -> None:
    """Draw a spiral notebook."""
    pen.box(-0.66, -0.88, 0.72, 0.92, (236, 234, 226), r=0.04)
    pen.box(-0.7, -0.92, 0.68, 0.88, pen.main, r=0.05)
    pen.box(-0.3, -0.6, 0.5, -0.2, WHITE, r=0.04)
    text_lines(pen, Rect(-0.22, -0.55, 0.42, -0.25), 3, (150, 160, 190))
    pen.box(-0.55, -0.92, -0.47, 0.88, pen.accent)
    for index in range(13):
        y = -0.8 + index * 0.132
        pen.line(((-0.8, y), (-0.6, y + 0.02)), 0.035, STEEL)
        pen.oval(-0.61, y + 0.02, 0.03, 0.03, INK, edge=False)


def pens(pen: Pen) -> None:
    """Draw a set of pens or pencils side by side."""
    count = pen.rng.randint(4, 7)
    is_pencil = pen.rng.random() < 0.5
    step = 1.7 / count
    for index in range(count):
        x = -0.85 + step * (index + 0.5)
        fill, half = pen.rng.choice((pen.main, *SWEETS)), step * 0.3
        pen.box(x - half, -0.55, x + half, 0.9, fill, r=0.02)
        tip = (232, 200, 150) if is_pencil else STEEL
        pen.poly(((x - half, -0.55), (x + half, -0.55), (x, -0.92)), tip)
        pen.poly(((x - half * 0.3, -0.81), (x + half * 0.3, -0.81), (x, -0.92)), fill)
        if is_pencil:
            pen.box(x - half, 0.72, x + half, 0.92, (232, 150, 150), r=0.03)
        else:
            pen.line(((x + half * 1.3, 0.85), (x + half * 1.3, 0.4)), 0.04, shade(fill, -0.3))


def pencil_pot(pen: Pen) -> None:
    """Draw a pot with pens, scissors and a ruler."""
    for index in range(5):
        x, turn = -0.3 + index * 0.15, -16 + index * 8
        stick = pen.at(x, -0.2, 0.8, turn)
        stick.box(-0.07, -0.75, 0.07, 0.5, pen.rng.choice(SWEETS))
        stick.poly(((-0.07, -0.75), (0.07, -0.75), (0, -0.95)), (232, 200, 150))
    for side in (-1, 1):
        pen.line(arc(0.42 + side * 0.12, -0.5, 0.11, 0.14, 0, 360), 0.05, pen.accent)
    pen.line(((0.4, -0.36), (0.3, 0.1)), 0.06, STEEL)
    can(pen, Rect(-0.5, -0.05, 0.5, 0.78), pen.main, flat=0.24, top=shade(pen.main, -0.55))
    pen.poly(((-0.46, -0.02), (0.46, -0.02), (0.46, 0.02), (-0.46, 0.1)), shade(pen.main, -0.1))


def ring_binder(pen: Pen) -> None:
    """Draw lever-arch files standing side by side."""
    count = pen.rng.randint(1, 3)
    for index in range(count):
        x = -0.5 * (count - 1) / 2 * 1.1 + index * 0.55
        fill = shade((pen.main, pen.accent)[index % 2], pen.rng.uniform(-0.15, 0.15))
        slab(pen, Rect(x - 0.26, -0.85, x + 0.24, 0.9), fill, 0.22, 0.08)
        pen.box(x - 0.16, -0.65, x + 0.14, 0.05, WHITE, r=0.03)
        text_lines(pen, Rect(x - 0.11, -0.55, x + 0.09, -0.05), 4)
        pen.line(arc(x - 0.01, 0.55, 0.11, 0.11, 0, 360), 0.04, STEEL)


def stapler(pen: Pen) -> None:
    """Draw a stapler with its staples."""
    pen.blob(((-0.95, 0.5), (-0.9, 0.36), (0.85, 0.36), (0.95, 0.5), (0.85, 0.62), (-0.9, 0.62)),
             shade(INK, 0.15))  # fmt: skip
    pen.poly(((-0.85, 0.2), (0.8, -0.08), (0.85, 0.08), (-0.85, 0.34)), STEEL)
    pen.blob(((-0.95, 0.1), (-0.6, -0.18), (0.5, -0.42), (0.9, -0.32), (0.92, -0.05),
              (-0.9, 0.26)), pen.main)  # fmt: skip
    pen.oval(-0.72, 0.2, 0.09, 0.09, STEEL)
    pen.words(pen.look.brand, 0.2, -0.2, 0.16, readable_on(pen.main), fit=0.8)
    for index in range(3):
        x = -0.5 + index * 0.4
        pen.line(((x, 0.9), (x, 0.78), (x + 0.2, 0.78), (x + 0.2, 0.9)), 0.03, STEEL)


def ink_cartridge(pen: Pen) -> None:
    """Draw ink cartridges for a printer."""
    inks: tuple[Rgb, ...] = (INK, (40, 150, 200), (206, 50, 130), (244, 204, 50))
    for index, ink in enumerate(inks[: pen.rng.randint(2, 4)]):
        tile = pen.at(-0.6 + index * 0.42, 0.08 + 0.05 * (index % 2), 0.75)
        slab(tile, Rect(-0.24, -0.8, 0.2, 0.85), (70, 72, 78), 0.12, 0.08)
        tile.box(-0.2, -0.55, 0.16, 0.5, ink, r=0.02)
        tile.words(pen.look.brand, -0.02, -0.3, 0.13, readable_on(ink), fit=0.34)
        tile.oval(-0.02, 0.25, 0.1, 0.12, WHITE)
        tile.box(-0.1, 0.85, 0.06, 0.95, (196, 160, 70))


def paper_ream(pen: Pen) -> None:
    """Draw a ream of paper, its wrapper open."""
    for index in range(6):
        y = 0.1 - index * 0.04
        pen.poly(((-0.8, y), (0.35, y + 0.1), (0.95, y - 0.3), (-0.2, y - 0.42)), WHITE)
    pen.poly(((-0.8, 0.12), (0.35, 0.22), (0.35, 0.72), (-0.8, 0.6)), pen.main)
    pen.poly(((0.35, 0.22), (0.95, -0.2), (0.95, 0.28), (0.35, 0.72)), shade(pen.main, -0.25))
    pen.words("A4", -0.25, 0.4, 0.3, readable_on(pen.main))
    pen.words("80 g", 0.12, 0.58, 0.12, readable_on(pen.main))


MOTIFS: dict[str, Motif] = {
    "coffee bag": Motif(coffee_bag, 4),
    "jam jar": Motif(jam_jar, 3),
    "chocolate": Motif(chocolate, 25),
    "sweets": Motif(sweets, 6),
    "biscuits": Motif(biscuits, 5),
    "food tin": Motif(food_tin, 3),
    "oil bottle": Motif(oil_bottle, 3),
    "spice box": Motif(spice_box, 5),
    "notebook": Motif(notebook, 18),
    "pens": Motif(pens, 30),
    "pencil pot": Motif(pencil_pot, 3),
    "ring binder": Motif(ring_binder, 3),
    "stapler": Motif(stapler, 12),
    "ink cartridge": Motif(ink_cartridge, 4),
    "paper ream": Motif(paper_ream, 5),
}
