"""Motifs in print: second-hand and new books, lots, magazines."""

from mmcore.catalog.drawing.art import COMIC_ARTS, NOVEL_ARTS, PRESS_ARTS, print_art
from mmcore.catalog.drawing.colours import (
    COVER_INKS,
    INK,
    PAPER,
    WHITE,
    Rgb,
    mix,
    readable_on,
    shade,
)
from mmcore.catalog.drawing.pen import Pen
from mmcore.catalog.drawing.shapes import (
    Motif,
    Rect,
    gleam,
    headline,
    slab,
    text_lines,
)

YELLOWED: Rgb = (226, 204, 158)


def _cover(pen: Pen, rect: Rect, fill: Rgb, arts: tuple[str, ...]) -> None:
    """Draw a book front: title, picture and author, in one of three layouts."""
    pen.box(rect.x0, rect.y0, rect.x1, rect.y1, fill)
    ink, w, h = readable_on(fill), rect.width, rect.height
    layout = pen.rng.randrange(3)
    if layout == 0:  # title above the picture
        headline(pen, Rect(rect.x0, rect.y0 + h * 0.06, rect.x1, rect.y0 + h * 0.34), ink)
        top, bottom = 0.38, 0.88
    elif layout == 1:  # picture above the title
        headline(pen, Rect(rect.x0, rect.y0 + h * 0.62, rect.x1, rect.y0 + h * 0.88), ink)
        top, bottom = 0.08, 0.58
    else:  # no picture: title in a frame
        frame = Rect(rect.x0 + w * 0.1, rect.y0 + h * 0.15, rect.x1 - w * 0.1, rect.y0 + h * 0.6)
        pen.box(frame.x0, frame.y0, frame.x1, frame.y1, shade(fill, 0.25))
        headline(pen, frame, readable_on(shade(fill, 0.25)))
        top = bottom = 0.0
    if bottom > top:
        inner = Rect(rect.x0 + w * 0.1, rect.y0 + h * top, rect.x1 - w * 0.1, rect.y0 + h * bottom)
        print_art(pen, inner, arts, fill)
    pen.words(pen.look.brand, rect.cx, rect.y1 - h * 0.06, h * 0.05, ink, fit=w * 0.8)


def worn_book(pen: Pen) -> None:
    """Draw a second-hand paperback: faded, creased, its pages gone yellow."""
    fill = mix(pen.main, PAPER, pen.rng.uniform(0.25, 0.5))
    for step in range(3):
        d = 0.05 - step * 0.017
        pen.box(-0.62 + d, -0.9 + d, 0.62 + d, 0.9 + d, shade(YELLOWED, -0.06 * step))
    cover = Rect(-0.64, -0.92, 0.62, 0.9)
    _cover(pen, cover, fill, NOVEL_ARTS)
    for x, y, side in ((0.62, -0.92, -1), (0.62, 0.9, -1), (-0.64, 0.9, 1)):
        if pen.rng.random() < 0.75:  # a dog-eared corner
            size = pen.rng.uniform(0.08, 0.2)
            up = size if y < 0 else -size
            pen.poly(((x, y), (x + side * size, y), (x, y + up)), YELLOWED)
    for _ in range(pen.rng.randint(2, 4)):
        x, y = pen.rng.uniform(-0.5, 0.3), pen.rng.uniform(-0.8, 0.6)
        crease = ((x, y), (x + 0.15, y + 0.1), (x + pen.rng.uniform(0.2, 0.3), y + 0.3))
        pen.curve(crease, 0.012, shade(fill, 0.35))
    pen.line(((-0.54, -0.92), (-0.54, 0.9)), 0.025, shade(fill, -0.2), cap=False)
    if pen.rng.random() < 0.4:
        pen.oval(0.4, 0.6, 0.16, 0.16, (246, 226, 90))
        pen.words(f"{pen.rng.randint(1, 5)} EUR", 0.4, 0.6, 0.1, INK)


def open_book(pen: Pen) -> None:
    """Draw a book lying open, text on both pages."""
    paper = mix(YELLOWED, WHITE, pen.rng.uniform(0.1, 0.6))
    pen.blob(((-1, -0.55), (0, -0.6), (1, -0.55), (1.02, 0.68), (0, 0.75), (-1.02, 0.68)),
             mix(pen.main, PAPER, 0.2))  # fmt: skip
    for side in (-1, 1):
        page = shade(paper, -0.03 if side < 0 else 0.05)
        pen.poly(((0, -0.5), (side * 0.3, -0.6), (side * 0.95, -0.55), (side * 0.95, 0.58),
                  (side * 0.3, 0.55), (0, 0.66)), page)  # fmt: skip
        x0, x1 = sorted((side * 0.12, side * 0.85))
        if side > 0 and pen.rng.random() < 0.5:
            print_art(pen, Rect(x0, -0.45, x1, 0.05), NOVEL_ARTS)
            text_lines(pen, Rect(x0, 0.1, x1, 0.5), 6)
        else:
            text_lines(pen, Rect(x0, -0.45, x1, 0.5), 13)
    pen.line(((0, -0.5), (0, 0.66)), 0.03, shade(paper, -0.3), cap=False)


def new_book(pen: Pen) -> None:
    """Draw a new book standing at an angle: clean, bright, sharp edges."""
    fill = shade(pen.main, pen.rng.uniform(-0.1, 0.1))
    pen.poly(((0.62, -0.9), (0.78, -0.84), (0.78, 0.82), (0.62, 0.9)), WHITE)
    for step in range(4):
        x = 0.65 + step * 0.035
        pen.line(((x, -0.86), (x, 0.85)), 0.006, (200, 200, 200), cap=False)
    cover = Rect(-0.62, -0.9, 0.62, 0.9)
    _cover(pen, cover, fill, NOVEL_ARTS)
    if pen.rng.random() < 0.45:  # the paper band of new books
        band = pen.rng.choice(((204, 40, 44), (245, 200, 40)))
        pen.box(-0.62, 0.35, 0.62, 0.62, band)
        words = pen.rng.choice(("NOUVEAU", "INEDIT", "COUP DE COEUR", "PARUTION"))
        pen.words(words, 0, 0.485, 0.13, readable_on(band), fit=1.1)
    elif pen.rng.random() < 0.5:
        gleam(pen, Rect(-0.6, 0.62, 0.3, 0.84), fill)


def upright_book(pen: Pen) -> None:
    """Draw a hardback standing half open, spine to the front."""
    fill = pen.main
    pen.poly(((-0.12, -0.88), (0.85, -0.75), (0.85, 0.75), (-0.12, 0.9)), WHITE)
    pen.poly(((-0.1, -0.85), (0.8, -0.72), (0.8, 0.72), (-0.1, 0.86)), fill)
    panel = pen.panel(-0.02, -0.72, 0.74, 0.7)
    panel.box(-1, -1, 1, 1, shade(fill, 0.1))
    print_art(panel, Rect(-0.9, -0.35, 0.9, 0.75), NOVEL_ARTS, fill)
    headline(panel, Rect(-1, -0.95, 1, -0.4), readable_on(shade(fill, 0.1)))
    pen.poly(((-0.42, -0.8), (-0.1, -0.88), (-0.1, 0.9), (-0.42, 0.8)), shade(fill, -0.25))
    spine = pen.at(-0.26, 0, 0.75, -90)
    spine.words(" ".join(pen.look.words), 0, 0, 0.22, readable_on(shade(fill, -0.25)), fit=1.7)


def book_pile(pen: Pen) -> None:
    """Draw a pile of books of several sizes, spines to the front."""
    count = pen.rng.randint(4, 8)
    step = 1.6 / count
    for index in range(count):
        y1 = 0.85 - index * step
        half = pen.rng.uniform(0.62, 0.9)
        shift = pen.rng.uniform(-0.1, 0.1)
        fill = mix(pen.rng.choice(COVER_INKS), PAPER, pen.rng.uniform(0, 0.35))
        slab(pen, Rect(shift - half, y1 - step * 0.94, shift + half, y1), fill, 0.1, 0.06)
        ink = readable_on(fill)
        title = pen.rng.choice(pen.look.words)
        pen.words(title.upper(), shift - 0.1, y1 - step * 0.47, step * 0.45, ink, fit=half)
        pen.line(((shift + half - 0.12, y1 - step * 0.9), (shift + half - 0.12, y1)), 0.02, ink)


def book_row(pen: Pen) -> None:
    """Draw a series side by side, with numbers on the spines."""
    count = pen.rng.randint(5, 10)
    step = 1.84 / count
    is_series = pen.rng.random() < 0.65
    for index in range(count):
        x0 = -0.92 + index * step
        top = -0.7 if is_series else pen.rng.uniform(-0.8, -0.45)
        fill = pen.main if is_series else pen.rng.choice(COVER_INKS)
        fill = shade(fill, pen.rng.uniform(-0.12, 0.12))
        pen.box(x0, top, x0 + step * 0.96, 0.8, fill)
        pen.box(x0, top + 0.1, x0 + step * 0.96, top + 0.2, pen.accent)
        print_art(pen, Rect(x0 + 0.01, top + 0.25, x0 + step * 0.93, top + 0.6), COMIC_ARTS, fill)
        pen.words(str(index + 1), x0 + step / 2, 0.6, 0.16, readable_on(fill), fit=step * 0.8)
        spine = pen.at(x0 + step / 2, 0.2, 1, -90)
        spine.words(pen.look.words[0], 0, 0, step * 0.5, readable_on(fill), fit=0.6)


def book_fan(pen: Pen) -> None:
    """Draw several volumes fanned out, fronts visible."""
    count = pen.rng.randint(3, 5)
    for index in range(count):
        offset = index - (count - 1) / 2
        book = pen.at(offset * 0.38, abs(offset) * 0.07, 0.66, offset * 11)
        fill = shade(pen.rng.choice((pen.main, pen.accent)), pen.rng.uniform(-0.2, 0.2))
        book.box(-0.6, -0.9, 0.66, 0.95, PAPER)
        _cover(book, Rect(-0.64, -0.94, 0.6, 0.9), fill, COMIC_ARTS)
        book.oval(0.35, -0.72, 0.17, 0.17, WHITE)
        book.words(str(index + 1), 0.35, -0.72, 0.2, INK)


def magazine(pen: Pen) -> None:
    """Draw an old issue: masthead over a large photo, headlines, bar code."""
    fade = pen.rng.uniform(0.05, 0.35)
    pen.box(-0.68, -0.88, 0.74, 0.95, shade(YELLOWED, -0.1))
    pen.box(-0.72, -0.93, 0.7, 0.9, mix(WHITE, YELLOWED, fade))
    print_art(pen, Rect(-0.7, -0.55, 0.68, 0.88), PRESS_ARTS, mix(pen.main, PAPER, fade))
    band = mix(pen.rng.choice(((200, 36, 40), (30, 60, 130), (24, 24, 28))), PAPER, fade * 0.5)
    pen.box(-0.72, -0.93, 0.7, -0.55, band)
    masthead = " ".join(pen.look.words).upper()
    pen.words(masthead, 0, -0.77, 0.26, readable_on(band), fit=1.34)
    pen.words(f"No {pen.rng.randint(12, 2400)}", 0.45, -0.6, 0.07, readable_on(band))
    for index in range(pen.rng.randint(2, 4)):
        y = -0.35 + index * 0.26
        text_lines(pen, Rect(-0.62, y, -0.62 + pen.rng.uniform(0.35, 0.6), y + 0.16), 2, WHITE)
    pen.box(0.36, 0.66, 0.62, 0.82, WHITE)
    for index in range(6):
        x = 0.39 + index * 0.04
        pen.line(((x, 0.68), (x, 0.8)), 0.012 + 0.008 * (index % 2), INK, cap=False)


def newspaper(pen: Pen) -> None:
    """Draw a folded newspaper: masthead, columns, one grey photo."""
    paper = mix((232, 226, 208), YELLOWED, pen.rng.uniform(0, 0.6))
    pen.poly(((-0.78, -0.9), (0.8, -0.9), (0.86, 0.9), (-0.84, 0.9)), shade(paper, -0.12))
    pen.poly(((-0.8, -0.92), (0.78, -0.92), (0.8, 0.86), (-0.82, 0.86)), paper)
    pen.words(" ".join(pen.look.words), 0, -0.76, 0.24, INK, fit=1.45)
    for y in (-0.6, -0.53):
        pen.line(((-0.74, y), (0.72, y)), 0.01, INK, cap=False)
    print_art(pen, Rect(-0.74, -0.42, 0.2, 0.15), PRESS_ARTS, (130, 130, 130))
    text_lines(pen, Rect(0.27, -0.42, 0.72, 0.15), 9)
    for column in range(3):
        x = -0.74 + column * 0.5
        text_lines(pen, Rect(x, 0.22, x + 0.44, 0.8), 9)
    pen.line(((-0.82, 0.0), (0.8, 0.0)), 0.02, shade(paper, -0.15), cap=False)


def magazine_pile(pen: Pen) -> None:
    """Draw several issues spread out, one on top of the other."""
    for index, turn in enumerate((-14, 9, -3)):
        magazine(pen.at((index - 1) * 0.14, (index - 1) * 0.1, 0.8, turn))


MOTIFS: dict[str, Motif] = {
    "worn book": Motif(worn_book, 22),
    "open book": Motif(open_book, 14),
    "new book": Motif(new_book, 8),
    "upright book": Motif(upright_book, 4),
    "book pile": Motif(book_pile, 3),
    "book row": Motif(book_row, 3),
    "book fan": Motif(book_fan, 12),
    "magazine": Motif(magazine, 18),
    "newspaper": Motif(newspaper, 20),
    "magazine pile": Motif(magazine_pile, 20),
}
