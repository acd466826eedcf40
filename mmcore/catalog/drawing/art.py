"""Pictures within the pictures: what is printed on covers, boxes, cards, frames and screens."""

from collections.abc import Callable

from mmcore.catalog.drawing.colours import INK, SKIN_TONES, WHITE, Rgb, shade
from mmcore.catalog.drawing.curves import arc, regular, star
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Rect, face, leaves, tones, wheel

Tones = tuple[Rgb, Rgb, Rgb]


def print_art(pen: Pen, rect: Rect, arts: tuple[str, ...], main: Rgb | None = None) -> None:
    """Fill the rectangle with one of the named pictures."""
    panel = pen.panel(rect.x0, rect.y0, rect.x1, rect.y1)
    sky, ground, figure = tones(pen.rng, main or pen.main)
    panel.box(-1, -1, 1, 1, sky)
    _ARTS[pen.rng.choice(arts)](panel, (sky, ground, figure))


def _hills(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.oval(pen.rng.uniform(-0.5, 0.5), -0.35, 0.28, 0.28, figure, edge=False)
    for row, tone in enumerate((0.4, 0.2, 0.0)):
        top = -0.1 + row * 0.35
        ridge = [(x / 4 - 1, top + pen.rng.uniform(-0.22, 0.12)) for x in range(9)]
        pen.poly([(-1, 1), *ridge, (1, 1)], shade(ground, tone), edge=False)


def _sea(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.oval(pen.rng.uniform(-0.4, 0.4), -0.05, 0.3, 0.3, figure, edge=False)
    for row in range(4):
        y = 0.1 + row * 0.25
        wave = [(x / 5 - 1, y + (0.05 if x % 2 else -0.03)) for x in range(11)]
        pen.poly([(-1, 1), *wave, (1, 1)], shade(ground, 0.45 - row * 0.15), edge=False)
    x = pen.rng.uniform(-0.5, 0.3)
    pen.poly(((x - 0.3, 0.12), (x + 0.3, 0.12), (x + 0.18, 0.3), (x - 0.2, 0.3)), INK, edge=False)
    pen.poly(((x, 0.08), (x, -0.5), (x + 0.32, 0.05)), WHITE, edge=False)


def _city(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    for index in range(7):
        x, top = -1 + index * 0.29, pen.rng.uniform(-0.6, 0.3)
        pen.box(x, top, x + 0.27, 1, shade(ground, pen.rng.uniform(0, 0.4)))
        for y in (top + 0.15, top + 0.4):
            pen.box(x + 0.06, y, x + 0.12, y + 0.1, figure)


def _castle(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.oval(0.55, -0.6, 0.22, 0.22, figure, edge=False)
    pen.box(-0.5, -0.05, 0.5, 0.8, ground)
    for x in (-0.55, -0.1, 0.35):
        top = -0.45 if x == -0.1 else -0.2
        pen.box(x, top, x + 0.22, 0.8, shade(ground, 0.15))
        pen.poly(((x - 0.05, top), (x + 0.11, top - 0.35), (x + 0.27, top)), figure)
    pen.poly([(-0.14, 0.8), *arc(0, 0.45, 0.14, 0.2, 180, 360), (0.14, 0.8)], INK)
    pen.box(-1, 0.75, 1, 1, shade(ground, -0.3))


def _rocket(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.box(-1, -1, 1, 1, shade(ground, -0.5))
    for _ in range(14):
        x, y = pen.rng.uniform(-0.95, 0.95), pen.rng.uniform(-0.95, 0.95)
        pen.oval(x, y, 0.025, 0.025, WHITE, edge=False)
    pen.oval(0.55, 0.65, 0.42, 0.42, figure)
    ship = pen.at(-0.15, -0.1, 0.62, pen.rng.uniform(15, 45))
    ship.poly(((-0.14, 0.7), (0, 1.2), (0.14, 0.7)), (250, 170, 60), edge=False)
    ship.blob(((0, -1), (0.3, -0.2), (0.25, 0.7), (-0.25, 0.7), (-0.3, -0.2)), WHITE)
    for side in (-1, 1):
        ship.poly(((side * 0.25, 0.2), (side * 0.6, 0.85), (side * 0.22, 0.7)), figure)
    ship.oval(0, -0.2, 0.14, 0.14, (90, 170, 220))


def _portrait(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.oval(0, -0.1, 0.8, 0.8, figure, edge=False)
    pen.blob(((-0.75, 1), (-0.5, 0.45), (0, 0.3), (0.5, 0.45), (0.75, 1)), ground)
    face(pen, 0, -0.1, 0.42, pen.rng.choice(SKIN_TONES), pen.rng.random() < 0.5)


def _tree(pen: Pen, colours: Tones) -> None:
    _, ground, _ = colours
    pen.box(-1, 0.6, 1, 1, shade(ground, 0.1))
    pen.line(((0, 0.7), (0, -0.1)), 0.14, (104, 74, 50))
    for x, y in ((-0.35, -0.1), (0.35, -0.1), (0, -0.45), (0, 0.0)):
        pen.oval(x, y, 0.4, 0.36, shade((90, 150, 80), pen.rng.uniform(-0.3, 0.3)), edge=False)


def _rings(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    x, y = pen.rng.uniform(-0.3, 0.3), pen.rng.uniform(-0.3, 0.3)
    for index, r in enumerate((0.7, 0.55, 0.4, 0.25, 0.1)):
        pen.oval(x, y, r, r, (ground, figure)[index % 2], edge=False)


def _stripes(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    for index in range(5):
        x = -1.2 + index * 0.45
        fill = (ground, figure, shade(ground, 0.3))[index % 3]
        pen.poly(((x, 1), (x + 0.5, -1), (x + 0.75, -1), (x + 0.25, 1)), fill, edge=False)


def _robot(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.poly(star(0, 0, 1.1, points=12, waist=0.6), figure, edge=False)
    pen.box(-0.5, 0.15, 0.5, 0.8, ground, r=0.1)
    pen.box(-0.36, -0.55, 0.36, 0.1, shade(ground, 0.3), r=0.08)
    for side in (-1, 1):
        pen.oval(side * 0.16, -0.25, 0.1, 0.1, (250, 230, 90))
        pen.line(((side * 0.5, 0.3), (side * 0.8, 0.1)), 0.16, shade(ground, 0.2))
    pen.line(((0, -0.55), (0, -0.8)), 0.05, INK)


def _racing_car(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.poly(((-1, 1), (-0.3, -0.1), (0.3, -0.1), (1, 1)), (80, 82, 88), edge=False)
    pen.poly(((-0.05, 1), (-0.02, 0), (0.02, 0), (0.05, 1)), WHITE, edge=False)
    pen.blob(((-0.6, 0.6), (-0.5, 0.25), (-0.2, 0), (0.2, 0), (0.5, 0.25), (0.6, 0.6)), figure)
    pen.box(-0.28, 0.08, 0.28, 0.28, ground, r=0.08)
    for side in (-1, 1):
        wheel(pen, side * 0.52, 0.62, 0.16)


def _ball(pen: Pen, colours: Tones) -> None:
    pen.box(-1, 0.2, 1, 1, (88, 158, 84))
    pen.oval(0, 0, 0.5, 0.5, WHITE)
    pen.poly(regular(0, 0, 0.2, 5), INK)
    for x, y in regular(0, 0, 0.42, 5):
        pen.line(((x * 0.5, y * 0.5), (x, y)), 0.04, INK)


def _warrior(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.oval(0, -0.1, 0.85, 0.85, shade(figure, 0.2), edge=False)
    pen.blob(((-0.7, 1), (-0.35, 0.2), (0, 0), (0.35, 0.2), (0.7, 1)), ground)
    pen.oval(0, -0.25, 0.24, 0.28, pen.rng.choice(SKIN_TONES))
    pen.poly([(-0.28, -0.3), *arc(0, -0.3, 0.28, 0.36, 180, 360), (0.28, -0.3)], ground)
    pen.line(((0.45, 0.9), (0.72, -0.8)), 0.08, (214, 220, 228))
    pen.line(((0.4, 0.3), (0.76, 0.4)), 0.08, INK)


def _flower(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.curve(((0, 1), (0.05, 0.5), (0, 0)), 0.06, (80, 130, 70))
    leaves(pen, 0, 0.55, 0.4, 4)
    for x, y in regular(0, -0.15, 0.36, 6):
        pen.oval(x, y, 0.26, 0.26, figure)
    pen.oval(0, -0.15, 0.22, 0.22, ground)


def _house(pen: Pen, colours: Tones) -> None:
    _, ground, figure = colours
    pen.box(-1, 0.55, 1, 1, (120, 160, 90))
    pen.box(-0.45, -0.05, 0.45, 0.65, WHITE)
    pen.poly(((-0.6, 0), (0, -0.55), (0.6, 0)), ground)
    pen.box(-0.12, 0.25, 0.12, 0.65, figure)


_ARTS: dict[str, Callable[[Pen, Tones], None]] = {
    "hills": _hills,
    "sea": _sea,
    "city": _city,
    "castle": _castle,
    "rocket": _rocket,
    "portrait": _portrait,
    "tree": _tree,
    "rings": _rings,
    "stripes": _stripes,
    "robot": _robot,
    "racing car": _racing_car,
    "ball": _ball,
    "warrior": _warrior,
    "flower": _flower,
    "house": _house,
}

NOVEL_ARTS = ("hills", "sea", "city", "portrait", "tree", "rings", "stripes", "flower", "house")
GAME_ARTS = ("castle", "rocket", "robot", "racing car", "ball", "warrior", "city", "hills")
COMIC_ARTS = ("portrait", "robot", "warrior", "rocket", "castle", "stripes")
PRESS_ARTS = ("portrait", "city", "racing car", "ball", "hills", "house", "sea")
WALL_ARTS = ("hills", "sea", "tree", "rings", "stripes", "flower")
