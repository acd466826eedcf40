"""Motifs of play outdoors: remote-controlled and miniature models, garden games and sport."""

from mmcore.catalog.drawing.colours import COLOURS, INK, STEEL, WHITE, WOOD, Rgb, readable_on, shade
from mmcore.catalog.drawing.curves import arc, regular
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, slab, wheel

GLASS: Rgb = (176, 214, 232)
BRIGHT: tuple[Rgb, ...] = tuple(
    COLOURS[name].rgb for name in ("rouge", "jaune", "bleu", "vert", "orange")
)


def _remote(pen: Pen) -> None:
    """Draw a radio transmitter with its aerial."""
    pen.line(((0.3, -0.3), (0.6, -1.3)), 0.06, STEEL)
    pen.box(-0.8, -0.4, 0.8, 0.5, INK, r=0.25)
    for x in (-0.42, 0.42):
        pen.oval(x, 0.05, 0.24, 0.24, shade(INK, 0.3))
        pen.oval(x, 0, 0.1, 0.1, STEEL)


def drone(pen: Pen) -> None:
    """Draw a drone with four rotors."""
    for x, y in ((-0.72, -0.35), (0.72, -0.35), (-0.8, 0.3), (0.8, 0.3)):
        pen.line(((x * 0.2, y * 0.3), (x, y)), 0.11, shade(pen.main, -0.3))
        pen.oval(x, y, 0.1, 0.12, INK)
        blade = pen.at(x, y - 0.13, 0.34, pen.rng.uniform(-12, 12))
        blade.oval(-0.5, 0, 0.5, 0.11, (196, 202, 210))
        blade.oval(0.5, 0, 0.5, 0.11, (196, 202, 210))
    pen.blob(((-0.38, -0.12), (0, -0.24), (0.38, -0.12), (0.34, 0.2), (0, 0.3), (-0.34, 0.2)),
             pen.main)  # fmt: skip
    pen.oval(0, 0.2, 0.16, 0.14, INK)
    pen.oval(0.02, 0.2, 0.08, 0.07, GLASS)
    for side in (-1, 1):
        pen.line(((side * 0.25, 0.22), (side * 0.34, 0.58), (side * 0.18, 0.6)), 0.05, INK)
    if pen.rng.random() < 0.4:
        _remote(pen.at(0, 0.85, 0.24))


def buggy(pen: Pen) -> None:
    """Draw a radio-controlled off-road car."""
    pen.line(((-0.55, -0.15), (-0.8, -0.55), (-0.3, -0.55)), 0.06, INK)
    pen.box(-0.95, -0.62, -0.35, -0.5, pen.accent, r=0.03)
    pen.blob(((-0.85, 0.1), (-0.4, -0.2), (-0.1, -0.5), (0.3, -0.45), (0.5, -0.1), (0.95, 0.1),
              (0.9, 0.35), (-0.85, 0.35)), pen.main)  # fmt: skip
    pen.blob(((-0.12, -0.18), (0.02, -0.38), (0.26, -0.35), (0.36, -0.12)), GLASS)
    pen.words(str(pen.rng.randint(1, 99)), -0.35, 0.12, 0.24, readable_on(pen.main))
    for x in (-0.6, 0.6):
        wheel(pen, x, 0.42, 0.34, hub=pen.accent)
        for x1, y1 in regular(x, 0.42, 0.36, 12):
            pen.oval(x1, y1, 0.045, 0.045, INK, edge=False)
    pen.line(((0.1, -0.45), (0.2, -0.95)), 0.02, INK)
    if pen.rng.random() < 0.5:
        _remote(pen.at(0.68, -0.5, 0.26))


def die_cast_car(pen: Pen) -> None:
    """Draw a miniature car on its display stand."""
    slab(pen, Rect(-0.95, 0.55, 0.85, 0.78), (58, 54, 54), 0.1, 0.08)
    pen.box(-0.4, 0.6, 0.3, 0.72, (214, 186, 110))
    pen.words(f"1:{pen.rng.choice((18, 24, 43, 64))}", -0.05, 0.66, 0.1, INK)
    pen.blob(((-0.85, 0.3), (-0.8, 0.0), (-0.4, -0.06), (-0.15, -0.36), (0.35, -0.36),
              (0.55, -0.02), (0.88, 0.08), (0.9, 0.35), (0, 0.38)), pen.main)  # fmt: skip
    pen.poly(((-0.3, -0.06), (-0.1, -0.28), (0.08, -0.28), (0.08, -0.05)), GLASS)
    pen.poly(((0.14, -0.28), (0.3, -0.28), (0.44, -0.05), (0.14, -0.05)), GLASS)
    pen.line(((0.11, -0.03), (0.11, 0.28)), 0.012, shade(pen.main, -0.4))
    pen.oval(0.84, 0.12, 0.06, 0.05, (250, 236, 170))
    pen.box(-0.87, 0.08, -0.78, 0.16, (200, 40, 40))
    pen.line(((-0.85, 0.3), (0.88, 0.3)), 0.03, STEEL)
    for x in (-0.5, 0.55):
        wheel(pen, x, 0.36, 0.2)


def model_plane(pen: Pen) -> None:
    """Draw a model aeroplane seen from above."""
    pen.poly(((-0.95, 0.05), (-0.95, -0.2), (0, -0.38), (0.95, -0.2), (0.95, 0.05), (0, 0.02)),
             pen.main)  # fmt: skip
    pen.poly(((-0.38, 0.85), (-0.38, 0.7), (0, 0.55), (0.38, 0.7), (0.38, 0.85)), pen.main)
    pen.blob(((0, -0.85), (0.16, -0.5), (0.13, 0.3), (0.05, 0.9), (-0.05, 0.9), (-0.13, 0.3),
              (-0.16, -0.5)), shade(pen.main, 0.3))  # fmt: skip
    pen.oval(0, -0.28, 0.09, 0.18, GLASS)
    for side in (-1, 1):
        pen.oval(side * 0.65, -0.1, 0.11, 0.11, WHITE)
        pen.oval(side * 0.65, -0.1, 0.06, 0.06, pen.accent)
        pen.oval(side * 0.2, -0.88, 0.2, 0.035, INK)
    pen.oval(0, -0.88, 0.06, 0.06, pen.accent)


def model_boat(pen: Pen) -> None:
    """Draw a model boat on its cradle."""
    for x in (-0.45, 0.4):
        pen.poly(((x - 0.1, 0.9), (x - 0.02, 0.5), (x + 0.06, 0.5), (x + 0.14, 0.9)), WOOD)
    pen.poly(((-0.95, 0.15), (0.98, 0.05), (0.72, 0.6), (-0.75, 0.6)), pen.main)
    pen.poly(((-0.9, 0.3), (0.92, 0.24), (0.86, 0.34), (-0.86, 0.4)), WHITE)
    pen.box(-0.55, -0.15, 0.2, 0.16, WHITE, r=0.04)
    for x in (-0.45, -0.2, 0.05):
        pen.box(x, -0.08, x + 0.14, 0.05, GLASS)
    pen.box(-0.4, -0.4, 0.0, -0.15, pen.accent, r=0.03)
    pen.line(((-0.2, -0.4), (-0.2, -0.95)), 0.03, INK)
    pen.poly(((-0.2, -0.95), (0.15, -0.85), (-0.2, -0.75)), (210, 60, 60))


def trampoline(pen: Pen) -> None:
    """Draw a trampoline with its safety net."""
    posts = (-0.9, -0.45, 0.0, 0.45, 0.9)
    for x in posts:
        drop = 0.16 * (1 - x * x)
        pen.line(((x, 0.4 + drop), (x, 0.9 + drop * 0.4)), 0.05, STEEL)
    has_net = pen.rng.random() < 0.75
    if has_net:
        pen.oval(0, -0.7, 0.9, 0.16, shade(pen.main, 0.3))
        pen.oval(0, -0.7, 0.84, 0.12, (236, 240, 244))
        for index in range(13):
            x = -0.9 + index * 0.15
            pen.line(((x, -0.68), (x, 0.35)), 0.008, (120, 126, 134), cap=False)
        for index in range(7):
            y = -0.6 + index * 0.15
            pen.line(arc(0, y, 0.9, 0.14, 0, 180), 0.008, (120, 126, 134), cap=False)
        for x in posts:
            pen.line(((x, -0.72 + 0.14 * (1 - x * x)), (x, 0.4)), 0.06, pen.main)
    pen.oval(0, 0.4, 0.95, 0.24, pen.main)
    pen.oval(0, 0.39, 0.78, 0.17, INK)


def swing(pen: Pen) -> None:
    """Draw a garden swing frame with one or two seats."""
    frame = pen.rng.choice((WOOD, shade(STEEL, -0.1), pen.main))
    for x in (-0.85, 0.85):
        pen.line(((x * 0.9, -0.8), (x * 1.15, 0.9)), 0.07, shade(frame, -0.15))
        pen.line(((x * 0.9, -0.8), (x * 0.7, 0.8)), 0.07, frame)
    pen.line(((-0.9, -0.8), (0.9, -0.8)), 0.1, frame)
    for index, x in enumerate((-0.36, 0.36)):
        sway = pen.rng.uniform(-0.1, 0.1)
        seat = pen.main if index else pen.accent
        for side in (-0.18, 0.18):
            pen.line(((x + side, -0.8), (x + side + sway, 0.35)), 0.025, (90, 90, 90))
        pen.box(x - 0.25 + sway, 0.32, x + 0.25 + sway, 0.42, seat, r=0.04)


def play_ball(pen: Pen) -> None:
    """Draw a ball: football or beach ball."""
    if pen.rng.random() < 0.5:
        pen.oval(0, 0, 0.85, 0.85, WHITE)
        for index in range(6):
            ends = arc(0, 0, 0.85, 0.85, index * 60, index * 60 + 60)
            fill = (pen.main, WHITE, pen.accent)[index % 3]
            pen.poly([(0.15, -0.2), *ends], fill)
        pen.oval(0.15, -0.2, 0.1, 0.1, WHITE)
        return
    pen.oval(0, 0, 0.85, 0.85, WHITE)
    pen.poly(regular(0, 0, 0.3, 5), pen.main)
    for (x, y), (x1, y1) in zip(regular(0, 0, 0.3, 5), regular(0, 0, 0.82, 5), strict=True):
        pen.line(((x, y), (x1 * 0.72, y1 * 0.72)), 0.03, INK)
        pen.poly([(x1 * 0.72, y1 * 0.72), *(
            (x1 * 0.8 + dx * 0.25, y1 * 0.8 + dy * 0.25)
            for dx, dy in ((-y1, x1), (x1 * 0.8, y1 * 0.8), (y1, -x1)))], pen.main)  # fmt: skip


def scooter(pen: Pen) -> None:
    """Draw a child's scooter."""
    pen.line(((0.62, 0.6), (0.42, -0.72)), 0.08, STEEL)
    pen.line(((0.22, -0.75), (0.62, -0.78)), 0.08, INK)
    for x in (0.22, 0.62):
        pen.oval(x, -0.765, 0.1, 0.06, pen.accent)
    pen.poly(((-0.75, 0.52), (0.5, 0.52), (0.6, 0.3), (0.66, 0.34), (0.58, 0.64), (-0.75, 0.64)),
             pen.main)  # fmt: skip
    pen.box(0.36, -0.35, 0.6, 0.0, pen.main, r=0.05)
    for x in (-0.72, 0.66):
        wheel(pen, x, 0.72, 0.17, hub=pen.accent)


def rackets(pen: Pen) -> None:
    """Draw two rackets with a ball or shuttlecock."""
    for turn, fill in ((-32, pen.main), (32, pen.accent)):
        racket = pen.at(0, 0.1, 0.95, turn)
        racket.line(((0, 0.05), (0, 0.8)), 0.09, INK)
        for index in range(7):
            x = -0.27 + index * 0.09
            racket.line(((x, -0.8), (x, -0.05)), 0.01, (190, 190, 186), cap=False)
            y = -0.78 + index * 0.12
            racket.line(((-0.3, y), (0.3, y)), 0.01, (190, 190, 186), cap=False)
        racket.line(arc(0, -0.42, 0.36, 0.46, 0, 360), 0.07, fill)
    pen.oval(0, 0.72, 0.14, 0.14, (222, 232, 80))


def slide(pen: Pen) -> None:
    """Draw a children's slide with its ladder."""
    pen.line(((-0.75, 0.9), (-0.5, -0.75)), 0.08, pen.accent)
    pen.line(((-0.35, 0.9), (-0.2, -0.4)), 0.08, pen.accent)
    for index in range(5):
        y = 0.7 - index * 0.27
        pen.line(((-0.72 + index * 0.04, y), (-0.33 + index * 0.025, y)), 0.06, WHITE)
    pen.line(((-0.5, -0.75), (-0.2, -0.75), (-0.2, -0.35)), 0.07, pen.accent)
    pen.blob(((-0.5, -0.42), (-0.1, -0.42), (0.3, 0.2), (0.6, 0.65), (0.98, 0.75), (0.98, 0.92),
              (0.5, 0.88), (0.1, 0.4), (-0.2, -0.18), (-0.5, -0.25)), pen.main)  # fmt: skip
    pen.curve(((-0.1, -0.36), (0.3, 0.24), (0.62, 0.72), (0.98, 0.8)), 0.05, shade(pen.main, 0.4))


def kite(pen: Pen) -> None:
    """Draw a kite with its tail."""
    pen.curve(((0.0, 0.35), (0.25, 0.55), (-0.05, 0.72), (0.3, 0.95)), 0.025, INK)
    for x, y in ((0.2, 0.52), (0.02, 0.7), (0.22, 0.88)):
        pen.poly(((x - 0.1, y - 0.06), (x + 0.1, y + 0.06), (x + 0.1, y - 0.06),
                  (x - 0.1, y + 0.06)), pen.rng.choice(BRIGHT))  # fmt: skip
    middle = (0, -0.35)
    corners = ((0, -0.95), (0.6, -0.35), (0, 0.4), (-0.6, -0.35))
    for index in range(4):
        fill = (pen.main, pen.accent)[index % 2]
        pen.poly((corners[index], corners[(index + 1) % 4], middle), fill)


MOTIFS: dict[str, Motif] = {
    "drone": Motif(drone, 10),
    "buggy": Motif(buggy, 8),
    "die-cast car": Motif(die_cast_car, 3),
    "model plane": Motif(model_plane, 35),
    "model boat": Motif(model_boat, 3),
    "trampoline": Motif(trampoline, 2),
    "swing": Motif(swing, 2),
    "play ball": Motif(play_ball, 60),
    "scooter": Motif(scooter, 5),
    "rackets": Motif(rackets, 15),
    "slide": Motif(slide, 2),
    "kite": Motif(kite, 25),
}
