"""Curves for the drawn catalogue, as lists of points. Pure geometry."""

import math
from collections.abc import Sequence

Point = tuple[float, float]
ARC_STEP_DEG = 12.0


def on_circle(cx: float, cy: float, r: float, angle_deg: float) -> Point:
    """Return the point of a circle at an angle; 0 degrees is to the right, 90 downwards."""
    angle = math.radians(angle_deg)
    return cx + r * math.cos(angle), cy + r * math.sin(angle)


def ellipse(cx: float, cy: float, rx: float, ry: float, corners: int) -> list[Point]:
    """Return an ellipse as a polygon of that many corners."""
    unit = (on_circle(0, 0, 1, 360 * corner / corners) for corner in range(corners))
    return [(cx + rx * x, cy + ry * y) for x, y in unit]


def arc(
    cx: float, cy: float, rx: float, ry: float, start_deg: float, end_deg: float
) -> list[Point]:
    """Return points along an ellipse from one angle to another, both ends included."""
    steps = max(4, math.ceil(abs(end_deg - start_deg) / ARC_STEP_DEG))
    span = end_deg - start_deg
    unit = (on_circle(0, 0, 1, start_deg + span * step / steps) for step in range(steps + 1))
    return [(cx + rx * x, cy + ry * y) for x, y in unit]


def rounded(x0: float, y0: float, x1: float, y1: float, r: float) -> list[Point]:
    """Return the outline of a rectangle with corners of radius `r`."""
    r = min(r, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    corners = (
        (x1 - r, y0 + r, -90),
        (x1 - r, y1 - r, 0),
        (x0 + r, y1 - r, 90),
        (x0 + r, y0 + r, 180),
    )
    return [point for cx, cy, start in corners for point in arc(cx, cy, r, r, start, start + 90)]


def regular(cx: float, cy: float, r: float, corners: int, turn_deg: float = -90) -> list[Point]:
    """Return a regular polygon, first corner upwards by default."""
    return [on_circle(cx, cy, r, turn_deg + 360 * i / corners) for i in range(corners)]


def star(cx: float, cy: float, r: float, points: int = 5, waist: float = 0.45) -> list[Point]:
    """Return a star whose inner corners lie at `waist` of its radius."""
    outer, inner = (
        regular(cx, cy, r, points),
        regular(cx, cy, r * waist, points, -90 + 180 / points),
    )
    return [corner for pair in zip(outer, inner, strict=True) for corner in pair]


def smooth(points: Sequence[Point], closed: bool, steps: int = 6) -> list[Point]:
    """Return a Catmull-Rom curve through the points."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        around = [index + offset for offset in (-1, 0, 1, 2)]
        ends = [points[i % count] if closed else points[min(max(i, 0), count - 1)] for i in around]
        curve += [_catmull_rom(*ends, step / steps) for step in range(steps)]
    return curve if closed else [*curve, points[-1]]


def _catmull_rom(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    """Return the point at t (0 to 1) between p1 and p2."""
    weights = (
        -t + 2 * t * t - t**3,
        2 - 5 * t * t + 3 * t**3,
        t + 4 * t * t - 3 * t**3,
        t**3 - t * t,
    )
    x, y = (sum(w * p[i] for w, p in zip(weights, (p0, p1, p2, p3), strict=True)) for i in (0, 1))
    return x / 2, y / 2
