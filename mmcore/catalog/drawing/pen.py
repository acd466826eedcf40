"""The pen of the drawn catalogue: shapes in product coordinates, turned and scaled onto a canvas.

A motif draws in a square from -1 to 1 (x to the right, y downwards). The frame carries scale,
angle, lean and mirroring, so nothing has to be rotated as pixels. The canvas is OVERSAMPLE times
too large and reduced at the end, which smooths every edge. Next: pictures.py.
"""

import functools
import math
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageFont

from mmcore.catalog.drawing.colours import Rgb, shade
from mmcore.catalog.drawing.curves import Point, ellipse, rounded, smooth

SIDE_PX = 320
OVERSAMPLE = 2
CANVAS_PX = SIDE_PX * OVERSAMPLE
EDGE_PX = 3  # canvas pixels; 1.5 in the picture
SMALLEST_LETTER_PX = 7  # canvas pixels; below, letters are grey dust after the reduction


@dataclass(frozen=True)
class Frame:
    """Where product coordinates land: `(xx * x + xy * y + ox, yx * x + yy * y + oy)` pixels."""

    xx: float
    xy: float
    yx: float
    yy: float
    ox: float
    oy: float

    @classmethod
    def placed(cls, centre: Point, half_px: float) -> "Frame":
        """Return the upright frame centred at canvas pixels `centre`."""
        return cls(half_px, 0.0, 0.0, half_px, *centre)

    def point(self, x: float, y: float) -> Point:
        """Return the canvas pixel of a product coordinate."""
        return self.xx * x + self.xy * y + self.ox, self.yx * x + self.yy * y + self.oy

    def inside(self, x: float, y: float, wide: float, high: float, turn_deg: float = 0) -> "Frame":
        """Return the frame of a part centred at (x, y), stretched, then turned clockwise."""
        cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
        return Frame(
            wide * (self.xx * cos + self.xy * sin),
            high * (self.xy * cos - self.xx * sin),
            wide * (self.yx * cos + self.yy * sin),
            high * (self.yy * cos - self.yx * sin),
            *self.point(x, y),
        )

    def leaning(self, by: float) -> "Frame":
        """Return the frame with its top pushed sideways."""
        return replace(self, xy=self.xy + by * self.xx, yy=self.yy + by * self.yx)

    @property
    def scale(self) -> float:
        """Return canvas pixels per product unit."""
        return math.sqrt(abs(self.xx * self.yy - self.xy * self.yx))


@dataclass(frozen=True)
class Look:
    """What one product looks like whatever its motif: colours, outline strength, words on it."""

    main: Rgb
    accent: Rgb
    edge: float  # 0: no outlines, 0.8: nearly black ones
    words: tuple[str, ...]  # its name in short lines, for covers and boxes
    brand: str


class Pen:
    """Draws the parts of one product; `rng` is that product's own stream."""

    def __init__(self, image: Image.Image, frame: Frame, look: Look, rng: random.Random):
        self.image, self.frame, self.look, self.rng = image, frame, look, rng
        self._draw = ImageDraw.Draw(image)
        self._is_panel = False

    @property
    def main(self) -> Rgb:
        """Return the product's main colour."""
        return self.look.main

    @property
    def accent(self) -> Rgb:
        """Return the colour of its trimmings."""
        return self.look.accent

    def at(self, x: float, y: float, size: float = 1.0, turn_deg: float = 0.0) -> "Pen":
        """Return a pen for a part centred at (x, y), `size` times as large."""
        return self._with(frame=self.frame.inside(x, y, size, size, turn_deg))

    def panel(self, x0: float, y0: float, x1: float, y1: float) -> "Pen":
        """Return a pen whose -1..1 square is the rectangle, and that can't draw outside it."""
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        pen = self._with(frame=self.frame.inside(*middle, (x1 - x0) / 2, (y1 - y0) / 2))
        pen._is_panel = True
        return pen

    def mirrored(self) -> "Pen":
        """Return a pen that swaps left and right; words still read forwards."""
        return self._with(frame=self.frame.inside(0, 0, -1, 1))

    def tinted(self, main: Rgb | None = None, accent: Rgb | None = None) -> "Pen":
        """Return a pen with other colours."""
        look = replace(self.look, main=main or self.main, accent=accent or self.accent)
        return self._with(look=look)

    def poly(self, points: Sequence[Point], fill: Rgb, edge: bool = True) -> None:
        """Fill a polygon; `edge` also traces it in a darker tone."""
        pixels = self._pixels(points)
        self._draw.polygon(pixels, fill=fill)
        if edge and self.look.edge > 0:
            pixels.append(pixels[0])
            self._draw.line(pixels, fill=shade(fill, -self.look.edge), width=EDGE_PX)

    def blob(self, points: Sequence[Point], fill: Rgb, edge: bool = True) -> None:
        """Fill a closed smooth shape through the points."""
        self.poly(smooth(points, closed=True), fill, edge)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Rgb, r: float = 0.0) -> None:
        """Fill a rectangle with corners of radius `r`."""
        corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        self.poly(rounded(x0, y0, x1, y1, r) if r > 0 else corners, fill)

    def oval(
        self, cx: float, cy: float, rx: float, ry: float, fill: Rgb, edge: bool = True
    ) -> None:
        """Fill an ellipse."""
        radius_px = max(rx, ry) * self.frame.scale
        corners = 10 if radius_px < 12 else 20 if radius_px < 60 else 40
        self.poly(ellipse(cx, cy, rx, ry, corners), fill, edge)

    def line(self, points: Sequence[Point], width: float, fill: Rgb, cap: bool = True) -> None:
        """Stroke an open line, `width` in product units, with round ends if `cap`."""
        pixels = self._pixels(points)
        width_px = max(2, round(width * self.frame.scale))
        joint = "curve" if width_px > 4 and len(pixels) > 2 else None
        self._draw.line(pixels, fill=fill, width=width_px, joint=joint)
        if cap and width_px > 4:
            r = width_px / 2
            for x, y in (pixels[0], pixels[-1]):
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def curve(self, points: Sequence[Point], width: float, fill: Rgb) -> None:
        """Stroke a smooth line through the points."""
        self.line(smooth(points, closed=False), width, fill)

    def words(
        self, text: str, cx: float, cy: float, height: float, fill: Rgb, fit: float = 1.9
    ) -> None:
        """Write one centred line, smaller where it would be wider than `fit` units."""
        text = plain_letters(text)
        size_px = height * self.frame.scale
        width_px = _font(max(8, int(size_px))).getlength(text)
        size_px *= min(1.0, fit * self.frame.scale / max(width_px, 1.0))
        if size_px >= SMALLEST_LETTER_PX:
            frame = self.frame.inside(cx, cy, 1, 1)
            _paste_turned(self.image, letters(text, int(size_px)), frame, fill)

    def _with(self, frame: Frame | None = None, look: Look | None = None) -> "Pen":
        pen = Pen(self.image, frame or self.frame, look or self.look, self.rng)
        pen._is_panel = self._is_panel and frame is None
        return pen

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        if self._is_panel:
            points = [(min(max(x, -1.0), 1.0), min(max(y, -1.0), 1.0)) for x, y in points]
        return [self.frame.point(x, y) for x, y in points]


def plain_letters(text: str) -> str:
    """Return the text without accents: Pillow's embedded font draws a crossed box for each."""
    text = text.replace("œ", "oe").replace("Œ", "OE").replace("€", "EUR").replace("’", "'")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@functools.lru_cache(maxsize=128)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=size_px)


def letters(text: str, size_px: int) -> Image.Image:
    """Return an L mask that holds the text tightly."""
    left, top, right, bottom = _font(size_px).getbbox(text)
    mask = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=_font(size_px))
    return mask


def _paste_turned(image: Image.Image, mask: Image.Image, frame: Frame, fill: Rgb) -> None:
    """Paste the mask's shape, centred on the frame and turned like it."""
    side = -1.0 if frame.xx * frame.yy < frame.xy * frame.yx else 1.0  # mirrored: still forwards
    a, b = side * frame.xx / frame.scale, frame.xy / frame.scale
    c, d = side * frame.yx / frame.scale, frame.yy / frame.scale
    half_w, half_h = mask.width / 2, mask.height / 2
    reach_x = math.ceil(abs(a) * half_w + abs(b) * half_h) + 1
    reach_y = math.ceil(abs(c) * half_w + abs(d) * half_h) + 1
    # Pillow asks for the way back: from a canvas pixel to the mask pixel (determinant is 1)
    shift_x = half_w - d * reach_x + b * reach_y
    shift_y = half_h + c * reach_x - a * reach_y
    turned = mask.transform(
        (2 * reach_x, 2 * reach_y),
        Image.Transform.AFFINE,
        (d, -b, shift_x, -c, a, shift_y),
        Image.Resampling.BILINEAR,
    )
    image.paste(fill, (round(frame.ox) - reach_x, round(frame.oy) - reach_y), turned)
