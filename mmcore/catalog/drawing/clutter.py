"""What lies around the product or over it: other people's things, stickers, weak photos.

Weak photos (a parcel, a logo, a close-up) are drawn without a look at the class: such a product
can only be told by its text.
"""

from collections.abc import Callable

from mmcore.catalog.drawing.colours import INK, STEEL, WHITE, WOOD, Rgb, readable_on, shade
from mmcore.catalog.drawing.curves import arc, star
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Rect, can, label, leaves, slab, text_lines

CARDBOARD: Rgb = (196, 154, 106)


def clutter(pen: Pen, count: int) -> None:
    """Draw things at the rim of the photo, partly cut off by it."""
    places = ((-1, 0.8), (1, 0.85), (-1.02, -0.3), (1.02, -0.2), (-0.8, -1), (0.8, -1))
    for x, y in pen.rng.sample(places, count):
        thing = pen.rng.choice(_THINGS)
        thing(pen.at(x, y, pen.rng.uniform(0.2, 0.32), pen.rng.uniform(-25, 25)))


def _plant(pen: Pen) -> None:
    leaves(pen, 0, -0.2, 0.9)
    pen.poly(((-0.5, 0), (0.5, 0), (0.35, 0.9), (-0.35, 0.9)), (190, 110, 80))


def _mug(pen: Pen) -> None:
    pen.line(arc(0.6, 0, 0.35, 0.4, -90, 90), 0.16, WHITE)
    can(pen, Rect(-0.6, -0.6, 0.6, 0.7), WHITE, top=(110, 72, 48))


def _pencil(pen: Pen) -> None:
    pen.box(-0.12, -0.8, 0.12, 0.9, (240, 196, 60))
    pen.poly(((-0.12, -0.8), (0.12, -0.8), (0, -1.1)), WOOD)


def _coins(pen: Pen) -> None:
    for x, y in ((-0.4, 0.2), (0.3, 0.4), (0.1, -0.3)):
        pen.oval(x, y, 0.35, 0.33, (214, 180, 90))
        pen.oval(x, y, 0.24, 0.22, (226, 198, 120))


def _ruler(pen: Pen) -> None:
    pen.box(-0.2, -1.2, 0.2, 1.2, (236, 214, 150))
    for index in range(12):
        y = -1.1 + index * 0.2
        pen.line(((-0.2, y), (0.0 if index % 2 else -0.08, y)), 0.03, INK, cap=False)


def _ball_of_paper(pen: Pen) -> None:
    pen.blob(((-0.6, -0.4), (0, -0.7), (0.6, -0.3), (0.5, 0.5), (-0.1, 0.6), (-0.7, 0.3)), WHITE)
    pen.line(((-0.3, -0.2), (0.1, 0.1), (0.3, -0.2)), 0.03, STEEL)


def _keys(pen: Pen) -> None:
    pen.line(arc(0, -0.4, 0.4, 0.4, 0, 360), 0.12, STEEL)
    pen.line(((0, 0), (0.1, 0.9), (0.3, 0.85)), 0.14, STEEL)


_THINGS: tuple[Callable[[Pen], None], ...] = (
    _plant, _mug, _pencil, _coins, _ruler, _ball_of_paper, _keys,
)  # fmt: skip


def sticker(pen: Pen) -> None:
    """Draw a seller's sticker in a corner: price cut, condition, shop."""
    x, y = pen.rng.choice(((-0.7, -0.72), (0.7, -0.72), (-0.7, 0.7)))
    fill = pen.rng.choice(((210, 40, 44), (244, 200, 50), (40, 110, 190), (40, 140, 80)))
    text = pen.rng.choice(("-20%", "PROMO", "NEUF", "TOP", "48 H", "-50%", "STOCK", "VENDU"))
    if pen.rng.random() < 0.5:
        pen.poly(star(x, y, 0.26, points=12, waist=0.82), fill)
        pen.words(text, x, y, 0.13, readable_on(fill), fit=0.4)
    else:
        label(pen, Rect(x - 0.25, y - 0.1, x + 0.25, y + 0.1), text, fill)


def parcel(pen: Pen) -> None:
    """Draw the cardboard box it comes in."""
    fill = shade(CARDBOARD, pen.rng.uniform(-0.1, 0.1))
    slab(pen, Rect(-0.8, -0.45, 0.55, 0.75), fill, 0.3, 0.25)
    pen.box(-0.22, -0.45, 0.02, 0.75, shade(CARDBOARD, 0.25))
    pen.box(-0.7, 0.25, -0.3, 0.62, WHITE)
    text_lines(pen, Rect(-0.66, 0.3, -0.34, 0.58), 4)
    if pen.rng.random() < 0.7:
        pen.words(pen.look.brand.upper(), 0.28, -0.1, 0.16, shade(CARDBOARD, -0.5), fit=0.5)


def logo(pen: Pen) -> None:
    """Draw nothing but the brand."""
    style = pen.rng.randrange(3)
    if style == 0:
        pen.oval(0, 0, 0.85, 0.6, pen.main)
    elif style == 1:
        pen.box(-0.9, -0.35, 0.9, 0.35, pen.main, r=0.12)
    else:
        pen.poly(star(0, -0.05, 0.95, points=8, waist=0.7), pen.main)
    pen.words(pen.look.brand.upper(), 0, 0, 0.3, readable_on(pen.main), fit=1.4)
    pen.words("photo a venir", 0, 0.8, 0.14, (120, 120, 120))


def close_up(pen: Pen) -> None:
    """Draw the material from very near: weave, grain, dots or scratches."""
    fill, style = pen.main, pen.rng.randrange(3)
    pen.box(-1.6, -1.6, 1.6, 1.6, fill)
    turned = pen.at(0, 0, 1, pen.rng.uniform(-30, 30))
    step = pen.rng.uniform(0.16, 0.3)
    for index in range(int(3.6 / step)):
        a = -1.8 + index * step
        tone = shade(fill, pen.rng.uniform(-0.35, 0.2))
        if style == 0:
            turned.line(((a, -1.8), (a, 1.8)), step * 0.4, tone, cap=False)
            turned.line(((-1.8, a), (1.8, a)), step * 0.25, shade(tone, 0.1), cap=False)
        elif style == 1:
            wave = [(x / 2, a + pen.rng.uniform(-0.05, 0.05)) for x in range(-4, 5)]
            turned.curve(wave, step * 0.3, tone)
        else:
            for b in range(-5, 6):
                turned.oval(b * 0.36, a, step * 0.3, step * 0.3, tone, edge=False)
