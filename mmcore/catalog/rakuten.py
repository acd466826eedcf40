"""The layout of the Rakuten France challenge of 2020: two CSV files and a folder of photos.

X_train_update.csv                  unnamed index, designation, description, productid, imageid
Y_train_CVw08PX.csv                 unnamed index, prdtypecode
images/image_train/image_{imageid}_product_{productid}.jpg
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import CsvTable, open_table
from mmcore.catalog.issues import KEPT, LEFT_OUT, RowIssue, shown
from mmcore.catalog.rakuten_classes import RAKUTEN_CLASSES
from mmcore.errors import CatalogueError

_CODES = frozenset(name.code for name in RAKUTEN_CLASSES)
_CODE_COLUMN = "prdtypecode"
_PRODUCT_COLUMNS = CsvColumns(
    product_id="productid", title="designation", description="description", image="imageid"
)


@dataclass(frozen=True)
class RakutenPart:
    """One part of the challenge: its product file, label file and photo folder."""

    products: str
    labels: str | None
    photos: str


PARTS = {
    "train": RakutenPart("X_train_update.csv", "Y_train_CVw08PX.csv", "image_train"),
    "test": RakutenPart("X_test_update.csv", None, "image_test"),
}


@dataclass(frozen=True)
class RakutenFiles:
    """What of a part was found.

    Attributes:
        labels: row index -> class code; None where there is no label file.
        photos: folder or ZIP archive, None where there is none.
        issues: with the label file.
    """

    products: CsvTable
    labels: dict[str, str] | None
    photos: Path | None
    issues: tuple[RowIssue, ...]


def open_rakuten(folder: Path, part: str = "train") -> RakutenFiles:
    """Return the files of one part of the challenge.

    Args:
        part: train, or test: the challenge's own, which has no labels (not the split).

    Raises:
        CatalogueError: if the product file is missing or can't be used.
    """
    if part not in PARTS:
        raise CatalogueError(f"part {part!r} of the challenge is unknown; use train or test")
    names = PARTS[part]
    path = folder / names.products
    if not path.is_file():
        raise CatalogueError(
            f"{folder} holds no {names.products}; give the folder of the Rakuten challenge, with "
            f"{names.products}, {names.labels or 'no label file'} and images/{names.photos}/"
        )
    table = open_table(path)
    labels, issues = _read_labels(folder, names.labels)
    return RakutenFiles(table, labels, _find_photos(folder, names.photos), issues)


def read_rakuten(files: RakutenFiles) -> Iterator[RawProduct | RowIssue]:
    """Return the products of a part and the issues with its rows.

    Raises:
        CatalogueError: at once, if the product file lacks a column.
    """
    header = files.products.header
    if header[0] in _PRODUCT_COLUMNS.mapped().values():
        raise CatalogueError(
            f"{files.products.path} begins with column {header[0]!r}, not with the row index that "
            "the label file refers to; use the file as the challenge hands it out"
        )
    columns = dataclasses.replace(_PRODUCT_COLUMNS, extra=header[:1])
    rows = read_products(files.products, columns)
    return _read(rows, files)


def _read(
    rows: Iterator[RawProduct | RowIssue], files: RakutenFiles
) -> Iterator[RawProduct | RowIssue]:
    yield from files.issues
    for row in rows:
        if isinstance(row, RowIssue):
            yield row
            continue
        label = (files.labels or {}).get(row.extra[0], "")
        if label and label not in _CODES:
            reason = f"class {shown(label)} isn't among the 27 codes of the challenge; correct it"
            yield _issue(row, reason, LEFT_OUT)
            continue
        if not label and files.labels is not None:
            reason = f"the label file has no class for row {row.extra[0]}; it is kept unlabelled"
            yield _issue(row, reason, KEPT)
        image = f"image_{row.image}_product_{row.product_id}.jpg" if row.image else ""
        yield dataclasses.replace(row, label=label, image=image, extra=())


def _issue(row: RawProduct, reason: str, severity: str) -> RowIssue:
    return RowIssue(row.line, row.product_id, _CODE_COLUMN, reason, severity)


def _read_labels(
    folder: Path, name: str | None
) -> tuple[dict[str, str] | None, tuple[RowIssue, ...]]:
    """Return index -> code and the issues with the label file, None where there is no file."""
    if name is None or not (folder / name).is_file():
        return None, ()
    table = open_table(folder / name)
    if _CODE_COLUMN not in table.header:
        raise CatalogueError(
            f"{table.path} has no column {_CODE_COLUMN!r}; {table.describe_columns()}"
        )
    place = table.header.index(_CODE_COLUMN)
    labels: dict[str, str] = {}
    issues = []
    for record in table.records():
        if record.problem:
            reason = f"{name}: {record.problem}"
            issues.append(RowIssue(record.line, "", _CODE_COLUMN, reason, KEPT))
        else:
            labels.setdefault(record.fields[0].strip(), record.fields[place].strip())
    return labels, tuple(issues)


def _find_photos(folder: Path, name: str) -> Path | None:
    candidates = (
        folder / "images" / name,
        folder / name,
        folder / "images.zip",  # as the challenge hands it out
    )
    return next((path for path in candidates if path.exists()), None)
