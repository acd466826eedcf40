"""Models and files for the benchmarks, made from the drawn catalogue in a moment."""

import csv
import os
from pathlib import Path

from bench_shop import mmcore

from mmcore.catalog.demo import draw_catalogue

PER_CLASS = 12  # drawn products of each of 27 classes: what files of any size repeat
COLUMNS = ("product_id", "title", "description", "image")


def make_demo(home: Path, per_class: int = 8) -> str:
    """Return the name of a model (Lite0, strong) trained on a drawn catalogue of its own."""
    mmcore(home, "demo", "--products", str(per_class), "--json")
    return "demo"


def add_model(home: Path, backbone: str) -> str:
    """Return the name of a strong model with another backbone; random weights cost the same."""
    options = ["--backbone", backbone, "--weights", "random", "--epochs1", "1", "--name", backbone]
    if not (home / "models" / backbone).is_dir():
        mmcore(home, "train", *options, "--set", "refit=false")
    return backbone


def make_file(folder: Path, num_products: int) -> tuple[Path, Path]:
    """Return a file of that many products and the folder of their photos.

    A few hundred are drawn; the others repeat their texts and, under names of their own (hard
    links), their photos.
    """
    drawn = folder / "drawn"
    if not drawn.exists():
        draw_catalogue(drawn, products_per_class=PER_CLASS)
    table = next(drawn.glob("*.csv"))
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    photos = folder / f"photos-{num_products}"
    photos.mkdir()
    path = folder / f"products-{num_products}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for number in range(num_products):
            row = rows[number % len(rows)]
            photo = _linked(drawn / "images", row["image"], photos, number)
            title = f"{row['title']} {number}"
            values = (f"p{number}", title, row["description"], photo)
            writer.writerow(dict(zip(COLUMNS, values, strict=True)))
    return path, photos


def _linked(images: Path, name: str, folder: Path, number: int) -> str:
    source = images / name
    if not name or not source.is_file():
        return ""
    photo = f"photo-{number}{source.suffix}"
    os.link(source, folder / photo)
    return photo
