"""Motifs of decoration: lamps, vases, frames, clocks, mirrors, candles."""

from mmcore.catalog.drawing.art import WALL_ARTS, print_art
from mmcore.catalog.drawing.colours import INK, WHITE, WOOD, Rgb, shade
from mmcore.catalog.drawing.curves import arc, on_circle
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, can, leaves

LAMPLIGHT: Rgb = (255, 236, 170)


def table_lamp(pen: Pen) -> None:
    """Draw a bedside lamp, lit or not."""
    if pen.rng.random() < 0.5:
        pen.poly(((-0.55, 0.1), (0.55, 0.1), (0.95, 0.9), (-0.95, 0.9)), LAMPLIGHT, edge=False)
    pen.blob(((-0.07, 0.05), (0.07, 0.05), (0.24, 0.45), (0.08, 0.8), (-0.08, 0.8),
              (-0.24, 0.45)), pen.accent)  # fmt: skip
    pen.oval(0, 0.84, 0.36, 0.09, shade(pen.accent, -0.3))
    pen.poly(((-0.34, -0.85), (0.34, -0.85), (0.62, 0.1), (-0.62, 0.1)), pen.main)
    pen.poly(((-0.1, -0.85), (0.14, -0.85), (0.24, 0.1), (-0.18, 0.1)), shade(pen.main, 0.3),
             edge=False)  # fmt: skip
    pen.oval(0, 0.1, 0.62, 0.08, LAMPLIGHT)


def pendant_lamp(pen: Pen) -> None:
    """Draw one or three hanging lamps."""
    places = ((0, 0.15, 0.9),) if pen.rng.random() < 0.5 else (
        (-0.62, 0.1, 0.42), (0, 0.42, 0.42), (0.62, -0.05, 0.42))  # fmt: skip
    pen.box(-0.3, -0.98, 0.3, -0.9, INK, r=0.03)
    for x, y, size in places:
        pen.line(((x, -0.92), (x, y - 0.5 * size)), 0.02, INK)
        lamp = pen.at(x, y, size)
        lamp.oval(0, 0.5, 0.3, 0.26, LAMPLIGHT)
        lamp.poly([*arc(0, 0.45, 0.8, 0.85, 180, 360)], pen.main)
        lamp.poly([*arc(0, 0.45, 0.8, 0.1, 180, 360)], shade(pen.main, 0.4))
        lamp.box(-0.12, -0.58, 0.12, -0.38, pen.accent, r=0.03)


def vase(pen: Pen) -> None:
    """Draw a vase, with flowers or dried stems."""
    for turn in (-24, -8, 10, 26):
        stem = pen.at(0, -0.05, 0.85, turn + pen.rng.uniform(-5, 5))
        stem.curve(((0, 0.1), (0.03, -0.4), (0, -0.75)), 0.03, (96, 136, 82))
        for index in range(6):
            angle = index * 60
            x, y = on_circle(0, -0.85, 0.11, angle)
            stem.oval(x, y, 0.09, 0.09, pen.accent)
        stem.oval(0, -0.85, 0.07, 0.07, (246, 214, 90))
    pen.blob(((-0.2, -0.12), (0.2, -0.12), (0.16, 0.1), (0.42, 0.5), (0.26, 0.92), (-0.26, 0.92),
              (-0.42, 0.5), (-0.16, 0.1)), pen.main)  # fmt: skip
    pen.curve(((-0.3, 0.45), (0, 0.55), (0.3, 0.45)), 0.05, shade(pen.main, 0.4))


def picture_frame(pen: Pen) -> None:
    """Draw a framed picture."""
    frame = pen.rng.choice((INK, WOOD, WHITE, (206, 168, 84)))
    half = pen.rng.choice((0.7, 0.92))
    pen.box(-half, -0.8, half, 0.8, frame)
    pen.box(-half + 0.09, -0.71, half - 0.09, 0.71, WHITE)
    print_art(pen, Rect(-half + 0.2, -0.58, half - 0.2, 0.58), WALL_ARTS)


def wall_clock(pen: Pen) -> None:
    """Draw a wall clock."""
    pen.oval(0, 0, 0.88, 0.88, pen.main)
    pen.oval(0, 0, 0.74, 0.74, WHITE)
    for hour in range(12):
        x, y = on_circle(0, 0, 0.6, hour * 30)
        if hour % 3:
            pen.oval(x, y, 0.03, 0.03, INK, edge=False)
        else:
            pen.words(("3", "6", "9", "12")[hour // 3], x, y, 0.2, INK)
    for length, width in ((0.34, 0.06), (0.52, 0.04)):
        angle = pen.rng.uniform(0, 360)
        x, y = on_circle(0, 0, length, angle)
        pen.line(((0, 0), (x, y)), width, INK)
    pen.oval(0, 0, 0.06, 0.06, pen.accent)


def mirror(pen: Pen) -> None:
    """Draw a round or arched mirror."""
    glass: Rgb = (204, 222, 232)
    if pen.rng.random() < 0.5:
        pen.oval(0, 0, 0.85, 0.85, pen.main)
        pen.oval(0, 0, 0.72, 0.72, glass)
    else:
        for grow, fill in ((0.1, pen.main), (0.0, glass)):
            top = arc(0, -0.35, 0.5 + grow, 0.5 + grow, 180, 360)
            pen.poly([*top, (0.5 + grow, 0.82 + grow), (-0.5 - grow, 0.82 + grow)], fill)
    for x in (-0.28, -0.08):
        pen.line(((x, 0.35), (x + 0.45, -0.35)), 0.06, shade(glass, 0.5))


def candle(pen: Pen) -> None:
    """Draw scented candles and a small plant."""
    for x, top, half in ((-0.4, 0.0, 0.28), (0.35, 0.25, 0.34)):
        pen.oval(x, top - 0.28, 0.07, 0.15, (250, 196, 70))
        pen.line(((x, top - 0.16), (x, top)), 0.03, INK)
        can(pen, Rect(x - half, top, x + half, 0.8), pen.main, flat=0.25, top=(250, 242, 220))
        pen.box(x - half * 0.6, top + 0.25, x + half * 0.6, top + 0.45, WHITE)
    leaves(pen, 0.82, 0.72, 0.3, 6)


MOTIFS: dict[str, Motif] = {
    "table lamp": Motif(table_lamp, 3),
    "pendant lamp": Motif(pendant_lamp, 1),
    "vase": Motif(vase, 3),
    "picture frame": Motif(picture_frame, 3),
    "wall clock": Motif(wall_clock, 5),
    "mirror": Motif(mirror, 2),
    "candle": Motif(candle, 3),
}
