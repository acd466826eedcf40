"""Motifs of the home: furniture and household linen."""

from mmcore.catalog.drawing.colours import INK, STEEL, WHITE, WOOD, Rgb, mix, shade
from mmcore.catalog.drawing.curves import Point
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, slab

WOODS: tuple[Rgb, ...] = (WOOD, (206, 164, 112), (120, 80, 52), (222, 216, 206))


def _wood(pen: Pen) -> Rgb:
    """Return a furniture colour: a wood or, less often, the product's own."""
    return pen.main if pen.rng.random() < 0.35 else pen.rng.choice(WOODS)


def sofa(pen: Pen) -> None:
    """Draw a sofa with its cushions."""
    m = pen.main
    for x in (-0.8, 0.8):
        pen.poly(((x - 0.05, 0.5), (x + 0.05, 0.5), (x + 0.03, 0.72), (x - 0.03, 0.72)), WOOD)
    pen.box(-0.8, -0.45, 0.8, 0.35, shade(m, -0.1), r=0.16)
    pen.line(((0, -0.4), (0, 0.1)), 0.015, shade(m, -0.35), cap=False)
    for x in (-0.78, 0.02):
        pen.box(x, 0.05, x + 0.76, 0.34, shade(m, 0.12), r=0.09)
    pen.box(-0.92, 0.3, 0.92, 0.54, shade(m, -0.05), r=0.06)
    for side in (-1, 1):
        pen.box(side * 0.86 - 0.14, -0.12, side * 0.86 + 0.14, 0.52, m, r=0.13)
    for x, turn in ((-0.5, -12), (0.48, 10)):
        if pen.rng.random() < 0.7:
            pillow = pen.at(x, -0.06, 0.24, turn)
            pillow.blob(((-1, -0.9), (0, -0.8), (1, -0.9), (0.9, 0.9), (-0.9, 0.9)), pen.accent)


def armchair(pen: Pen) -> None:
    """Draw an armchair or an office chair."""
    m = pen.main
    if pen.rng.random() < 0.4:
        pen.line(((0, 0.3), (0, 0.7)), 0.09, STEEL)
        for x in (-0.5, -0.2, 0.2, 0.5):
            pen.line(((0, 0.66), (x, 0.84)), 0.06, INK)
            pen.oval(x, 0.88, 0.06, 0.06, INK)
    else:
        for x in (-0.5, 0.5):
            pen.line(((x, 0.5), (x * 1.1, 0.9)), 0.07, WOOD)
    pen.blob(((-0.5, -0.85), (0, -0.95), (0.5, -0.85), (0.55, 0.1), (-0.55, 0.1)), shade(m, -0.12))
    pen.box(-0.6, 0.12, 0.6, 0.48, m, r=0.14)
    for side in (-1, 1):
        pen.box(side * 0.62 - 0.11, -0.2, side * 0.62 + 0.11, 0.46, shade(m, 0.14), r=0.1)


def bed(pen: Pen) -> None:
    """Draw a bed with pillows, or a bare mattress."""
    if pen.rng.random() < 0.3:
        slab(pen, Rect(-0.95, 0.1, 0.7, 0.5), shade(pen.main, 0.75), 0.25, 0.45)
        for x in range(8):
            pen.oval(-0.8 + x * 0.2, 0.3, 0.03, 0.03, shade(pen.main, 0.2), edge=False)
        pen.line(((-0.95, 0.18), (0.7, 0.18)), 0.04, pen.main, cap=False)
        return
    wood = _wood(pen)
    pen.box(-0.75, -0.75, 0.75, 0.2, wood, r=0.08)
    pen.poly(((-0.72, -0.12), (0.72, -0.12), (0.9, 0.62), (-0.9, 0.62)), WHITE)
    for side in (-1, 1):
        pen.blob(((side * 0.1, -0.32), (side * 0.62, -0.32), (side * 0.66, 0.02),
                  (side * 0.08, 0.02)), shade(pen.accent, 0.5))  # fmt: skip
    pen.poly(((-0.77, 0.08), (0.77, 0.08), (0.92, 0.7), (-0.92, 0.7)), pen.main)
    pen.poly(((-0.77, 0.08), (0.77, 0.08), (0.8, 0.2), (-0.8, 0.2)), shade(pen.main, 0.4))
    pen.box(-0.95, 0.62, 0.95, 0.8, wood, r=0.03)
    for x in (-0.85, 0.85):
        pen.box(x - 0.05, 0.8, x + 0.05, 0.92, shade(wood, -0.3))


def table(pen: Pen) -> None:
    """Draw a table from slightly above; round or long, indoors or for the garden."""
    wood = _wood(pen)
    legs: tuple[Point, ...] = ((-0.72, 0.1), (0.72, 0.1), (-0.5, -0.1), (0.5, -0.1))
    for x, y in legs:
        pen.poly(((x - 0.06, y), (x + 0.06, y), (x * 1.08 + 0.03, y + 0.75),
                  (x * 1.08 - 0.03, y + 0.75)), shade(wood, -0.3))  # fmt: skip
    if pen.rng.random() < 0.4:
        pen.oval(0, 0.02, 0.95, 0.3, shade(wood, -0.25))
        pen.oval(0, -0.04, 0.95, 0.3, wood)
        return
    pen.poly(((-0.7, -0.3), (0.7, -0.3), (0.97, 0.15), (-0.97, 0.15)), wood)
    for index in range(4):
        share = (index + 1) / 5
        y = -0.3 + 0.45 * share
        reach = 0.7 + 0.27 * share
        pen.line(((-reach, y), (reach, y)), 0.01, shade(wood, -0.2), cap=False)
    pen.box(-0.97, 0.15, 0.97, 0.24, shade(wood, -0.2))


def cupboard(pen: Pen) -> None:
    """Draw a chest of drawers or a wardrobe."""
    wood, is_tall = _wood(pen), pen.rng.random() < 0.45
    top, half = (-0.9, 0.55) if is_tall else (-0.45, 0.85)
    slab(pen, Rect(-half, top, half - 0.14, 0.75), wood, 0.14, 0.08)
    inner = Rect(-half + 0.06, top + 0.07, half - 0.2, 0.68)
    if is_tall:
        for x0 in (inner.x0, inner.cx + 0.02):
            pen.box(x0, inner.y0, x0 + inner.width / 2 - 0.02, inner.y1, shade(wood, 0.2))
        for x in (inner.cx - 0.05, inner.cx + 0.05):
            pen.box(x - 0.015, -0.15, x + 0.015, 0.05, INK)
    else:
        rows, columns = 3, pen.rng.choice((1, 2))
        w, h = inner.width / columns, inner.height / rows
        for index in range(rows * columns):
            x, y = inner.x0 + index % columns * w, inner.y0 + index // columns * h
            pen.box(x + 0.02, y + 0.02, x + w - 0.02, y + h - 0.02, shade(wood, 0.2))
            pen.box(x + w / 2 - 0.08, y + h / 2 - 0.02, x + w / 2 + 0.08, y + h / 2 + 0.02, INK)
    for x in (-half + 0.08, half - 0.22):
        pen.box(x - 0.04, 0.75, x + 0.04, 0.88, shade(wood, -0.4))


def bookcase(pen: Pen) -> None:
    """Draw open shelves with a few things on them."""
    wood = _wood(pen)
    pen.box(-0.65, -0.92, 0.65, 0.92, shade(wood, -0.35))
    for row in range(4):
        y = -0.84 + row * 0.44
        pen.box(-0.58, y, 0.58, y + 0.38, mix(wood, WHITE, 0.55))
        x = -0.54
        while x < 0.4 and pen.rng.random() < 0.85:
            width = pen.rng.uniform(0.07, 0.2)
            fill = pen.rng.choice((pen.main, pen.accent, (120, 140, 160), (200, 110, 80)))
            pen.box(x, y + pen.rng.uniform(0.05, 0.18), x + width, y + 0.38, fill)
            x += width + pen.rng.choice((0.01, 0.12))


def cushion(pen: Pen) -> None:
    """Draw a scatter cushion with a woven pattern."""
    outline = ((-0.85, -0.8), (0, -0.7), (0.85, -0.8), (0.75, 0), (0.85, 0.8), (0, 0.7),
               (-0.85, 0.8), (-0.75, 0))  # fmt: skip
    pen.blob(outline, pen.main)
    style = pen.rng.randrange(3)
    if style == 0:
        for index in range(5):
            x = -0.5 + index * 0.25
            pen.line(((x, -0.6), (x, 0.6)), 0.07, pen.accent, cap=False)
    elif style == 1:
        for index in range(16):
            x, y = -0.5 + 0.33 * (index % 4), -0.5 + 0.33 * (index // 4)
            pen.oval(x, y, 0.09, 0.09, pen.accent, edge=False)
    else:
        for r in (0.55, 0.38, 0.2):
            pen.line(((0, -r), (r, 0), (0, r), (-r, 0), (0, -r)), 0.05, pen.accent)
    pen.curve(((0.5, 0.5), (0.6, 0.62), (0.78, 0.72)), 0.02, shade(pen.main, -0.3))


def curtains(pen: Pen) -> None:
    """Draw a pair of curtains on a rod."""
    pen.box(-0.5, -0.75, 0.5, 0.85, (206, 228, 242))
    pen.line(((0, -0.75), (0, 0.85)), 0.03, WHITE)
    for side in (-1, 1):
        gather = pen.rng.uniform(0.25, 0.45)
        pen.blob(((side * 0.9, -0.82), (side * 0.12, -0.82), (side * gather, 0.2),
                  (side * 0.35, 0.9), (side * 0.92, 0.9)), pen.main)  # fmt: skip
        for index in range(4):
            x = side * (0.3 + index * 0.17)
            pen.curve(((x, -0.8), (side * (0.5 + index * 0.1), 0.2), (x * 1.05, 0.86)), 0.025,
                      shade(pen.main, -0.2))  # fmt: skip
        pen.line(((side * gather, 0.18), (side * 0.9, 0.26)), 0.07, pen.accent)
    pen.line(((-0.98, -0.86), (0.98, -0.86)), 0.06, shade(WOOD, -0.3))
    for x in (-0.98, 0.98):
        pen.oval(x, -0.86, 0.07, 0.07, shade(WOOD, -0.3))


def towels(pen: Pen) -> None:
    """Draw a pile of folded linen."""
    count = pen.rng.randint(3, 5)
    step = 1.3 / count
    for index in range(count):
        y1 = 0.8 - index * step
        fill = shade((pen.main, pen.accent)[index % 2], pen.rng.uniform(0, 0.35))
        pen.box(-0.82, y1 - step * 0.96, 0.82, y1, fill, r=step * 0.45)
        for y in (y1 - step * 0.35, y1 - step * 0.6):
            pen.line(((-0.7, y), (0.8, y)), 0.02, shade(fill, -0.2))
    if pen.rng.random() < 0.4:
        pen.line(((-0.1, 0.8), (-0.1, 0.8 - 1.3)), 0.08, shade(pen.accent, -0.3))


def bed_linen(pen: Pen) -> None:
    """Draw a duvet set laid on a bed, from above."""
    pen.box(-0.9, -0.92, 0.9, 0.92, WHITE, r=0.06)
    for x in (-0.45, 0.45):
        pen.blob(((x - 0.38, -0.84), (x + 0.38, -0.84), (x + 0.36, -0.42), (x - 0.36, -0.42)),
                 shade(pen.main, 0.35))  # fmt: skip
    pen.box(-0.95, -0.3, 0.95, 0.95, pen.main, r=0.05)
    is_dotted = pen.rng.random() < 0.5
    for row in range(5):
        for column in range(8):
            x, y = -0.82 + column * 0.235, -0.1 + row * 0.23
            if is_dotted:
                pen.oval(x, y, 0.05, 0.05, pen.accent, edge=False)
            elif column % 2:
                pen.box(x - 0.08, y - 0.12, x + 0.04, y + 0.11, shade(pen.main, -0.12))
    pen.poly(((-0.95, -0.3), (0.95, -0.3), (0.95, -0.12), (-0.95, -0.02)), shade(pen.accent, 0.4))


def tablecloth(pen: Pen) -> None:
    """Draw a table under a checked cloth."""
    for x in (-0.7, 0.7):
        pen.box(x - 0.04, 0.2, x + 0.04, 0.92, shade(WOOD, -0.2))
    hem = [(0.97 - index * 0.1943, 0.6 + (0.08 if index % 2 else 0)) for index in range(11)]
    pen.poly([(-0.75, -0.4), (0.75, -0.4), (0.97, 0.1), *hem, (-0.97, 0.1)], pen.main)
    pen.poly(((-0.75, -0.4), (0.75, -0.4), (0.97, 0.1), (-0.97, 0.1)), shade(pen.main, 0.2))
    for index in range(7):
        x = -0.66 + index * 0.22
        pen.line(((x, -0.4), (x * 1.29, 0.1), (x * 1.29, 0.62)), 0.05, pen.accent, cap=False)
    for y, reach in ((-0.25, 0.81), (-0.05, 0.9), (0.3, 0.97), (0.48, 0.97)):
        pen.line(((-reach, y), (reach, y)), 0.04, pen.accent, cap=False)


MOTIFS: dict[str, Motif] = {
    "sofa": Motif(sofa, 2),
    "armchair": Motif(armchair, 3),
    "bed": Motif(bed, 2),
    "table": Motif(table, 2),
    "cupboard": Motif(cupboard, 2),
    "bookcase": Motif(bookcase, 2),
    "cushion": Motif(cushion, 15),
    "curtains": Motif(curtains, 1),
    "towels": Motif(towels, 4),
    "bed linen": Motif(bed_linen, 4),
    "tablecloth": Motif(tablecloth, 2),
}
