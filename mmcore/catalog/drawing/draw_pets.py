"""Motifs of pet supplies."""

from mmcore.catalog.drawing.colours import INK, STEEL, WHITE, WOOD, Rgb, mix, readable_on, shade
from mmcore.catalog.drawing.curves import arc
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import LEAF_GREEN, Motif, Rect, can, headline, label

BISCUIT: Rgb = (214, 168, 108)


def pet_bed(pen: Pen) -> None:
    """Draw a basket, sometimes with a sleeping dog."""
    pen.oval(0, 0.35, 0.95, 0.5, pen.main)
    pen.oval(0, 0.28, 0.72, 0.32, shade(pen.main, 0.45))
    if pen.rng.random() < 0.5:
        fur = pen.rng.choice(((150, 104, 66), (90, 86, 84), (226, 206, 170)))
        pen.blob(((-0.5, 0.3), (-0.3, -0.15), (0.15, -0.2), (0.5, 0.05), (0.5, 0.38), (0, 0.46)),
                 fur)  # fmt: skip
        pen.oval(-0.42, 0.12, 0.26, 0.22, fur)
        pen.oval(-0.24, 0.08, 0.1, 0.2, shade(fur, -0.3))
        pen.oval(-0.64, 0.16, 0.06, 0.05, INK)
        pen.curve(((-0.52, 0.06), (-0.48, 0.1), (-0.42, 0.07)), 0.025, INK)
    pen.poly([*arc(0, 0.35, 0.95, 0.5, 10, 170), *arc(0, 0.34, 0.7, 0.3, 170, 10)],
             shade(pen.main, -0.15))  # fmt: skip
    _bone(pen.at(0, 0.72, 0.16), WHITE)


def _bone(pen: Pen, fill: Rgb) -> None:
    for x in (-0.8, 0.8):
        for y in (-0.28, 0.28):
            pen.oval(x, y, 0.34, 0.34, fill)
    pen.box(-0.8, -0.25, 0.8, 0.25, fill)


def pet_bowl(pen: Pen) -> None:
    """Draw a bowl of kibble."""
    pen.poly(((-0.7, -0.1), (0.7, -0.1), (0.92, 0.62), (-0.92, 0.62)), pen.main)
    pen.oval(0, -0.1, 0.7, 0.2, shade(pen.main, -0.3))
    for _ in range(26):
        x, y = pen.rng.uniform(-0.55, 0.55), pen.rng.uniform(-0.24, -0.06)
        pen.oval(x, y, 0.08, 0.06, shade((160, 104, 60), pen.rng.uniform(-0.2, 0.25)))
    _bone(pen.at(0, 0.28, 0.32), shade(pen.main, 0.65))


def pet_collar(pen: Pen) -> None:
    """Draw a collar with a tag and a lead."""
    pen.curve(((0.5, -0.2), (0.9, 0.1), (0.6, 0.5), (0.9, 0.9)), 0.07, shade(pen.main, -0.2))
    pen.line(arc(-0.1, -0.15, 0.7, 0.5, 0, 360), 0.17, pen.main)
    pen.line(arc(-0.1, -0.15, 0.7, 0.5, 0, 360), 0.03, pen.accent)
    pen.box(-0.3, 0.24, 0.1, 0.46, STEEL, r=0.05)
    pen.box(-0.22, 0.3, 0.02, 0.4, pen.main)
    pen.oval(-0.1, 0.68, 0.2, 0.2, (224, 186, 80))
    _bone(pen.at(-0.1, 0.68, 0.1), INK)


def cat_tree(pen: Pen) -> None:
    """Draw a cat tree with platforms and a den."""
    rope, plush = (206, 176, 128), shade(pen.main, 0.2)
    pen.box(-0.85, 0.8, 0.85, 0.94, plush, r=0.04)
    pen.box(-0.72, 0.1, 0.12, 0.8, plush, r=0.08)
    pen.oval(-0.3, 0.45, 0.22, 0.22, INK)
    for x, top in ((0.5, -0.25), (-0.5, -0.75)):
        pen.box(x - 0.1, top, x + 0.1, 0.8 if x > 0 else 0.1, rope)
        for index in range(8):
            y = top + 0.06 + index * 0.1
            pen.line(((x - 0.1, y), (x + 0.1, y - 0.03)), 0.014, shade(rope, -0.25), cap=False)
    pen.box(-0.9, -0.85, -0.1, -0.73, plush, r=0.05)
    pen.box(0.1, -0.35, 0.92, -0.23, plush, r=0.05)
    pen.line(((0.8, -0.23), (0.8, 0.12)), 0.02, INK)
    pen.oval(0.8, 0.18, 0.08, 0.08, pen.accent)


def aquarium(pen: Pen) -> None:
    """Draw a fish tank with plants and fish."""
    pen.box(-0.92, -0.62, 0.92, 0.72, (196, 226, 238))
    pen.box(-0.88, -0.42, 0.88, 0.68, (112, 184, 212))
    pen.box(-0.88, 0.5, 0.88, 0.68, (206, 182, 132))
    for x in (-0.6, -0.45, 0.62):
        top = pen.rng.uniform(-0.2, 0.1)
        pen.curve(((x, 0.52), (x + 0.08, 0.25), (x - 0.06, 0.05), (x + 0.03, top)), 0.07,
                  LEAF_GREEN)  # fmt: skip
    for _ in range(pen.rng.randint(2, 4)):
        fish = pen.at(pen.rng.uniform(-0.5, 0.5), pen.rng.uniform(-0.25, 0.35), 0.17)
        fill = pen.rng.choice(((236, 130, 50), pen.main, pen.accent))
        fish.poly(((0.6, 0), (1.2, -0.5), (1.2, 0.5)), fill)
        fish.oval(0, 0, 0.85, 0.5, fill)
        fish.oval(-0.45, -0.1, 0.12, 0.12, INK)
    pen.box(-0.97, -0.78, 0.97, -0.6, INK, r=0.03)
    pen.box(-0.97, 0.7, 0.97, 0.86, INK, r=0.03)


def pet_food(pen: Pen) -> None:
    """Draw a bag of pet food with a paw print."""
    pen.poly(((-0.6, -0.92), (0.6, -0.92), (0.68, 0.92), (-0.68, 0.92)), pen.main)
    pen.box(-0.6, -0.92, 0.6, -0.78, shade(pen.main, -0.35))
    headline(pen, Rect(-0.58, -0.72, 0.58, -0.3), readable_on(pen.main), lines=2)
    paw = mix(pen.main, WHITE, 0.8)
    pen.oval(0, 0.36, 0.24, 0.2, paw)
    for x, y in ((-0.3, 0.12), (-0.11, -0.02), (0.11, -0.02), (0.3, 0.12)):
        pen.oval(x, y, 0.09, 0.12, paw)
    label(pen, Rect(-0.3, 0.64, 0.3, 0.82), f"{pen.rng.choice((2, 4, 10, 12))} kg", pen.accent)


def pet_toys(pen: Pen) -> None:
    """Draw small pet toys: bone, mouse and ball."""
    _bone(pen.at(-0.3, 0.5, 0.5, -20), BISCUIT)
    pen.oval(0.5, 0.35, 0.3, 0.3, pen.main)
    pen.curve(arc(0.5, 0.35, 0.3, 0.12, 0, 180), 0.04, pen.accent)
    pen.curve(((-0.65, -0.35), (-0.9, -0.5), (-0.8, -0.8)), 0.04, shade(pen.accent, -0.2))
    pen.blob(((-0.65, -0.3), (-0.2, -0.62), (0.3, -0.3), (0, -0.14), (-0.5, -0.14)), pen.accent)
    pen.oval(0.02, -0.5, 0.12, 0.12, shade(pen.accent, 0.3))
    pen.oval(0.16, -0.34, 0.03, 0.03, INK)
    can(pen, Rect(0.45, -0.75, 0.75, -0.2), WOOD, flat=0.4)


MOTIFS: dict[str, Motif] = {
    "pet bed": Motif(pet_bed, 3),
    "pet bowl": Motif(pet_bowl, 3),
    "pet collar": Motif(pet_collar, 25),
    "cat tree": Motif(cat_tree, 2),
    "aquarium": Motif(aquarium, 2),
    "pet food": Motif(pet_food, 5),
    "pet toys": Motif(pet_toys, 25),
}
