"""Photos, a catalogue and a trained model for the scripts here that need them."""

import argparse
import csv
import io
import itertools
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from mmcore.catalog.demo import draw_catalogue

PHOTO_PX = 500  # of the Rakuten challenge's photos
_QUALITY = 85


def add_catalogue(parser: argparse.ArgumentParser) -> None:
    """Let a script take a real catalogue; without, it works on a drawn one."""
    parser.add_argument("products", type=Path, nargs="?", help="CSV file; without: drawn products")
    parser.add_argument("images", type=Path, nargs="?", help="folder of its photos")


def make_photos(folder: Path, count: int, csv_file: Path | None, images: Path | None) -> Path:
    """Return a CSV file of `count` products with JPEG photos of 500 x 500 beside it.

    Columns: product_id, title, description, category, image_path (under `folder`).

    Args:
        csv_file: a catalogue with columns title, description, category, image; None: one is drawn.
            Its photos repeat, each as a file of its own, where there are too few.
    """
    if csv_file is None:
        csv_file = draw_catalogue(folder / "drawn", products_per_class=4)
        images = csv_file.parent
    (folder / "jpeg").mkdir(parents=True)
    with csv_file.open(encoding="utf-8-sig", newline="") as file:
        rows = [_row(row, folder, images or csv_file.parent) for row in csv.DictReader(file)]
    usable = [row for row in rows if row is not None]
    target = folder / "products.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["product_id", "title", "description", "category", "image_path"])
        for number, row in enumerate(itertools.islice(itertools.cycle(usable), count)):
            title, description, category, photo = row
            path = folder / "jpeg" / f"{number}.jpg"
            # another comment, another photo: features are kept by content
            path.write_bytes(photo[:2] + _comment(str(number).encode()) + photo[2:])
            writer.writerow([number, title, description, category, f"jpeg/{number}.jpg"])
    return target


def _row(row: dict, folder: Path, images: Path) -> tuple[str, str, str, bytes] | None:
    category, name = row.get("category") or row.get("label"), row.get("image")
    if not category or not name:
        return None
    path = next((p for p in (images / name, images / "images" / name) if p.is_file()), None)
    if path is None:
        return None
    try:
        with Image.open(path) as image:
            photo = image.convert("RGB").resize((PHOTO_PX, PHOTO_PX), Image.Resampling.BICUBIC)
    except OSError:
        return None
    data = io.BytesIO()
    photo.save(data, "JPEG", quality=_QUALITY)
    return row["title"], row["description"], category, data.getvalue()


def _comment(text: bytes) -> bytes:
    """Return a JPEG comment segment."""
    return b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text


def mmcore(home: Path, *words: str, **environment: str) -> str:
    """Run a command of the package's on a workspace, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mmcore", *words, "--home", str(home)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"mmcore {' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def train_quickly(home: Path, table: Path, preset: str, backbone: str) -> Path:
    """Return the folder of a model that has learnt next to nothing: speed does not depend on it.

    Args:
        table: from `make_photos`.
    """
    named = ("--id", "product_id", "--label", "category", "--image", "image_path")
    mmcore(home, "import", "csv", str(table), "--images", str(table.parent), *named)
    weights = () if backbone == "efficientnet_lite0" else ("--weights", "random")
    quick = ("--preset", preset, "--epochs1", "1", "--set", "refit=false")
    mmcore(home, "train", *quick, "--backbone", backbone, *weights)
    return next((home / "models").iterdir())
