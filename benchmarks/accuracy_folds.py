"""Five group-wise folds of a catalogue's file, for `accuracy.py`."""

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

NUM_BUCKETS = 10
FOLDS = NUM_BUCKETS // 2
SPLIT = "fold_split"
_TEXTS = ("title", "description")


@dataclass(frozen=True)
class Fold:
    """The products of one fold, with their split."""

    rows: list[dict]
    label: str
    has_photos: bool

    def split(self, name: str) -> list[dict]:
        return [row for row in self.rows if row[SPLIT] == name]

    def write(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)

    def columns(self) -> list[str]:
        """Return the options that tell `import` what the columns are."""
        named = {"id": "product_id", "label": self.label, "split": SPLIT}
        named |= {text: text for text in _TEXTS if text in self.rows[0]}
        if "group_id" in self.rows[0]:
            named["group"] = "group_id"
        if self.has_photos:
            named["image"] = "image"
        return [word for name, column in named.items() for word in (f"--{name}", column)]


@dataclass(frozen=True)
class FoldedCatalogue:
    """All products that count."""

    rows: list[dict]
    label: str
    has_photos: bool

    @property
    def num_classes(self) -> int:
        return len({row[self.label] for row in self.rows})

    def fold(self, number: int, share: float) -> Fold:
        """Return a fold, with a share of the groups of train and val."""
        rows = [{**row, SPLIT: _split(row, number)} for row in self.rows]
        kept = [r for r in rows if r[SPLIT] == "test" or _draw("share", r) < share]
        return Fold(kept, self.label, self.has_photos)


def read_catalogue(path: Path, images: Path, label: str, min_count: int) -> FoldedCatalogue:
    """Return the products that have a label, a photo (if any) and enough company in their class."""
    has_photos = str(images) != "-"
    csv.field_size_limit(10**9)
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row[label]]
    rows = [row for row in rows if not has_photos or row["image"]]
    counts = Counter(row[label] for row in rows)
    rows = [row for row in rows if counts[row[label]] >= min_count]
    if not rows:
        raise SystemExit(f"{path} has no product with a {label}" + " and a photo" * has_photos)
    return FoldedCatalogue(rows, label, has_photos)


def _split(row: dict, fold: int) -> str:
    bucket = _hash("s", row) % NUM_BUCKETS
    if bucket // 2 == fold:
        return "test"
    return "val" if bucket // 2 == (fold - 1) % FOLDS else "train"


def _draw(name: str, row: dict) -> float:
    """Return a number from 0 to 1 that a group has for good: a larger share holds a smaller one."""
    return (_hash(name, row) % 10**6) / 10**6


def _hash(name: str, row: dict) -> int:
    key = name + (row.get("group_id") or row["product_id"])
    return int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(), 16)
