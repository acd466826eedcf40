"""Uploaded catalogues: kept in a folder of the workspace, checked, predicted, added, forgotten.

batches/ID/
  source.csv      as it was uploaded (a workbook: its first sheet)
  photos.zip      the photos by their names in the file; absent without any
  batch.json      name, columns, state
  result.parquet  what a model said; result.parquet.part: what it said before it was ended
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import CsvTable, open_table
from mmcore.catalog.issues import RowIssue
from mmcore.errors import CatalogueError, MmcoreError, NotFoundError
from mmcore.services.batch_journal import discard
from mmcore.workspace import Workspace, write_atomically

KEPT_DAYS = 30  # since it was last mapped, predicted or added
MAX_PRODUCTS = 200_000  # of one batch: the results are held in memory while they are looked at


@dataclass(frozen=True)
class Batch:
    """One upload.

    Attributes:
        name: of the uploaded file.
        state: new, done, cancelled or failed; whether one is running is known to who runs it.
        header: columns of the file.
        separator: of the columns, None to find it.
        model: that predicted it, "" before.
        num_predicted, num_without: products with and without an answer.
        error: why the last prediction failed or was cancelled.
        issues: remarks of the prediction on rows: line, product_id, reason.
        num_added: products that the catalogue has of it, added the last time at `added_at`.
    """

    id: str
    name: str
    folder: Path
    created_at: float
    header: tuple[str, ...]
    columns: CsvColumns
    separator: str | None = None
    state: str = "new"
    model: str = ""
    num_predicted: int = 0
    num_without: int = 0
    seconds: float = 0.0
    error: str = ""
    issues: tuple[dict, ...] = field(default=())
    num_added: int = 0
    added_at: float = 0.0

    @property
    def source(self) -> Path:
        return self.folder / "source.csv"

    @property
    def photos(self) -> Path | None:
        """Return the archive of photos, None without one."""
        path = self.folder / "photos.zip"
        return path if path.exists() else None

    @property
    def result(self) -> Path:
        return self.folder / "result.parquet"


def save_batch(batch: Batch) -> Batch:
    """Keep what is known of a batch; returns it."""
    data = asdict(batch)
    del data["folder"]
    text = json.dumps(data, ensure_ascii=False).encode()
    write_atomically(batch.folder / "batch.json", lambda file: file.write(text))
    return batch


def read_batch(workspace: Workspace, batch_id: str) -> Batch:
    """Return a batch.

    Raises:
        NotFoundError: if there is none, or its folder is damaged.
    """
    folder = workspace.batches / batch_id
    if not batch_id.isalnum() or not folder.is_dir():
        raise NotFoundError(
            f"there is no batch {batch_id[:40]!r}; they are kept for {KEPT_DAYS} days: upload it "
            "again"
        )
    try:
        data = json.loads((folder / "batch.json").read_text(encoding="utf-8"))
        columns = data.pop("columns")
        columns["extra"] = tuple(columns["extra"])
        data |= {"header": tuple(data["header"]), "issues": tuple(data["issues"])}
        return Batch(folder=folder, columns=CsvColumns(**columns), **data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFoundError(
            f"batch {batch_id} can't be read ({error}); delete it and upload the file again"
        ) from error


def batch_table(batch: Batch) -> CsvTable:
    """Return the table of a batch.

    Raises:
        CatalogueError: if it can't be read any more.
    """
    return open_table(batch.source, batch.separator)


def batch_rows(batch: Batch) -> Iterator[RawProduct | RowIssue]:
    """Yield the products of a batch by the meaning of its columns, and what is wrong with rows.

    Raises:
        CatalogueError: if the table or the meaning of its columns can't be used, or it has more
            products than a screen can hold.
    """
    num = 0
    for row in read_products(batch_table(batch), batch.columns, may_be_empty=True):
        num += isinstance(row, RawProduct)
        if num > MAX_PRODUCTS:
            raise CatalogueError(
                f"{batch.name} has more than {MAX_PRODUCTS:,} products, the limit of this screen; "
                "split the file, or use the command line: python -m mmcore predict-batch, and "
                "python -m mmcore import csv"
            )
        yield row


def list_batches(workspace: Workspace) -> list[Batch]:
    """Return the batches that can be read, newest first."""
    found = []
    for folder in workspace.batches.glob("*") if workspace.batches.is_dir() else ():
        try:
            found.append(read_batch(workspace, folder.name))
        except MmcoreError:
            continue  # half-written by a crash: it goes when it is old
    return sorted(found, key=lambda batch: -batch.created_at)


def map_columns(batch: Batch, columns: CsvColumns) -> Batch:
    """Return the batch with another meaning of its columns; what was predicted is gone."""
    batch.result.unlink(missing_ok=True)
    discard(batch.result)
    again = {"state": "new", "model": "", "num_predicted": 0, "num_without": 0, "error": ""}
    return save_batch(replace(batch, columns=columns, issues=(), **again))


def delete_batch(workspace: Workspace, batch_id: str) -> None:
    """Delete the files of a batch; the catalogue keeps what was added to it."""
    shutil.rmtree(read_batch(workspace, batch_id).folder, ignore_errors=True)


def forget_old(workspace: Workspace, now: float) -> int:
    """Return how many batches were deleted for their age."""
    count = 0
    for folder in workspace.batches.glob("*") if workspace.batches.is_dir() else ():
        if folder.stat().st_mtime < now - KEPT_DAYS * 86_400:
            shutil.rmtree(folder, ignore_errors=True)
            count += 1
    return count
