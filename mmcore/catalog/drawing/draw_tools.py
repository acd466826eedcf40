"""Motifs of garden and workshop tools."""

from mmcore.catalog.drawing.colours import INK, STEEL, WOOD, Rgb, readable_on, shade
from mmcore.catalog.drawing.curves import arc, regular
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import LEAF_GREEN, Motif, Rect, screw, slab, wheel

TEAK: Rgb = (184, 132, 84)


def mower(pen: Pen) -> None:
    """Draw a lawn mower."""
    pen.line(((-0.35, 0.2), (-0.85, -0.85)), 0.07, INK)
    pen.line(((-0.95, -0.8), (-0.62, -0.9)), 0.08, pen.accent)
    pen.blob(((-0.75, 0.4), (-0.5, -0.2), (-0.25, -0.05), (-0.2, 0.45)), shade(INK, 0.25))
    pen.blob(((-0.4, 0.5), (-0.32, 0.1), (0.2, -0.02), (0.75, 0.08), (0.92, 0.5)), pen.main)
    pen.box(-0.05, -0.3, 0.5, 0.06, INK, r=0.08)
    pen.box(0.05, -0.38, 0.4, -0.26, pen.accent, r=0.05)
    for x, r in ((-0.3, 0.26), (0.72, 0.2)):
        wheel(pen, x, 0.78 - r, r, hub=pen.accent)
    for index in range(12):
        x = -0.95 + index * 0.17
        pen.poly(((x, 0.85), (x + 0.05, 0.68), (x + 0.1, 0.85)), LEAF_GREEN, edge=False)


def drill(pen: Pen) -> None:
    """Draw a cordless drill or screwdriver."""
    pen.poly(((0.55, -0.4), (0.98, -0.36), (0.98, -0.32), (0.55, -0.28)), STEEL)
    pen.poly(((0.4, -0.52), (0.62, -0.44), (0.62, -0.24), (0.4, -0.16)), shade(INK, 0.2))
    pen.box(-0.7, -0.62, 0.42, -0.06, pen.main, r=0.14)
    pen.box(0.12, -0.62, 0.26, -0.06, INK)
    for x in (-0.58, -0.5, -0.42):
        pen.line(((x, -0.45), (x, -0.22)), 0.03, INK)
    pen.poly(((-0.5, -0.08), (-0.1, -0.08), (-0.22, 0.55), (-0.6, 0.55)), shade(pen.main, -0.2))
    pen.box(-0.14, -0.06, -0.04, 0.14, INK, r=0.03)
    pen.box(-0.8, 0.52, 0.0, 0.85, INK, r=0.06)
    pen.words(pen.look.brand, -0.22, -0.34, 0.16, readable_on(pen.main), fit=0.55)


def secateurs(pen: Pen) -> None:
    """Draw secateurs or shears."""
    for side, fill in ((-1, pen.main), (1, shade(pen.main, -0.2))):
        pen.curve(((side * 0.02, -0.1), (side * 0.3, 0.25), (side * 0.34, 0.9)), 0.17, fill)
    pen.blob(((-0.05, 0.0), (-0.2, -0.5), (0.1, -0.95), (0.2, -0.5), (0.1, 0.0)), STEEL)
    pen.blob(((0.02, 0.0), (-0.34, -0.3), (-0.3, -0.75), (-0.16, -0.4), (0.12, -0.12)),
             shade(STEEL, -0.25))  # fmt: skip
    screw(pen, 0.0, -0.08, 0.09)


def hand_tools(pen: Pen) -> None:
    """Draw a spade, a rake and a fork side by side."""
    for x, kind in ((-0.55, "spade"), (0.0, "rake"), (0.55, "fork")):
        pen.line(((x, -0.9), (x, 0.4)), 0.06, TEAK)
        pen.box(x - 0.12, -0.95, x + 0.12, -0.87, pen.main, r=0.03)
        if kind == "spade":
            pen.blob(((x - 0.18, 0.3), (x + 0.18, 0.3), (x + 0.18, 0.65), (x, 0.95),
                      (x - 0.18, 0.65)), STEEL)  # fmt: skip
            continue
        pen.box(x - 0.22, 0.38, x + 0.22, 0.46, STEEL)
        length = 0.65 if kind == "rake" else 0.9
        for tine in (-0.18, -0.06, 0.06, 0.18):
            pen.line(((x + tine, 0.44), (x + tine, length)), 0.035, STEEL)


def hose_reel(pen: Pen) -> None:
    """Draw a garden hose on its reel."""
    for x in (-0.5, 0.5):
        pen.line(((x * 0.4, -0.75), (x * 1.3, 0.85)), 0.07, INK)
    pen.line(((-0.3, -0.8), (0.3, -0.8)), 0.07, INK)
    for r in (0.6, 0.52, 0.44, 0.36):
        pen.line(arc(0, 0.1, r, r, 0, 360), 0.07, shade(pen.main, (r - 0.45) * 1.5))
    pen.oval(0, 0.1, 0.2, 0.2, pen.accent)
    pen.curve(((0.55, 0.35), (0.7, 0.75), (0.95, 0.8)), 0.07, pen.main)
    pen.poly(((0.88, 0.7), (1, 0.66), (1, 0.92), (0.88, 0.88)), (240, 150, 40))


def chainsaw(pen: Pen) -> None:
    """Draw a chainsaw."""
    pen.blob(((0.1, 0.0), (0.85, -0.02), (0.97, 0.12), (0.85, 0.26), (0.1, 0.28)), STEEL)
    for index in range(9):
        x = 0.15 + index * 0.09
        for y in (-0.04, 0.3):
            pen.box(x - 0.025, y - 0.03, x + 0.025, y + 0.03, INK)
    pen.line(arc(-0.15, -0.2, 0.3, 0.32, 190, 350), 0.08, INK)
    pen.blob(((-0.6, 0.4), (-0.55, -0.15), (-0.1, -0.3), (0.22, -0.1), (0.25, 0.42)), pen.main)
    pen.line(((-0.55, -0.05), (-0.92, 0.02), (-0.9, 0.35), (-0.55, 0.38)), 0.09, INK)
    pen.words(pen.look.brand, -0.18, 0.12, 0.15, readable_on(pen.main), fit=0.5)


def toolbox(pen: Pen) -> None:
    """Draw a toolbox with a hammer and a spanner."""
    for x, turn, fill in ((-0.3, -18, STEEL), (0.3, 14, WOOD)):
        tool = pen.at(x, -0.35, 0.6, turn)
        tool.line(((0, -0.6), (0, 0.7)), 0.13, fill)
        tool.box(-0.34, -0.85, 0.3, -0.55, shade(STEEL, -0.2), r=0.06)
    slab(pen, Rect(-0.85, -0.05, 0.7, 0.75), pen.main, 0.15, 0.1)
    pen.box(-0.85, 0.18, 0.7, 0.26, shade(pen.main, -0.4))
    for x in (-0.5, 0.35):
        pen.box(x - 0.08, 0.12, x + 0.08, 0.36, STEEL, r=0.02)
    for x, y in regular(-0.08, 0.52, 0.09, 2, 0):
        screw(pen, x, y, 0.05)


MOTIFS: dict[str, Motif] = {
    "mower": Motif(mower, 2),
    "drill": Motif(drill, 25),
    "secateurs": Motif(secateurs, 40),
    "hand tools": Motif(hand_tools, 12),
    "hose reel": Motif(hose_reel, 3),
    "chainsaw": Motif(chainsaw, 15),
    "toolbox": Motif(toolbox, 3),
}
