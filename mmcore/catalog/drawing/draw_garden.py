"""Motifs of the garden: furniture and ornaments, pools and spas."""

from mmcore.catalog.drawing.colours import INK, STEEL, WHITE, Rgb, mix, shade
from mmcore.catalog.drawing.curves import arc
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, can, leaves, wheel

WATER: Rgb = (92, 186, 220)
TEAK: Rgb = (184, 132, 84)
WICKER: Rgb = (112, 92, 78)


def parasol_table(pen: Pen) -> None:
    """Draw a garden table under its parasol, with chairs."""
    pen.line(((0, -0.8), (0, 0.75)), 0.05, STEEL)
    for side in (-1, 1):
        chair = shade(pen.accent, -0.1)
        pen.box(side * 0.72 - 0.2, 0.42, side * 0.72 + 0.2, 0.52, chair, r=0.03)
        pen.line(((side * 0.9, -0.02), (side * 0.86, 0.9)), 0.05, chair)
        pen.line(((side * 0.56, 0.5), (side * 0.54, 0.9)), 0.05, chair)
    pen.oval(0, 0.28, 0.58, 0.12, TEAK)
    pen.oval(0, 0.86, 0.3, 0.08, shade(INK, 0.2))
    edges = [(-0.95 + index * 0.38, -0.3 if index % 5 else -0.25) for index in range(6)]
    for index in range(5):
        fill = pen.main if index % 2 == 0 else shade(pen.main, 0.5)
        pen.poly(((0, -0.92), edges[index], edges[index + 1]), fill)
    pen.oval(0, -0.93, 0.04, 0.04, STEEL)


def lounger(pen: Pen) -> None:
    """Draw a sun lounger."""
    frame = pen.rng.choice((TEAK, WICKER, STEEL))
    for x in (-0.75, -0.1, 0.7):
        pen.line(((x, 0.35), (x, 0.72)), 0.07, shade(frame, -0.25))
    pen.line(((-0.95, 0.36), (0.95, 0.36)), 0.1, frame)
    pen.line(((0.1, 0.36), (0.85, -0.45)), 0.09, frame)
    pen.blob(((-0.95, 0.12), (0.0, 0.12), (0.62, -0.5), (0.82, -0.52), (0.86, -0.36), (0.15, 0.32),
              (-0.95, 0.32)), pen.main)  # fmt: skip
    for x in (-0.6, -0.25):
        pen.line(((x, 0.14), (x, 0.3)), 0.02, shade(pen.main, -0.3), cap=False)
    pen.blob(((0.52, -0.58), (0.82, -0.7), (0.92, -0.5), (0.66, -0.38)), pen.accent)


def garden_bench(pen: Pen) -> None:
    """Draw a slatted bench, often beside a plant."""
    wood = pen.rng.choice((TEAK, shade(TEAK, -0.25), pen.main))
    for x in (-0.75, 0.75):
        pen.box(x - 0.05, -0.5, x + 0.05, 0.85, shade(wood, -0.3))
    for index in range(4):
        y = -0.48 + index * 0.16
        pen.box(-0.88, y, 0.88, y + 0.11, wood, r=0.02)
    pen.poly(((-0.85, 0.22), (0.85, 0.22), (0.95, 0.42), (-0.95, 0.42)), shade(wood, 0.15))
    pen.line(((-0.9, 0.32), (0.9, 0.32)), 0.02, shade(wood, -0.3), cap=False)
    for x in (-0.85, 0.85):
        pen.box(x - 0.05, 0.42, x + 0.05, 0.9, shade(wood, -0.15))
        pen.box(x - 0.09, -0.02, x + 0.09, 0.06, wood, r=0.02)


def planter(pen: Pen) -> None:
    """Draw a planted pot or trough."""
    is_long = pen.rng.random() < 0.4
    half = 0.85 if is_long else 0.5
    for x in (-0.5, 0.0, 0.5) if is_long else (0.0,):
        leaves(pen, x, -0.1, 0.62 if is_long else 0.8, 11)
        for _ in range(4):
            dx, dy = pen.rng.uniform(-0.3, 0.3), pen.rng.uniform(-0.55, -0.1)
            pen.oval(x + dx, dy, 0.08, 0.08, pen.accent)
    pen.poly(((-half, 0.1), (half, 0.1), (half * 0.78, 0.9), (-half * 0.78, 0.9)), pen.main)
    pen.box(-half - 0.05, 0.04, half + 0.05, 0.22, shade(pen.main, -0.15), r=0.03)


def solar_light(pen: Pen) -> None:
    """Draw solar garden lights on stakes."""
    for x, y in ((-0.5, 0.08), (0.1, -0.1), (0.65, 0.12)):
        lamp = pen.at(x, y, 0.8)
        lamp.line(((0, 0.1), (0, 0.95)), 0.06, STEEL)
        lamp.oval(0, -0.2, 0.42, 0.42, (255, 240, 190), edge=False)
        lamp.poly(((-0.22, -0.4), (0.22, -0.4), (0.16, 0.12), (-0.16, 0.12)), (255, 250, 224))
        lamp.poly(((-0.36, -0.4), (0.36, -0.4), (0.18, -0.62), (-0.18, -0.62)), pen.main)
        lamp.box(-0.16, -0.68, 0.16, -0.6, (50, 60, 110))
        leaves(lamp, 0, 0.98, 0.3, 6)


def hammock(pen: Pen) -> None:
    """Draw a striped hammock on its frame."""
    pen.line(((-0.95, -0.55), (-0.55, 0.75), (0.55, 0.75), (0.95, -0.55)), 0.07, TEAK)
    ends = ((-0.93, -0.5), (0.93, -0.5))
    for side, (x, y) in zip((-1, 1), ends, strict=True):
        for dy in (-0.12, 0, 0.12):
            pen.line(((x, y), (side * 0.6, -0.12 + dy)), 0.012, INK)
    for index in range(5):
        y = -0.22 + index * 0.06
        lower = [(0.62, y + 0.06), (0.3, y + 0.38), (-0.3, y + 0.38), (-0.62, y + 0.06)]
        fill = (pen.main, pen.accent)[index % 2]
        pen.blob([(-0.62, y), (-0.3, y + 0.28), (0.3, y + 0.28), (0.62, y), *lower], fill)


def gazebo(pen: Pen) -> None:
    """Draw a garden tent or pergola."""
    for x in (-0.85, -0.45, 0.45, 0.85):
        pen.line(((x, -0.2), (x, 0.9)), 0.06, shade(STEEL, -0.2))
    for side in (-1, 1):
        pen.poly(((side * 0.88, -0.2), (side * 0.62, -0.2), (side * 0.8, 0.35),
                  (side * 0.86, 0.85)), shade(pen.main, 0.5))  # fmt: skip
    pen.poly(((-0.97, -0.25), (0, -0.9), (0.97, -0.25)), pen.main)
    pen.poly(((-0.2, -0.25), (0, -0.9), (0.4, -0.25)), shade(pen.main, 0.15), edge=False)
    for index in range(10):
        x = -0.97 + index * 0.194
        pen.poly(arc(x + 0.097, -0.25, 0.097, 0.12, 0, 180), shade(pen.main, -0.15))


def round_pool(pen: Pen) -> None:
    """Draw an above-ground pool with its ladder."""
    can(pen, Rect(-0.95, -0.1, 0.95, 0.55), pen.main, flat=0.3, top=WATER)
    pen.line(arc(0, -0.1, 0.95, 0.285, 0, 360), 0.06, shade(pen.main, 0.5))
    for x in (-0.5, 0.1, 0.45):
        y = pen.rng.uniform(-0.2, 0.02)
        pen.curve(((x - 0.2, y), (x - 0.07, y - 0.03), (x + 0.07, y), (x + 0.2, y - 0.03)), 0.02,
                  WHITE)  # fmt: skip
    for x in (-0.75, -0.25, 0.25, 0.75):
        drop = 0.28 * (1 - x * x) ** 0.5
        pen.line(((x, -0.1 + drop), (x, 0.52 + drop)), 0.05, STEEL)
    for x in (0.42, 0.62):
        pen.line(((x, 0.88), (x, -0.5), (x + 0.1, -0.5), (x + 0.1, 0.0)), 0.045, WHITE)
    for index in range(4):
        y = 0.75 - index * 0.25
        pen.line(((0.42, y), (0.62, y)), 0.045, WHITE)


def garden_pool(pen: Pen) -> None:
    """Draw a sunken pool seen at an angle, with its stone rim."""
    pen.poly(((-0.6, -0.6), (0.75, -0.6), (1, 0.65), (-0.98, 0.65)), (224, 214, 196))
    pen.poly(((-0.5, -0.5), (0.65, -0.5), (0.86, 0.52), (-0.82, 0.52)), shade(WATER, -0.15))
    pen.poly(((-0.5, -0.38), (0.66, -0.38), (0.86, 0.52), (-0.82, 0.52)), WATER)
    for _ in range(7):
        x, y = pen.rng.uniform(-0.5, 0.4), pen.rng.uniform(-0.3, 0.42)
        pen.curve(((x, y), (x + 0.1, y - 0.03), (x + 0.2, y), (x + 0.3, y - 0.03)), 0.022,
                  shade(WATER, 0.5))  # fmt: skip
    for x in (0.42, 0.58):
        pen.line(((x, -0.3), (x, -0.75), (x + 0.05, -0.78), (x + 0.05, -0.55)), 0.035, STEEL)
    ring = pen.at(pen.rng.uniform(-0.4, 0.3), 0.15, 0.2)
    ring.line(arc(0, 0, 0.8, 0.5, 0, 360), 0.4, pen.main)
    ring.line(arc(0, 0, 0.8, 0.5, 20, 70), 0.4, WHITE, cap=False)


def spa(pen: Pen) -> None:
    """Draw an inflatable spa with bubbles."""
    can(pen, Rect(-0.85, -0.15, 0.85, 0.55), pen.main, flat=0.36, top=shade(pen.main, 0.35))
    pen.oval(0, -0.15, 0.6, 0.2, WATER)
    for _ in range(22):
        x, y = pen.rng.uniform(-0.45, 0.45), pen.rng.uniform(-0.27, -0.03)
        r = pen.rng.uniform(0.02, 0.05)
        pen.oval(x, y, r, r, WHITE, edge=False)
    for index in range(9):
        x = -0.75 + index * 0.1875
        drop = 0.3 * (1 - (x / 0.86) ** 2) ** 0.5
        pen.line(((x, -0.1 + drop), (x, 0.5 + drop)), 0.03, shade(pen.main, -0.25), cap=False)
    for x in (-0.3, 0.2):
        pen.curve(((x, -0.35), (x + 0.1, -0.5), (x - 0.05, -0.65), (x + 0.05, -0.85)), 0.05,
                  (228, 234, 238))  # fmt: skip


def pool_robot(pen: Pen) -> None:
    """Draw a pool-cleaning robot."""
    pen.curve(((0.1, -0.4), (0.3, -0.85), (0.7, -0.75), (0.95, -0.95)), 0.05, (70, 130, 200))
    pen.blob(((-0.8, 0.3), (-0.7, -0.25), (-0.2, -0.5), (0.3, -0.5), (0.75, -0.25), (0.85, 0.3)),
             pen.main)  # fmt: skip
    pen.blob(((-0.4, -0.1), (0, -0.32), (0.4, -0.1), (0.3, 0.12), (-0.3, 0.12)), (60, 70, 90))
    pen.line(((-0.3, -0.45), (0, -0.62), (0.3, -0.45)), 0.08, shade(pen.main, -0.4))
    pen.box(-0.95, 0.25, 0.95, 0.5, INK, r=0.12)
    for index in range(9):
        x = -0.8 + index * 0.2
        pen.box(x - 0.07, 0.22, x + 0.07, 0.54, pen.accent, r=0.03)
    for x in (-0.6, 0.6):
        wheel(pen, x, 0.5, 0.24, hub=pen.main)


def pool_pump(pen: Pen) -> None:
    """Draw a filter pump with its hoses."""
    for y, x in ((0.1, 0.9), (0.55, 0.95)):
        pen.curve(((0.3, y), (0.6, y - 0.05), (x, y + 0.2)), 0.12, (90, 150, 200))
    pen.box(-0.85, 0.72, 0.4, 0.86, INK, r=0.04)
    can(pen, Rect(-0.4, -0.35, 0.35, 0.72), pen.main, flat=0.3)
    pen.box(-0.85, 0.2, -0.4, 0.65, shade(INK, 0.25), r=0.1)
    for x in (-0.77, -0.66, -0.55):
        pen.line(((x, 0.26), (x, 0.58)), 0.03, INK)
    pen.oval(-0.02, -0.36, 0.44, 0.13, shade(pen.main, -0.4))
    pen.box(-0.12, -0.62, 0.08, -0.4, INK, r=0.03)
    pen.oval(-0.02, -0.72, 0.16, 0.16, WHITE)
    pen.line(((-0.02, -0.72), (0.06, -0.82)), 0.03, (200, 40, 40))


def float_toy(pen: Pen) -> None:
    """Draw a swimming ring, sometimes with an animal's head."""
    pen.oval(0, 0.3, 0.9, 0.5, pen.main)
    for index in range(6):
        ends = arc(0, 0.3, 0.9, 0.5, index * 60, index * 60 + 28)
        inner = arc(0, 0.26, 0.45, 0.2, index * 60 + 28, index * 60)
        pen.poly([*ends, *inner], shade(pen.accent, 0.3))
    pen.oval(0, 0.26, 0.45, 0.2, mix(WATER, WHITE, 0.4))
    if pen.rng.random() < 0.6:
        pen.blob(((-0.62, 0.2), (-0.7, -0.4), (-0.5, -0.8), (-0.2, -0.75), (-0.2, -0.5),
                  (-0.4, -0.3), (-0.35, 0.2)), pen.main)  # fmt: skip
        pen.poly(((-0.22, -0.72), (0.08, -0.6), (-0.22, -0.52)), (244, 160, 50))
        pen.oval(-0.38, -0.64, 0.05, 0.05, INK)


MOTIFS: dict[str, Motif] = {
    "parasol table": Motif(parasol_table, 2),
    "lounger": Motif(lounger, 2),
    "garden bench": Motif(garden_bench, 2),
    "planter": Motif(planter, 2),
    "solar light": Motif(solar_light, 2),
    "hammock": Motif(hammock, 2),
    "gazebo": Motif(gazebo, 1),
    "round pool": Motif(round_pool, 1),
    "garden pool": Motif(garden_pool, 1),
    "spa": Motif(spa, 1),
    "pool robot": Motif(pool_robot, 4),
    "pool pump": Motif(pool_pump, 3),
    "float toy": Motif(float_toy, 5),
}
