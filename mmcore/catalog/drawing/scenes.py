"""Backgrounds of the drawn photos: paper, studio, rooms, gardens, cloth. They favour no class.

Drawn at the final size and slightly blurred: a background is out of focus and needs no sharp
edges, which saves three quarters of the pixels.
"""

import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from mmcore.catalog.drawing.colours import Rgb, mix, shade
from mmcore.catalog.drawing.pen import SIDE_PX

PALE: tuple[Rgb, ...] = (
    (244, 240, 232), (232, 238, 244), (240, 232, 238), (234, 242, 232), (246, 238, 220),
    (226, 228, 234), (250, 246, 246), (222, 234, 238),
)  # fmt: skip
FLOORS: tuple[Rgb, ...] = ((190, 150, 110), (160, 120, 86), (214, 190, 160), (150, 146, 142))
BLUR_PX = 0.8


def background(rng: random.Random, place: str) -> Image.Image:
    """Return a SIDE_PX square background for a place: indoors, outdoors or anywhere.

    Half of the photos are packshots on plain paper wherever the product belongs, so that the
    background hints at the class no more than it does in a real shop.
    """
    if rng.random() < 0.5:
        scene = rng.choice((_white, _white, _paper, _gradient, _studio))
    else:
        scene = rng.choice(_SCENES[place])
    image = scene(rng)
    return image if scene is _white else image.filter(ImageFilter.GaussianBlur(BLUR_PX))


def _white(rng: random.Random) -> Image.Image:
    level = rng.randint(246, 255)
    return Image.new("RGB", (SIDE_PX, SIDE_PX), (level, level, level))


def _paper(rng: random.Random) -> Image.Image:
    fill = shade(rng.choice(PALE), rng.uniform(-0.15, 0.1))
    return Image.new("RGB", (SIDE_PX, SIDE_PX), fill)


def _gradient(rng: random.Random) -> Image.Image:
    start, end = rng.sample(PALE, 2)
    return _fade(shade(start, rng.uniform(-0.2, 0)), end, sideways=rng.random() < 0.4)


def _fade(start: Rgb, end: Rgb, sideways: bool = False) -> Image.Image:
    """Return a square that goes from one colour to the other, downwards or to the right."""
    strip = Image.new("RGB", (1, 16))
    strip.putdata([mix(start, end, step / 15) for step in range(16)])
    square = strip.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
    return square.transpose(Image.Transpose.ROTATE_90) if sideways else square


def _studio(rng: random.Random) -> Image.Image:
    wall = shade(rng.choice(PALE), rng.uniform(-0.2, 0))
    image = _fade(shade(wall, -0.08), wall)
    floor = _fade(shade(wall, 0.5), shade(wall, 0.2))
    image.paste(floor, (0, int(SIDE_PX * rng.uniform(0.62, 0.76))))
    return image


def _room(rng: random.Random) -> Image.Image:
    wall = mix(rng.choice(PALE), rng.choice(((150, 170, 180), (190, 160, 140))), rng.random() * 0.5)
    image = _fade(wall, shade(wall, -0.08))
    draw = ImageDraw.Draw(image)
    horizon = int(SIDE_PX * rng.uniform(0.62, 0.76))
    _floor_boards(draw, rng, horizon)
    draw.rectangle((0, horizon - 8, SIDE_PX, horizon), fill=shade(wall, 0.5))
    if rng.random() < 0.5:  # a window or a picture on the wall
        x, y = rng.choice((12, 220)), rng.randint(10, 40)
        draw.rectangle((x, y, x + 88, y + 110), fill=shade(wall, 0.5))
        draw.rectangle((x + 6, y + 6, x + 82, y + 104), fill=(186, 214, 232))
    return image


def _floor_boards(draw: ImageDraw.ImageDraw, rng: random.Random, horizon: int) -> None:
    floor = rng.choice(FLOORS)
    draw.rectangle((0, horizon, SIDE_PX, SIDE_PX), fill=floor)
    for index in range(-4, 13):
        x = index * 40
        ends = (x + (SIDE_PX / 2 - x) * 0.4, horizon, x, SIDE_PX)
        draw.line(ends, fill=shade(floor, -0.12), width=2)


def _table_top(rng: random.Random) -> Image.Image:
    wood = rng.choice(FLOORS)
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), wood)
    draw = ImageDraw.Draw(image)
    step = rng.choice((40, 64, 80))
    for y in range(0, SIDE_PX, step):
        tone = shade(wood, rng.uniform(-0.08, 0.1))
        draw.rectangle((0, y, SIDE_PX, y + step - 2), fill=tone)
        for _ in range(4):
            grain = y + rng.randint(4, step - 4)
            x = rng.randint(-40, SIDE_PX)
            draw.line((x, grain, x + rng.randint(40, 160), grain), fill=shade(tone, -0.1), width=1)
    return image.transpose(Image.Transpose.ROTATE_90) if rng.random() < 0.5 else image


def _cloth(rng: random.Random) -> Image.Image:
    base = rng.choice(PALE)
    second = mix(base, rng.choice(((180, 80, 80), (80, 120, 170), (110, 150, 110))), 0.2)
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), base)
    draw = ImageDraw.Draw(image)
    step, style = rng.choice((20, 32, 44)), rng.randrange(3)
    for a in range(0, SIDE_PX, step):
        if style < 2:
            draw.rectangle((a, 0, a + step // 2, SIDE_PX), fill=second)
        for b in range(0, SIDE_PX, step):
            if style == 1:
                draw.rectangle((a, b, a + step // 2, b + step // 2), fill=shade(second, -0.15))
            elif style == 2:
                draw.ellipse((a, b, a + step // 3, b + step // 3), fill=second)
    return image


def _lawn(rng: random.Random) -> Image.Image:
    image = _fade((150, 196, 232), (226, 240, 248))
    draw = ImageDraw.Draw(image)
    horizon = int(SIDE_PX * rng.uniform(0.5, 0.7))
    for _ in range(9):  # a hedge
        x, r = rng.randint(-20, SIDE_PX), rng.randint(30, 70)
        green = shade((96, 148, 88), rng.uniform(-0.2, 0.2))
        draw.ellipse((x - r, horizon - r, x + r, horizon + r), fill=green)
    grass = shade((124, 172, 90), rng.uniform(-0.1, 0.15))
    draw.rectangle((0, horizon, SIDE_PX, SIDE_PX), fill=grass)
    for _ in range(70):
        x, y = rng.randint(0, SIDE_PX), rng.randint(horizon, SIDE_PX)
        draw.line((x, y, x + rng.randint(-3, 3), y - 8), fill=shade(grass, rng.uniform(-0.2, 0.2)))
    return image


def _terrace(rng: random.Random) -> Image.Image:
    image = _fade((170, 206, 234), (232, 240, 244))
    draw = ImageDraw.Draw(image)
    horizon = int(SIDE_PX * rng.uniform(0.5, 0.68))
    wall = rng.choice(((226, 210, 186), (200, 196, 190), (182, 160, 138)))
    draw.rectangle((0, horizon - rng.randint(30, 110), SIDE_PX, horizon), fill=wall)
    stone = shade(rng.choice(FLOORS), 0.35)
    draw.rectangle((0, horizon, SIDE_PX, SIDE_PX), fill=stone)
    for row in range(5):
        y = horizon + row * row * 6 + row * 12
        draw.line((0, y, SIDE_PX, y), fill=shade(stone, -0.15), width=2)
    for index in range(-6, 15):
        x = index * 40
        draw.line((SIDE_PX / 2 + (x - 160) * 0.4, horizon, x, SIDE_PX), fill=shade(stone, -0.15))
    return image


_SCENES: dict[str, tuple[Callable[[random.Random], Image.Image], ...]] = {
    "indoors": (_room, _room, _table_top, _table_top, _cloth, _lawn),
    "outdoors": (_lawn, _lawn, _terrace, _terrace, _room),
    "anywhere": (_room, _table_top, _cloth, _terrace, _lawn),
}
