"""The drawn demo catalogue: 27 classes of French listings and pictures, made by code from scratch.

Nothing in it was photographed or copied: words come from words_*.py, pictures from
draw_*.py. It is the app's first catalogue and the tests' fixture, and it says that it is
drawn: in the column `_drawn`, in every product id and file name, and on every picture. Wrong labels
are planted and recorded (`_true_label` beside `label`), so that label repair can be measured.
Read texts.py, pictures.py and faults.py next.
"""

import csv
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from mmcore.catalog.drawing.draws import ranked, stream
from mmcore.catalog.drawing.faults import (
    SUFFIXES,
    Faults,
    plan_copies,
    plan_faults,
    save_broken,
    save_photo,
)
from mmcore.catalog.drawing.pictures import draw_layer, draw_picture, marked
from mmcore.catalog.drawing.texts import VOCABULARIES, Listing, write_listing

COLUMNS = (
    "product_id", "title", "description", "image", "label", "_true_label", "price", "brand",
    "_drawn",
)  # fmt: skip
DRAWN = "drawn"
LARGEST_SURPLUS = 0.4  # a class holds up to 1.4 times as many products as the smallest
RECOMPRESSED_QUALITY = 70


@dataclass(frozen=True)
class _Plan:
    """Everything decided before the first picture is drawn; products go by key "code/number"."""

    seed: int
    true_labels: Mapping[str, str]
    listings: Mapping[str, Listing]
    faults: Faults
    pictures: Mapping[str, str]  # copy to original
    order: tuple[str, ...]  # of the rows


def draw_catalogue(
    folder: Path,
    *,
    products_per_class: int = 44,
    seed: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Return the path of `products.csv`, with its photos under `folder/images/`.

    Args:
        folder: made if missing; files of an earlier catalogue are overwritten.
        products_per_class: of the smallest class; the largest has up to 1.4 times as many.
        seed: equal seed and size give the same catalogue, byte for byte, on one machine.
        progress: called with (products drawn, products in all) after each product.

    Raises:
        ValueError: if `products_per_class` is below 1.
    """
    if products_per_class < 1:
        raise ValueError(
            f"products_per_class is {products_per_class}, the least is 1; "
            "leave it out for the full demo catalogue (44)"
        )
    plan = _plan(products_per_class, seed)
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, key in enumerate(plan.order, start=1):
        product_id = f"{DRAWN}-{number:05d}"
        image_name = _write_photo(plan, key, images / product_id)
        rows.append(_row(plan, key, product_id, image_name))
        if progress:
            progress(number, len(plan.order))
    return _write_table(folder / "products.csv", rows)


def _plan(products_per_class: int, seed: int) -> _Plan:
    true_labels = {
        f"{code}/{number:04d}": code
        for code in VOCABULARIES
        for number in range(_class_size(products_per_class, seed, code))
    }
    listings = _unrepeated(
        {key: write_listing(seed, key, VOCABULARIES[code]) for key, code in true_labels.items()}
    )
    faults = plan_faults(seed, true_labels)
    texts, pictures = plan_copies(seed, listings, faults)
    listings |= {copy: listings[original] for copy, original in texts.items()}
    order = ranked(seed, "row order", list(true_labels))
    return _Plan(seed, true_labels, listings, faults, pictures, tuple(order))


def _class_size(products_per_class: int, seed: int, code: str) -> int:
    surplus = LARGEST_SURPLUS * stream(seed, "class size", code).random() ** 2
    return round(products_per_class * (1 + surplus))


def _unrepeated(listings: Mapping[str, Listing]) -> dict[str, Listing]:
    """Return the listings with a number added to chance repetitions of a title.

    Only planned copies may be equal: a chance one would tie two classes into one group.
    """
    seen: set[str] = set()
    unrepeated: dict[str, Listing] = {}
    for key, listing in listings.items():
        title, number = listing.title, 2
        while title.lower() in seen:
            title = f"{listing.title} ({number})"
            number += 1
        seen.add(title.lower())
        unrepeated[key] = replace(listing, title=title)
    return unrepeated


def _write_photo(plan: _Plan, key: str, stem: Path) -> str:
    """Return the name of the photo file written for a product, empty if it has none."""
    kind = plan.faults.photos.get(key, "jpeg")
    if kind == "none":
        return ""
    path = stem.with_suffix(SUFFIXES.get(kind, ".jpg"))
    if kind == "png":
        layer = draw_layer(stream(plan.seed, "picture", key), plan.listings[key])
        save_photo(marked(layer), path, kind)
    elif kind == "broken":
        broken = [k for k in sorted(plan.faults.photos) if plan.faults.photos[k] == "broken"]
        save_broken(_picture(plan, key), path, style=broken.index(key))
    elif key in plan.pictures:
        # every other copy is the same file, the rest were compressed once more by another shop
        is_same_file = sorted(plan.pictures).index(key) % 2 == 0
        quality = {} if is_same_file else {"quality": RECOMPRESSED_QUALITY}
        save_photo(_picture(plan, plan.pictures[key]), path, kind, **quality)
    else:
        save_photo(_picture(plan, key), path, kind)
    return path.name


def _picture(plan: _Plan, key: str) -> Image.Image:
    place = VOCABULARIES[plan.true_labels[key]].place
    return draw_picture(stream(plan.seed, "picture", key), plan.listings[key], place)


def _row(plan: _Plan, key: str, product_id: str, image_name: str) -> dict[str, str]:
    listing, faults, code = plan.listings[key], plan.faults, plan.true_labels[key]
    return {
        "product_id": product_id,
        "title": listing.title,
        "description": "" if key in faults.no_description else listing.description,
        "image": image_name,
        "label": faults.labels.get(key, code),
        "_true_label": code,
        "price": "" if key in faults.no_price else _price(plan.seed, key, code),
        "brand": "" if key in faults.no_brand else listing.brand,
        "_drawn": DRAWN,
    }


def _price(seed: int, key: str, code: str) -> str:
    median, sigma = VOCABULARIES[code].price_eur
    price = median * math.exp(stream(seed, "price", key).gauss(0, sigma))
    return f"{max(0.5, price):.2f}"


def _write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    """Return `path` after writing the rows to it; it appears only once it is complete."""
    part = path.with_suffix(".csv.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(part, path)
    return path
