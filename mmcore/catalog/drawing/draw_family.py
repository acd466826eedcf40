"""Motifs for the family: children's textiles, childcare."""

from mmcore.catalog.drawing.colours import INK, STEEL, WHITE, Rgb, readable_on, shade
from mmcore.catalog.drawing.curves import arc, on_circle, star
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, headline, label, slab, wheel


def _soft(pen: Pen) -> Rgb:
    """Return the main colour as children's textiles wear it: often paler."""
    return shade(pen.main, pen.rng.choice((0.0, 0.25, 0.45)))


def socks(pen: Pen) -> None:
    """Draw a pair of socks."""
    fill = _soft(pen)
    for x, y in ((-0.34, -0.06), (0.3, 0.06)):
        sock = pen.at(x, y, 0.85)
        sock.blob(((-0.24, -0.85), (0.24, -0.85), (0.24, 0.0), (0.42, 0.3), (0.72, 0.55),
                   (0.6, 0.85), (0.2, 0.82), (-0.2, 0.45), (-0.26, 0.1)), fill)  # fmt: skip
        sock.box(-0.26, -0.95, 0.26, -0.7, pen.accent, r=0.05)
        for row in range(3):
            y0 = -0.5 + row * 0.25
            if pen.look.edge > 0.2:
                sock.box(-0.22, y0, 0.23, y0 + 0.09, pen.accent)
            else:
                sock.oval(0, y0, 0.08, 0.08, WHITE, edge=False)
        sock.oval(0.56, 0.68, 0.14, 0.13, pen.accent, edge=False)


def bonnet(pen: Pen) -> None:
    """Draw a knitted hat with a bobble."""
    fill = _soft(pen)
    pen.poly([*arc(0, 0.35, 0.72, 0.95, 180, 360)], fill)
    for index in range(7):
        x = -0.6 + index * 0.2
        pen.curve(((x * 0.3, -0.55), (x * 0.85, -0.1), (x, 0.32)), 0.02, shade(fill, -0.2))
    pen.box(-0.78, 0.25, 0.78, 0.6, pen.accent, r=0.12)
    for index in range(11):
        x = -0.68 + index * 0.135
        pen.line(((x, 0.3), (x, 0.55)), 0.02, shade(pen.accent, -0.2))
    pen.oval(0, -0.68, 0.24, 0.24, shade(pen.accent, 0.3))


def bodysuit(pen: Pen) -> None:
    """Draw a baby's bodysuit, with a print on the chest."""
    fill = _soft(pen)
    pen.poly(((-0.3, -0.8), (-0.62, -0.72), (-0.9, -0.3), (-0.66, -0.12), (-0.5, -0.3),
              (-0.48, 0.35), (-0.55, 0.55), (-0.2, 0.85), (0.2, 0.85), (0.55, 0.55), (0.48, 0.35),
              (0.5, -0.3), (0.66, -0.12), (0.9, -0.3), (0.62, -0.72),
              (0.3, -0.8)), fill)  # fmt: skip
    pen.poly(arc(0, -0.8, 0.3, 0.2, 0, 180), shade(fill, -0.3))
    pen.curve(arc(0, -0.8, 0.32, 0.24, 0, 180), 0.05, pen.accent)
    for x in (-0.1, 0, 0.1):
        pen.oval(x, 0.76, 0.035, 0.035, WHITE)
    if pen.rng.random() < 0.5:
        pen.poly(star(0, 0.02, 0.26), pen.accent)
    else:
        for side in (-1, 1):
            pen.oval(side * 0.1, -0.02, 0.14, 0.13, pen.accent, edge=False)
        pen.poly(((-0.22, 0.04), (0.22, 0.04), (0, 0.3)), pen.accent, edge=False)


def bib(pen: Pen) -> None:
    """Draw a bib with a border."""
    fill = _soft(pen)
    pen.line(arc(0, -0.55, 0.32, 0.32, 110, 430), 0.14, pen.accent)
    pen.blob(((-0.45, -0.35), (0, -0.15), (0.45, -0.35), (0.68, 0.2), (0.5, 0.78), (0, 0.92),
              (-0.5, 0.78), (-0.68, 0.2)), pen.accent)  # fmt: skip
    pen.blob(((-0.4, -0.2), (0, -0.04), (0.4, -0.2), (0.58, 0.22), (0.42, 0.68), (0, 0.8),
              (-0.42, 0.68), (-0.58, 0.22)), fill)  # fmt: skip
    pen.oval(0, 0.36, 0.24, 0.22, shade(fill, 0.5))
    for side in (-1, 1):
        pen.oval(side * 0.18, 0.16, 0.08, 0.08, shade(fill, 0.5))
        pen.oval(side * 0.08, 0.32, 0.03, 0.04, INK, edge=False)


def backpack(pen: Pen) -> None:
    """Draw a child's satchel."""
    pen.line(arc(0, -0.7, 0.2, 0.2, 180, 360), 0.08, shade(pen.main, -0.4))
    for side in (-1, 1):
        pen.box(side * 0.76 - 0.12, 0.05, side * 0.76 + 0.12, 0.72, shade(pen.main, -0.25), r=0.1)
    pen.box(-0.68, -0.72, 0.68, 0.88, pen.main, r=0.3)
    pen.box(-0.5, 0.12, 0.5, 0.74, pen.accent, r=0.12)
    pen.line(((-0.5, -0.2), (0.5, -0.2)), 0.04, shade(pen.main, -0.4))
    pen.poly(star(0, 0.44, 0.18), shade(pen.accent, 0.5))


def pushchair(pen: Pen) -> None:
    """Draw a pushchair from the side."""
    pen.line(((-0.72, -0.72), (-0.45, -0.5), (0.5, 0.62)), 0.06, STEEL)
    pen.line(((0.35, 0.1), (-0.5, 0.66)), 0.06, STEEL)
    pen.oval(-0.74, -0.74, 0.1, 0.07, INK)
    hood = arc(0.0, -0.15, 0.62, 0.62, 180, 300)
    pen.poly([(0.0, -0.15), *hood], pen.main)
    for angle in (220, 260):
        x, y = on_circle(0, -0.15, 0.6, angle)
        pen.line(((0, -0.15), (x, y)), 0.02, shade(pen.main, -0.3))
    pen.blob(((-0.62, -0.15), (0.05, -0.12), (0.45, -0.05), (0.62, 0.1), (0.4, 0.3), (-0.2, 0.32),
              (-0.56, 0.15)), shade(pen.main, -0.2))  # fmt: skip
    pen.box(-0.3, 0.42, 0.3, 0.56, shade(INK, 0.2), r=0.05)
    for x in (-0.5, 0.52):
        wheel(pen, x, 0.68, 0.22)


def baby_bottle(pen: Pen) -> None:
    """Draw a feeding bottle with its scale."""
    pen.blob(((-0.09, -0.95), (0.09, -0.95), (0.16, -0.72), (0.3, -0.6), (-0.3, -0.6),
              (-0.16, -0.72)), (236, 206, 160))  # fmt: skip
    pen.box(-0.38, -0.62, 0.38, -0.42, pen.main, r=0.06)
    pen.box(-0.4, -0.42, 0.4, 0.92, (226, 236, 242), r=0.18)
    pen.box(-0.34, pen.rng.uniform(-0.2, 0.3), 0.34, 0.86, (250, 246, 234), r=0.14)
    for index in range(7):
        y = -0.2 + index * 0.15
        pen.line(((0.12, y), (0.3 if index % 2 else 0.22, y)), 0.02, shade(pen.main, -0.2))
    pen.poly(star(-0.14, 0.3, 0.16), pen.accent, edge=False)


def dummy(pen: Pen) -> None:
    """Draw a baby's dummy with its clip ribbon."""
    if pen.rng.random() < 0.6:
        pen.curve(((0.1, 0.45), (0.6, 0.7), (0.75, 0.2), (0.9, -0.6)), 0.08, pen.accent)
    pen.oval(0, -0.62, 0.24, 0.3, (236, 200, 150))
    pen.box(-0.14, -0.5, 0.14, -0.1, (236, 200, 150))
    pen.blob(((-0.62, -0.2), (0, -0.06), (0.62, -0.2), (0.62, 0.18), (0, 0.3), (-0.62, 0.18)),
             pen.main)  # fmt: skip
    for side in (-1, 1):
        pen.oval(side * 0.4, 0.02, 0.08, 0.08, shade(pen.main, 0.6))
    pen.line(arc(0, 0.45, 0.28, 0.28, 0, 360), 0.09, pen.accent)
    pen.oval(0, 0.14, 0.18, 0.12, shade(pen.main, 0.25))


def changing_bag(pen: Pen) -> None:
    """Draw a nappy bag with a shoulder strap and a bottle pocket."""
    pen.curve(((-0.7, -0.3), (-0.5, -0.9), (0.5, -0.9), (0.7, -0.3)), 0.08, shade(pen.main, -0.4))
    pen.box(-0.85, -0.35, 0.85, 0.82, pen.main, r=0.14)
    pen.blob(((-0.85, -0.35), (0.85, -0.35), (0.8, 0.15), (0, 0.28), (-0.8, 0.15)), pen.accent)
    pen.oval(0, 0.18, 0.07, 0.07, STEEL)
    for side in (-1, 1):
        pen.box(side * 0.5 - 0.24, 0.38, side * 0.5 + 0.24, 0.72, shade(pen.main, -0.2), r=0.05)
    baby_bottle(pen.at(0.82, -0.3, 0.34))


def car_seat(pen: Pen) -> None:
    """Draw a child's car seat with its harness."""
    shell = shade(INK, 0.1)
    pen.blob(((-0.5, -0.9), (0.5, -0.9), (0.62, -0.2), (0.9, 0.3), (0.8, 0.85), (-0.8, 0.85),
              (-0.9, 0.3), (-0.62, -0.2)), shell)  # fmt: skip
    pen.blob(((-0.36, -0.8), (0.36, -0.8), (0.44, -0.1), (0.42, 0.4), (-0.42, 0.4), (-0.44, -0.1)),
             pen.main)  # fmt: skip
    pen.blob(((-0.6, 0.35), (0.6, 0.35), (0.56, 0.8), (-0.56, 0.8)), shade(pen.main, 0.15))
    pen.oval(0, -0.6, 0.26, 0.16, shade(pen.main, 0.35))
    for side in (-1, 1):
        pen.line(((side * 0.24, -0.45), (side * 0.1, 0.28)), 0.08, INK)
    pen.box(-0.13, 0.24, 0.13, 0.46, (204, 50, 50), r=0.04)


def nappies(pen: Pen) -> None:
    """Draw a pack of nappies or wipes."""
    slab(pen, Rect(-0.75, -0.55, 0.6, 0.8), pen.main, 0.2, 0.16)
    headline(pen, Rect(-0.7, -0.5, 0.55, -0.12), readable_on(pen.main), lines=1)
    pen.oval(-0.08, 0.28, 0.42, 0.38, WHITE)
    pen.blob(((-0.36, 0.14), (0.2, 0.14), (0.12, 0.36), (0.02, 0.5), (-0.18, 0.5), (-0.28, 0.36)),
             (228, 236, 244))  # fmt: skip
    label(pen, Rect(0.24, 0.5, 0.56, 0.7), f"x{pen.rng.randint(3, 12) * 8}", pen.accent)


MOTIFS: dict[str, Motif] = {
    "socks": Motif(socks, 18),
    "bonnet": Motif(bonnet, 12),
    "bodysuit": Motif(bodysuit, 10),
    "bib": Motif(bib, 12),
    "backpack": Motif(backpack, 5),
    "pushchair": Motif(pushchair, 3),
    "baby bottle": Motif(baby_bottle, 15),
    "dummy": Motif(dummy, 30),
    "changing bag": Motif(changing_bag, 5),
    "car seat": Motif(car_seat, 4),
    "nappies": Motif(nappies, 4),
}
