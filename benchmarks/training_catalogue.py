"""A drawn catalogue of any size for `training_scale.py`, each product with words and a photo.

Drawing a picture takes ten times as long as all else, so few are drawn, and each product's photo is
one of them cut, lit and compressed anew: other bytes, other features, no near-copy of another.
Texts are as long as a large shop's: a title, and for two products in three a description.
"""

import csv
import io
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from mmcore.catalog.drawing.draws import stream
from mmcore.catalog.drawing.pictures import draw_picture
from mmcore.catalog.drawing.texts import VOCABULARIES, write_listing

COLUMNS = ("product_id", "title", "description", "image", "label", "price", "brand")
PICTURES = 40  # drawn of each class
# What keeps it from being too easy: as in the drawn demo, labels that are wrong, and photos that
# show something else than what is sold.
WRONG_LABELS = 0.04
OTHER_PHOTOS = 0.25
PHOTO_PX = 256
LIGHT_CELLS = (9, 8)  # as many as the difference hash looks at: no two photos are near-copies
LIGHT_LEVELS = 24.0  # grey levels by which the light of a cell differs
WITHOUT_DESCRIPTION = 0.35  # share of the products
DESCRIPTION_WORDS = (20, 240)  # mean 130
_PIECE = 500  # products a task


def draw(folder: Path, num_products: int, seed: int = 0, with_photos: bool = True) -> None:
    """Write `products.csv`, and the photos it names into `photos/`, where they are wanted."""
    photos = folder / "photos"
    photos.mkdir(parents=True, exist_ok=True)
    starts = range(0, num_products, _PIECE)
    numbers = [range(i, min(i + _PIECE, num_products)) for i in starts]
    tasks = [(photos if with_photos else None, piece, seed) for piece in numbers]
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        with ProcessPoolExecutor() as pool:
            for rows in pool.map(_piece, *zip(*tasks, strict=True)):
                writer.writerows(rows)


def _piece(photos: Path | None, numbers: range, seed: int) -> list[tuple]:
    """Return the rows of some products, their photos written."""
    return [_product(photos, number, seed) for number in numbers]


def _product(photos: Path | None, number: int, seed: int) -> tuple:
    rng = stream(seed, "large", number)
    code = rng.choice(list(VOCABULARIES))
    vocabulary = VOCABULARIES[code]
    listing = write_listing(seed, f"{code}/{number}", vocabulary)
    name = f"drawn-{number:06d}.jpg"
    codes = list(VOCABULARIES)
    shown = rng.choice(codes) if rng.random() < OTHER_PHOTOS else code
    label = rng.choice(codes) if rng.random() < WRONG_LABELS else code
    if photos:
        photo_draws = stream(seed, "large photo", number)
        (photos / name).write_bytes(_photo(photo_draws, shown, seed))
    has_description = rng.random() >= WITHOUT_DESCRIPTION
    description = " ".join(_sentences(rng, code, number, seed)) if has_description else ""
    price = f"{vocabulary.price_eur[0] * np.exp(rng.gauss(0, vocabulary.price_eur[1])):.2f}"
    # a number of its own in each title: chance repetitions would tie products into one group
    title = f"{listing.title} - {number:06d}"
    return (f"drawn-{number:06d}", title, description, name, label, price, listing.brand)


def _sentences(rng: random.Random, code: str, number: int, seed: int) -> Iterator[str]:
    """Yield sentences as sellers of the class write them, and invented words no other one has."""
    wanted = rng.randint(*DESCRIPTION_WORDS)
    written = 0
    for part in range(wanted):
        if written >= wanted:
            return
        listing = write_listing(seed, f"{code}/{number}/{part}", VOCABULARIES[code])
        sentence = f"{listing.description} {_invented(rng)} {_invented(rng)}."
        written += len(sentence.split())
        yield sentence


def _invented(rng: random.Random) -> str:
    """Return a word as names of makers and models are: the long tail of a shop's words."""
    parts = ("ba", "cor", "dil", "fa", "gru", "lin", "mo", "nex", "pra", "ro", "sti", "tan", "vel")
    return "".join(rng.choices(parts, k=rng.randint(2, 4)))


_drawn: dict[tuple, Image.Image] = {}


def _photo(rng: random.Random, code: str, seed: int) -> bytes:
    """Return a JPEG of its own: a picture of the class, cut and lit."""
    key = (code, rng.randrange(PICTURES), seed)
    if key not in _drawn:
        listing = write_listing(seed, f"{code}/{key[1]}", VOCABULARIES[code])
        draws = stream(seed, "picture", *key)
        _drawn[key] = draw_picture(draws, listing, VOCABULARIES[code].place)
    picture = _drawn[key]
    margin = picture.width // 6
    left, top = rng.randrange(margin), rng.randrange(margin)
    box = (left, top, picture.width - rng.randrange(margin), picture.height - rng.randrange(margin))
    cut = picture.resize((PHOTO_PX, PHOTO_PX), Image.Resampling.BILINEAR, box)
    cells = np.array([rng.gauss(128, LIGHT_LEVELS) for _ in range(LIGHT_CELLS[0] * LIGHT_CELLS[1])])
    cells = cells.reshape(LIGHT_CELLS[1], LIGHT_CELLS[0]).clip(0, 255).astype(np.uint8)
    light = Image.fromarray(cells).resize(cut.size, Image.Resampling.BILINEAR).convert("RGB")
    lit = Image.blend(cut, light, 0.25)
    buffer = io.BytesIO()
    lit.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
