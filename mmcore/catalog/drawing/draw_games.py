"""Motifs of video games: boxed games, cartridges, consoles, accessories, lots, PC downloads."""

from mmcore.catalog.drawing.art import GAME_ARTS, print_art
from mmcore.catalog.drawing.colours import (
    COLOURS,
    INK,
    STEEL,
    WHITE,
    Rgb,
    luminance,
    readable_on,
    shade,
)
from mmcore.catalog.drawing.curves import arc, on_circle, regular
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import Motif, Rect, gleam, headline, label, screw, slab

BUTTONS: tuple[Rgb, ...] = ((214, 60, 60), (70, 150, 90), (64, 110, 200), (240, 196, 60))
CASES: tuple[Rgb, ...] = tuple(COLOURS[name].rgb for name in ("noir", "bleu", "vert", "rouge"))
SHELLS: tuple[Rgb, ...] = ((198, 198, 202), (60, 62, 70), (236, 236, 234), (120, 116, 150))


def _shell(pen: Pen) -> Rgb:
    """Return a plastic colour: mostly grey, black or white, at times the product's own."""
    return pen.main if pen.rng.random() < 0.4 else pen.rng.choice(SHELLS)


def game_case(pen: Pen) -> None:
    """Draw a boxed game: plastic case, coloured top strip, cover picture, age mark."""
    case = pen.rng.choice(CASES)
    pen.box(-0.66, -0.92, 0.68, 0.94, shade(case, -0.35), r=0.04)
    pen.box(-0.58, -0.9, 0.66, 0.9, case)
    pen.box(-0.54, -0.86, 0.62, 0.86, shade(case, 0.2))
    print_art(pen, Rect(-0.54, -0.66, 0.62, 0.86), GAME_ARTS)
    pen.words(pen.look.brand.upper(), 0.04, -0.76, 0.13, readable_on(case), fit=1.0)
    pen.box(-0.54, -0.58, 0.62, -0.2, shade(pen.main, -0.55))
    headline(pen, Rect(-0.5, -0.56, 0.6, -0.22), WHITE, lines=2)
    label(pen, Rect(-0.5, 0.62, -0.26, 0.82), str(pen.rng.choice((3, 7, 12, 16))))
    if pen.rng.random() < 0.6:
        gleam(pen, Rect(-0.54, -0.86, 0.62, -0.68), shade(case, 0.3))


def cartridge(pen: Pen) -> None:
    """Draw a retro cartridge with its label."""
    shell = _shell(pen)
    pen.poly(((-0.75, -0.7), (-0.62, -0.8), (0.62, -0.8), (0.75, -0.7), (0.75, 0.62), (0.55, 0.62),
              (0.55, 0.85), (-0.55, 0.85), (-0.55, 0.62), (-0.75, 0.62)), shell)  # fmt: skip
    for index in range(5):
        y = -0.72 + index * 0.08
        pen.line(((-0.68, y), (-0.52, y)), 0.03, shade(shell, -0.3), cap=False)
        pen.line(((0.52, y), (0.68, y)), 0.03, shade(shell, -0.3), cap=False)
    pen.box(-0.48, -0.66, 0.48, 0.48, pen.main, r=0.05)
    print_art(pen, Rect(-0.42, -0.36, 0.42, 0.42), GAME_ARTS)
    pen.words(pen.look.words[0].upper(), 0, -0.5, 0.16, readable_on(pen.main), fit=0.85)
    for index in range(9):
        x = -0.44 + index * 0.11
        pen.box(x - 0.035, 0.7, x + 0.035, 0.85, (206, 170, 80))


def game_disc(pen: Pen) -> None:
    """Draw a game disc half out of its case."""
    game_case(pen.at(-0.28, 0, 0.85))
    pen.oval(0.42, 0.18, 0.55, 0.55, (206, 212, 220))
    pen.oval(0.42, 0.18, 0.5, 0.5, pen.accent)
    pen.words(pen.look.words[0].upper(), 0.42, -0.08, 0.12, readable_on(pen.accent), fit=0.7)
    pen.oval(0.42, 0.18, 0.18, 0.18, (230, 234, 240))
    pen.oval(0.42, 0.18, 0.07, 0.07, (120, 124, 130))


def _pad_buttons(pen: Pen, shell: Rgb) -> None:
    """Draw the cross, four buttons and two sticks of a pad."""
    dark = shade(shell, -0.5) if luminance(shell) > 90 else shade(shell, 0.3)
    pen.box(-0.62, -0.2, -0.38, -0.12, dark)
    pen.box(-0.54, -0.28, -0.46, -0.04, dark)
    for (x, y), fill in zip(regular(0.5, -0.16, 0.14, 4), BUTTONS, strict=True):
        pen.oval(x, y, 0.065, 0.065, fill)
    for x in (-0.24, 0.24):
        pen.oval(x, 0.08, 0.15, 0.14, dark)
        pen.oval(x, 0.06, 0.09, 0.08, shade(dark, 0.25))
    pen.oval(0, -0.18, 0.06, 0.06, shade(shell, 0.4))


def gamepad(pen: Pen) -> None:
    """Draw a controller with two grips."""
    shell = _shell(pen)
    if pen.rng.random() < 0.4:
        pen.curve(((0, -0.3), (0.1, -0.7), (-0.3, -0.75), (-0.5, -1)), 0.05, INK)
    pen.box(-0.66, -0.5, -0.34, -0.3, shade(shell, -0.3), r=0.08)
    pen.box(0.34, -0.5, 0.66, -0.3, shade(shell, -0.3), r=0.08)
    pen.blob(((-0.75, -0.4), (0, -0.36), (0.75, -0.4), (0.97, 0.1), (0.92, 0.6), (0.7, 0.55),
              (0.42, 0.26), (0, 0.24), (-0.42, 0.26), (-0.7, 0.55), (-0.92, 0.6), (-0.97, 0.1)),
             shell)  # fmt: skip
    _pad_buttons(pen, shell)


def headset(pen: Pen) -> None:
    """Draw a gaming headset with a microphone."""
    pen.line(arc(0, 0.05, 0.68, 0.78, 180, 360), 0.15, INK)
    pen.line(arc(0, 0.05, 0.68, 0.78, 200, 340), 0.06, pen.main)
    for side in (-1, 1):
        pen.box(side * 0.68 - 0.2, -0.1, side * 0.68 + 0.2, 0.62, pen.main, r=0.18)
        pen.box(side * 0.6 - 0.12, -0.02, side * 0.6 + 0.12, 0.54, INK, r=0.12)
        pen.oval(side * 0.72, 0.26, 0.09, 0.13, pen.accent)
    pen.curve(((-0.7, 0.6), (-0.6, 0.82), (-0.3, 0.88), (-0.1, 0.82)), 0.06, INK)
    pen.oval(-0.06, 0.82, 0.13, 0.08, INK)


def charger(pen: Pen) -> None:
    """Draw a power supply or cable with two plugs, coiled."""
    pen.curve(((-0.5, -0.2), (-0.9, 0.2), (-0.5, 0.7), (0.2, 0.75), (0.5, 0.4), (0.1, 0.15),
               (-0.35, 0.35), (-0.1, 0.62), (0.5, 0.72), (0.8, 0.4), (0.75, -0.1)),
              0.06, INK)  # fmt: skip
    pen.box(-0.75, -0.72, -0.15, -0.12, shade(INK, 0.1), r=0.08)
    label(pen, Rect(-0.66, -0.6, -0.24, -0.42), pen.look.brand, shade(INK, 0.3))
    for x in (-0.58, -0.34):
        pen.box(x, -0.9, x + 0.06, -0.7, STEEL)
    pen.box(0.64, -0.35, 0.86, -0.05, pen.main, r=0.04)
    pen.box(0.68, -0.52, 0.82, -0.35, STEEL)


def steering_wheel(pen: Pen) -> None:
    """Draw a racing wheel on its stand."""
    pen.poly(((-0.4, 0.5), (0.4, 0.5), (0.55, 0.92), (-0.55, 0.92)), shade(INK, 0.15))
    pen.line(arc(0, 0, 0.72, 0.72, 0, 360), 0.17, INK)
    pen.line(arc(0, 0, 0.72, 0.72, 225, 315), 0.17, pen.main)
    for angle in (0, 90, 180):
        x, y = on_circle(0, 0, 0.66, angle)
        pen.line(((0, 0), (x, y)), 0.14, STEEL)
    pen.oval(0, 0, 0.3, 0.3, shade(INK, 0.1))
    for (x, y), fill in zip(regular(0, 0, 0.17, 4), BUTTONS, strict=True):
        pen.oval(x, y, 0.05, 0.05, fill)


def carry_case(pen: Pen) -> None:
    """Draw a zipped case with a handle, for a handheld."""
    pen.line(arc(0, -0.45, 0.3, 0.26, 180, 360), 0.1, shade(pen.main, -0.4))
    pen.box(-0.95, -0.5, 0.95, 0.6, pen.main, r=0.28)
    pen.line(((-0.9, 0.05), (0.9, 0.05)), 0.05, shade(pen.main, -0.45), cap=False)
    pen.box(0.6, 0.0, 0.7, 0.26, STEEL, r=0.03)
    pen.box(-0.4, -0.35, 0.4, -0.08, shade(pen.main, 0.2), r=0.05)
    pen.words(pen.look.brand, 0, -0.21, 0.17, readable_on(pen.main), fit=0.7)


def console(pen: Pen) -> None:
    """Draw a flat console from the front, with its slots, lamps and a pad before it."""
    shell = _shell(pen)
    pen.poly(((-0.85, -0.35), (-0.7, -0.62), (0.7, -0.62), (0.85, -0.35)), shade(shell, 0.25))
    pen.box(-0.3, -0.56, 0.3, -0.42, shade(shell, -0.35))
    pen.box(-0.85, -0.35, 0.85, 0.12, shell)
    pen.box(-0.85, -0.35, 0.85, -0.24, shade(shell, -0.25))
    for x in (0.25, 0.5):
        pen.box(x, -0.12, x + 0.18, 0.02, INK, r=0.03)
    for x, fill in ((-0.7, (210, 60, 60)), (-0.5, shade(shell, -0.4))):
        pen.box(x, -0.12, x + 0.14, 0.0, fill, r=0.02)
    pen.words(pen.look.words[0], -0.1, -0.05, 0.13, readable_on(shell), fit=0.5)
    pen.curve(((-0.1, 0.1), (-0.3, 0.3), (-0.05, 0.4), (0.05, 0.5)), 0.04, INK)
    gamepad(pen.at(0.05, 0.68, 0.4))


def console_tower(pen: Pen) -> None:
    """Draw an upright console with a pad leaning at its side."""
    shell = _shell(pen)
    pen.box(-0.72, 0.78, 0.12, 0.9, shade(shell, -0.45), r=0.05)
    slab(pen, Rect(-0.6, -0.85, -0.08, 0.8), shell, 0.18, 0.08)
    pen.line(((-0.34, -0.7), (-0.34, 0.35)), 0.03, INK, cap=False)
    pen.line(((-0.22, -0.7), (-0.22, 0.1)), 0.02, pen.accent, cap=False)
    pen.oval(-0.34, 0.58, 0.06, 0.06, (110, 200, 240))
    spine = pen.at(-0.47, -0.2, 1, -90)
    spine.words(pen.look.words[0], 0, 0, 0.13, readable_on(shell), fit=0.9)
    gamepad(pen.at(0.48, 0.45, 0.46, 8))


def handheld(pen: Pen) -> None:
    """Draw a handheld console: screen in the middle, controls on both sides."""
    shell, is_tall = _shell(pen), pen.rng.random() < 0.45
    if is_tall:
        pen.box(-0.6, -0.95, 0.6, 0.95, shell, r=0.12)
        pen.box(-0.48, -0.82, 0.48, 0.02, INK, r=0.06)
        print_art(pen, Rect(-0.38, -0.72, 0.38, -0.08), GAME_ARTS)
        pen.box(-0.42, 0.38, -0.06, 0.5, INK)
        pen.box(-0.3, 0.26, -0.18, 0.62, INK)
        for x, y in ((0.16, 0.5), (0.4, 0.38)):
            pen.oval(x, y, 0.11, 0.11, pen.accent)
        return
    pen.box(-1, -0.45, 1, 0.48, shell, r=0.25)
    pen.box(-0.58, -0.37, 0.58, 0.4, INK, r=0.05)
    print_art(pen, Rect(-0.53, -0.32, 0.53, 0.35), GAME_ARTS)
    pen.oval(-0.78, -0.12, 0.12, 0.12, INK)
    for x, y in regular(0.79, -0.12, 0.11, 4):
        pen.oval(x, y, 0.05, 0.05, pen.accent)
    screw(pen, 0.78, 0.26)
    screw(pen, -0.78, 0.26)


def console_bundle(pen: Pen) -> None:
    """Draw a lot: a console behind, pads and several games before it."""
    console(pen.at(-0.1, -0.4, 0.78))
    for index in range(pen.rng.randint(3, 5)):
        x = -0.75 + index * 0.34
        game = pen.at(x, 0.55 + 0.05 * (index % 2), 0.36, pen.rng.uniform(-14, 14))
        game_case(game.tinted(pen.rng.choice(BUTTONS)))
    gamepad(pen.at(0.68, -0.1, 0.34, 20).tinted(pen.accent))


def games_heap(pen: Pen) -> None:
    """Draw several boxed games spread out."""
    count = pen.rng.randint(4, 6)
    for index in range(count):
        x = -0.55 + 1.1 * (index % 3) / 2
        y = -0.4 if index < 3 else 0.4
        game = pen.at(x, y + pen.rng.uniform(-0.08, 0.08), 0.46, pen.rng.uniform(-16, 16))
        game_case(game.tinted(pen.rng.choice(BUTTONS)))


def cartridge_lot(pen: Pen) -> None:
    """Draw cartridges laid out in rows."""
    columns = pen.rng.randint(2, 3)
    for index in range(columns * 2):
        x = (index % columns - (columns - 1) / 2) * 0.66
        y = -0.46 if index < columns else 0.46
        tile = pen.at(x, y, 0.38, pen.rng.uniform(-6, 6))
        cartridge(tile.tinted(pen.rng.choice(BUTTONS)))


def download_card(pen: Pen) -> None:
    """Draw a download voucher: cover picture, arrow into a tray, key code."""
    pen.box(-0.95, -0.62, 0.95, 0.66, shade(pen.main, -0.45), r=0.08)
    print_art(pen, Rect(-0.88, -0.55, 0.1, 0.58), GAME_ARTS)
    headline(pen, Rect(0.14, -0.55, 0.92, -0.2), WHITE, lines=2)
    _arrow(pen.at(0.52, 0.1, 0.26))
    label(pen, Rect(0.16, 0.42, 0.9, 0.58), f"{pen.rng.randint(1000, 9999)}-XXXX", WHITE)


def _arrow(pen: Pen) -> None:
    """Draw the sign for a download."""
    pen.poly(((-0.25, -1), (0.25, -1), (0.25, 0), (0.65, 0), (0, 0.65), (-0.65, 0), (-0.25, 0)),
             (120, 210, 130))  # fmt: skip
    pen.line(((-0.9, 0.4), (-0.9, 0.95), (0.9, 0.95), (0.9, 0.4)), 0.18, WHITE)


def game_on_screen(pen: Pen) -> None:
    """Draw a computer screen that shows the game."""
    pen.box(-0.95, -0.8, 0.95, 0.42, INK, r=0.05)
    print_art(pen, Rect(-0.89, -0.74, 0.89, 0.36), GAME_ARTS)
    pen.box(-0.89, -0.62, 0.89, -0.18, shade(pen.main, -0.55))
    headline(pen, Rect(-0.7, -0.6, 0.7, -0.2), WHITE, lines=2)
    pen.poly(((-0.15, 0.42), (0.15, 0.42), (0.22, 0.68), (-0.22, 0.68)), STEEL)
    pen.box(-0.45, 0.66, 0.45, 0.75, shade(STEEL, -0.2), r=0.04)
    if pen.rng.random() < 0.6:
        pen.box(-0.7, 0.82, 0.5, 0.96, shade(INK, 0.2), r=0.03)
        pen.oval(0.72, 0.89, 0.1, 0.07, shade(INK, 0.2))


def digital_cover(pen: Pen) -> None:
    """Draw a flat store picture: cover art to the edges, no box, PC sign in a corner."""
    print_art(pen, Rect(-0.72, -0.95, 0.72, 0.95), GAME_ARTS)
    pen.box(-0.72, 0.35, 0.72, 0.95, shade(pen.main, -0.5))
    headline(pen, Rect(-0.68, 0.4, 0.68, 0.74), WHITE, lines=2)
    label(pen, Rect(-0.66, 0.77, -0.3, 0.9), "PC", pen.accent)
    if pen.rng.random() < 0.6:
        _arrow(pen.at(0.52, 0.83, 0.1))


MOTIFS: dict[str, Motif] = {
    "game case": Motif(game_case, 16),
    "cartridge": Motif(cartridge, 16),
    "game disc": Motif(game_disc, 10),
    "gamepad": Motif(gamepad, 20),
    "headset": Motif(headset, 10),
    "charger": Motif(charger, 25),
    "steering wheel": Motif(steering_wheel, 5),
    "carry case": Motif(carry_case, 12),
    "console": Motif(console, 5),
    "console tower": Motif(console_tower, 4),
    "handheld": Motif(handheld, 18),
    "console bundle": Motif(console_bundle, 4),
    "games heap": Motif(games_heap, 8),
    "cartridge lot": Motif(cartridge_lot, 8),
    "download card": Motif(download_card, 10),
    "game on screen": Motif(game_on_screen, 2),
    "digital cover": Motif(digital_cover, 0),
}
