"""One drawn photo: a motif before a background, with the flaws of shop photos.

The product is drawn on a transparent layer, reduced, given the shadow of its own outline and laid
on the background. A photo alone must not be enough either: some show only a parcel, a logo or a
close-up. Every picture carries the mark "dessin".
"""

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from mmcore.catalog.drawing import (
    draw_cards,
    draw_decor,
    draw_family,
    draw_figures,
    draw_games,
    draw_garden,
    draw_home,
    draw_pets,
    draw_play,
    draw_print,
    draw_shop,
    draw_tools,
    draw_toys,
)
from mmcore.catalog.drawing.clutter import close_up, clutter, logo, parcel, sticker
from mmcore.catalog.drawing.colours import COLOURS, shade
from mmcore.catalog.drawing.pen import CANVAS_PX, OVERSAMPLE, SIDE_PX, Frame, Look, Pen, letters
from mmcore.catalog.drawing.scenes import background
from mmcore.catalog.drawing.shapes import Motif
from mmcore.catalog.drawing.texts import Listing

MOTIFS: dict[str, Motif] = {
    **draw_print.MOTIFS,
    **draw_cards.MOTIFS,
    **draw_games.MOTIFS,
    **draw_figures.MOTIFS,
    **draw_toys.MOTIFS,
    **draw_play.MOTIFS,
    **draw_family.MOTIFS,
    **draw_pets.MOTIFS,
    **draw_home.MOTIFS,
    **draw_decor.MOTIFS,
    **draw_shop.MOTIFS,
    **draw_garden.MOTIFS,
    **draw_tools.MOTIFS,
}

# Shares of photos that hardly show the product.
WEAK_SHARE = 0.07  # parcel, logo, close-up: nothing of the product
PART_SHARE = 0.05  # so near that most of it is cut off
FAR_SHARE = 0.04  # so far that it is small among other things
STICKER_SHARE = 0.14
CLUTTER_SHARE = 0.4


@dataclass(frozen=True)
class Shot:
    """How the product is placed in the photo."""

    centre: tuple[float, float]  # canvas pixels
    half_px: float
    num_clutter: int


def draw_picture(rng: random.Random, listing: Listing, place: str) -> Image.Image:
    """Return the RGB photo of a listing, SIDE_PX square, marked as drawn."""
    scene = background(rng, place)
    layer = draw_layer(rng, listing)
    _cast_shadow(rng, scene, layer)
    scene.paste(layer, (0, 0), layer)
    return marked(_camera(rng, scene))


def draw_layer(rng: random.Random, listing: Listing) -> Image.Image:
    """Return the product alone, RGBA, SIDE_PX square, transparent around it."""
    canvas = Image.new("RGBA", (CANVAS_PX, CANVAS_PX), (0, 0, 0, 0))
    pen = Pen(canvas, Frame.placed((CANVAS_PX / 2, CANVAS_PX / 2), CANVAS_PX / 2),
              _look(rng, listing), rng)  # fmt: skip
    draw = rng.random()
    if draw < WEAK_SHARE:
        rng.choice((parcel, logo, close_up))(_placed(pen, _near(rng), turn_deg=6))
    elif draw < WEAK_SHARE + PART_SHARE:
        _draw_motif(pen, listing, _part(rng))
    elif draw < WEAK_SHARE + PART_SHARE + FAR_SHARE:
        _draw_motif(pen, listing, _far(rng))
    else:
        _draw_motif(pen, listing, _near(rng))
    if rng.random() < STICKER_SHARE:
        sticker(pen)
    return canvas.reduce(OVERSAMPLE)


def _look(rng: random.Random, listing: Listing) -> Look:
    main = shade(COLOURS[listing.colour].rgb, rng.uniform(-0.18, 0.18))
    accent = rng.choice([c.rgb for c in COLOURS.values() if c.masculine != listing.colour])
    return Look(main, accent, rng.choice((0.0, 0.3, 0.3, 0.75)), listing.cover, listing.brand)


def _near(rng: random.Random) -> Shot:
    centre = tuple(CANVAS_PX * (0.5 + rng.uniform(-0.07, 0.07)) for _ in range(2))
    num_clutter = rng.randint(1, 3) if rng.random() < CLUTTER_SHARE else 0
    return Shot(centre, CANVAS_PX / 2 * rng.uniform(0.58, 0.86), num_clutter)


def _part(rng: random.Random) -> Shot:
    centre = tuple(CANVAS_PX * (0.5 + rng.choice((-1, 1)) * rng.uniform(0.25, 0.5)) for _ in "xy")
    return Shot(centre, CANVAS_PX / 2 * rng.uniform(1.3, 1.9), 0)


def _far(rng: random.Random) -> Shot:
    centre = tuple(CANVAS_PX * (0.5 + rng.uniform(-0.2, 0.2)) for _ in range(2))
    return Shot(centre, CANVAS_PX / 2 * rng.uniform(0.3, 0.42), rng.randint(2, 4))


def _draw_motif(pen: Pen, listing: Listing, shot: Shot) -> None:
    motif = MOTIFS[listing.item.motif]
    if shot.num_clutter:
        clutter(pen, shot.num_clutter)
    placed = _placed(pen, shot, motif.turn_deg)
    motif.draw(placed.mirrored() if pen.rng.random() < 0.4 else placed)


def _placed(pen: Pen, shot: Shot, turn_deg: float) -> Pen:
    """Return a pen for the shot: turned as far as the motif may lie, leaning a little."""
    rng = pen.rng
    frame = Frame.placed(shot.centre, shot.half_px)
    frame = frame.inside(0, 0, rng.uniform(0.9, 1.08), 1, rng.uniform(-1, 1) * turn_deg)
    return Pen(pen.image, frame.leaning(rng.uniform(-0.07, 0.07)), pen.look, rng)


def _cast_shadow(rng: random.Random, scene: Image.Image, layer: Image.Image) -> None:
    """Darken the scene behind the product, softly, to one side."""
    outline = layer.getchannel("A").reduce(4).filter(ImageFilter.GaussianBlur(rng.uniform(1, 2.5)))
    strength = rng.uniform(0.2, 0.45)
    mask = outline.point(lambda alpha: int(alpha * strength)).resize(layer.size)
    scene.paste((30, 28, 36), (rng.randint(-9, 9), rng.randint(2, 10)), mask)


def _camera(rng: random.Random, image: Image.Image) -> Image.Image:
    """Return the photo as an ordinary camera takes it: light, tint, sharpness."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.91, 1.08))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.7, 1.15))
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 1.8)))
    return image


def marked(image: Image.Image) -> Image.Image:
    """Return the picture with the word "dessin" in its lower right corner."""
    mask = letters("dessin", 13)
    x, y = SIDE_PX - mask.width - 8, SIDE_PX - mask.height - 7
    plate = Image.new("L", (mask.width + 8, mask.height + 6), 150)
    image.paste("white", (x - 4, y - 3), plate)
    ImageDraw.Draw(image).bitmap((x, y), mask, fill="#666666")
    return image
