"""Shapes that many motifs share: solids, wheels, faces, plants, cover art and lettering."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from mmcore.catalog.drawing.colours import (
    HAIR_TONES,
    INK,
    STEEL,
    WHITE,
    Rgb,
    mix,
    readable_on,
    shade,
)
from mmcore.catalog.drawing.curves import arc, star
from mmcore.catalog.drawing.pen import Pen

LEAF_GREEN: Rgb = (74, 140, 78)


@dataclass(frozen=True)
class Motif:
    """One way to draw a product; `turn_deg` is how far it may lie askew (0 stands upright)."""

    draw: Callable[[Pen], None]
    turn_deg: float = 5.0


@dataclass(frozen=True)
class Rect:
    """A rectangle in product coordinates."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def cx(self) -> float:
        """Return the horizontal middle."""
        return (self.x0 + self.x1) / 2

    @property
    def width(self) -> float:
        """Return the width."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Return the height."""
        return self.y1 - self.y0


def slab(pen: Pen, rect: Rect, fill: Rgb, dx: float = 0.16, dy: float = 0.1) -> None:
    """Draw a box seen from slightly above and to the right: front, top and side."""
    x0, y0, x1, y1 = rect.x0, rect.y0, rect.x1, rect.y1
    pen.poly(((x0, y0), (x0 + dx, y0 - dy), (x1 + dx, y0 - dy), (x1, y0)), shade(fill, 0.25))
    pen.poly(((x1, y0), (x1 + dx, y0 - dy), (x1 + dx, y1 - dy), (x1, y1)), shade(fill, -0.25))
    pen.box(x0, y0, x1, y1, fill)


def can(pen: Pen, rect: Rect, fill: Rgb, flat: float = 0.22, top: Rgb | None = None) -> None:
    """Draw an upright cylinder; `flat` is the height of its ends over their width."""
    rx = rect.width / 2
    ry = rx * flat
    side = arc(rect.cx, rect.y1, rx, ry, 0, 180)
    pen.poly([(rect.x1, rect.y0), *side, (rect.x0, rect.y0)], fill)
    light = [(rect.x0 + rx * f, y) for f, y in ((0.25, rect.y0), (0.6, rect.y0))]
    low = [(rect.x0 + rx * f, rect.y1 + ry * 0.6) for f in (0.6, 0.25)]
    pen.poly([*light, *low], shade(fill, 0.22), edge=False)
    pen.oval(rect.cx, rect.y0, rx, ry, top or shade(fill, 0.3))


def wheel(pen: Pen, cx: float, cy: float, r: float, hub: Rgb = STEEL) -> None:
    """Draw a tyre with its hub."""
    pen.oval(cx, cy, r, r, INK)
    pen.oval(cx, cy, r * 0.58, r * 0.58, hub)
    pen.oval(cx, cy, r * 0.18, r * 0.18, shade(hub, -0.5))


def face(pen: Pen, cx: float, cy: float, r: float, skin: Rgb, long_hair: bool = False) -> None:
    """Draw a simple head with hair, eyes and a smile."""
    hair = pen.rng.choice(HAIR_TONES)
    if long_hair:
        pen.blob(((cx - r, cy - r), (cx + r, cy - r), (cx + r * 1.2, cy + r * 1.2),
                  (cx - r * 1.2, cy + r * 1.2)), hair)  # fmt: skip
    pen.oval(cx, cy, r, r, skin)
    pen.poly([*arc(cx, cy, r * 1.04, r * 1.06, 180, 360), (cx, cy - r * 0.5)], hair)
    for side in (-1, 1):
        pen.oval(cx + side * r * 0.38, cy + r * 0.05, r * 0.12, r * 0.15, INK, edge=False)
        cheek = mix(skin, (236, 110, 110), 0.4)
        pen.oval(cx + side * r * 0.55, cy + r * 0.35, r * 0.16, r * 0.1, cheek, edge=False)
    pen.curve(arc(cx, cy + r * 0.25, r * 0.32, r * 0.26, 20, 160), r * 0.09, (150, 50, 50))


def leaves(pen: Pen, cx: float, cy: float, r: float, count: int = 9) -> None:
    """Draw a bush of pointed leaves around a point."""
    for index in range(count):
        turn = 360 * index / count + pen.rng.uniform(-15, 15)
        green = shade(LEAF_GREEN, pen.rng.uniform(-0.25, 0.3))
        leaf = pen.at(cx, cy, r * pen.rng.uniform(0.8, 1.1), turn)
        leaf.blob(((0, 0), (0.2, -0.5), (0, -1), (-0.2, -0.5)), green)


def screw(pen: Pen, cx: float, cy: float, r: float = 0.04) -> None:
    """Draw a small round fitting: button, screw, knob."""
    pen.oval(cx, cy, r, r, shade(STEEL, -0.2))


def text_lines(pen: Pen, rect: Rect, count: int, fill: Rgb = (120, 116, 110)) -> None:
    """Draw unreadable lines of print, the last one short."""
    step = rect.height / max(1, count)
    for index in range(count):
        y = rect.y0 + step * (index + 0.5)
        end = rect.x1 if index < count - 1 else rect.x0 + rect.width * 0.6
        end -= rect.width * pen.rng.uniform(0, 0.08)
        pen.line(((rect.x0, y), (end, y)), step * 0.3, fill, cap=False)


def headline(pen: Pen, rect: Rect, fill: Rgb, lines: int = 3) -> None:
    """Write the product's name, centred, one line under the other."""
    words = pen.look.words[:lines]
    step = rect.height / max(2, len(words))
    for index, line in enumerate(words):
        y = rect.y0 + step * (index + 0.5)
        pen.words(line.upper(), rect.cx, y, step * 0.72, fill, fit=rect.width * 0.92)


def label(pen: Pen, rect: Rect, text: str, fill: Rgb = WHITE) -> None:
    """Draw a small plate with one line of text."""
    pen.box(rect.x0, rect.y0, rect.x1, rect.y1, fill, r=rect.height * 0.15)
    middle = (rect.y0 + rect.y1) / 2
    pen.words(text, rect.cx, middle, rect.height * 0.6, readable_on(fill), fit=rect.width * 0.9)


def gleam(pen: Pen, rect: Rect, fill: Rgb) -> None:
    """Draw a slanted reflection across a glossy front."""
    left = rect.x0 + rect.width * pen.rng.uniform(0.1, 0.5)
    right = min(rect.x1, left + rect.width * 0.18)
    lean = min(rect.width * 0.25, left - rect.x0)
    points = ((left, rect.y0), (right, rect.y0), (right - lean, rect.y1), (left - lean, rect.y1))
    pen.poly(points, shade(fill, 0.18), edge=False)


def rating(pen: Pen, cx: float, cy: float, r: float, fill: Rgb) -> None:
    """Draw three to five little stars in a row."""
    count = pen.rng.randint(3, 5)
    for index in range(count):
        pen.poly(star(cx + (index - (count - 1) / 2) * r * 2.3, cy, r), fill, edge=False)


def tones(rng: random.Random, main: Rgb) -> tuple[Rgb, Rgb, Rgb]:
    """Return sky, ground and figure colours that go with a main colour."""
    sky = mix(main, rng.choice(((250, 236, 200), (200, 226, 246), (40, 40, 70))), 0.65)
    ground = shade(main, rng.uniform(-0.5, -0.2))
    figure = rng.choice(((240, 200, 70), (230, 90, 70), (245, 240, 230), (60, 60, 80)))
    return sky, ground, figure
