"""Uploaded catalogues: kept in a folder of the workspace, checked, predicted, added, forgotten.

batches/ID/
  source.csv      as it was uploaded (a workbook: its first sheet)
  photos.zip      the photos by their names in the file; absent without any
  batch.json      name, columns, state
  result.parquet  what a model said
"""

import json
import secrets
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from mmcore.catalog.csv_columns import CsvColumns, guess_columns
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.spreadsheet import to_csv
from mmcore.errors import CatalogueError, MmcoreError, NotFoundError, WorkspaceError
from mmcore.workspace import Workspace, write_atomically

KEPT_DAYS = 30
WORKBOOKS = (".xlsx", ".xlsm")
SOURCES = (".csv", ".tsv", ".txt", *WORKBOOKS)
PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
_COPIED = 1 << 20  # bytes at a time


@dataclass(frozen=True)
class Batch:
    """One upload.

    Attributes:
        name: of the uploaded file.
        state: new, done, cancelled or failed; whether one is running is known to who runs it.
        header: columns of the file.
        model: that predicted it, "" before.
        error: why it failed.
    """

    id: str
    name: str
    folder: Path
    created_at: float
    header: tuple[str, ...]
    columns: CsvColumns
    state: str = "new"
    model: str = ""
    num_predicted: int = 0
    num_without: int = 0
    seconds: float = 0.0
    error: str = ""
    issues: tuple[dict, ...] = field(default=())

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


@dataclass(frozen=True)
class Upload:
    """A file as the browser sent it; `name` may hold folders, and is never used as a path."""

    name: str
    file: BinaryIO


def create_batch(workspace: Workspace, uploads: Iterable[Upload], now: float) -> Batch:
    """Return a new batch from one table and any photos: single ones, or a ZIP archive.

    Raises:
        CatalogueError: if there isn't exactly one table, or it can't be read.
        WorkspaceError: if the workspace can't be written.
    """
    forget_old(workspace, now)
    folder = workspace.batches / f"{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True)
        try:
            return _fill(folder, list(uploads), now)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise WorkspaceError(
            f"the upload can't be kept in {workspace.batches}: {error.strerror or error}; free "
            "some space"
        ) from error


def _fill(folder: Path, uploads: list[Upload], now: float) -> Batch:
    tables = [u for u in uploads if u.name.lower().endswith(SOURCES)]
    if len(tables) != 1:
        found = ", ".join(u.name for u in tables[:5]) or "none"
        raise CatalogueError(
            f"one table is needed ({', '.join(SOURCES)}), these were given: {found}; upload it "
            "with its photos"
        )
    _keep_table(folder, tables[0])
    _keep_photos(folder, [u for u in uploads if u is not tables[0]])
    table = open_table(folder / "source.csv")
    batch = Batch(
        folder.name,
        tables[0].name,
        folder,
        now,
        table.header,
        guess_columns(table.header, table.unnamed),
    )
    return save_batch(batch)


def _keep_table(folder: Path, upload: Upload) -> None:
    target = folder / "source.csv"
    if not upload.name.lower().endswith(WORKBOOKS):
        with target.open("wb") as file:
            shutil.copyfileobj(upload.file, file, _COPIED)
        return
    workbook = folder / "source.xlsx"
    with workbook.open("wb") as file:
        shutil.copyfileobj(upload.file, file, _COPIED)
    try:
        to_csv(workbook, target)
    except CatalogueError as error:
        raise CatalogueError(str(error).replace(workbook.name, upload.name)) from error
    workbook.unlink()


def _keep_photos(folder: Path, uploads: list[Upload]) -> None:
    """Put the photos into one archive: as members, names that mean harm lead nowhere."""
    archives = [u for u in uploads if u.name.lower().endswith(".zip")]
    photos = [u for u in uploads if u.name.lower().endswith(PHOTO_ENDINGS)]
    if len(archives) > 1 or (archives and photos):
        raise CatalogueError(
            f"{len(archives)} ZIP archives and {len(photos)} photos were given; upload one archive "
            "or the photos themselves"
        )
    target = folder / "photos.zip"
    if archives:
        with target.open("wb") as file:
            shutil.copyfileobj(archives[0].file, file, _COPIED)
    elif photos:
        # photos are compressed already
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for upload in photos:
                with archive.open(upload.name.replace("\\", "/"), "w", force_zip64=True) as member:
                    shutil.copyfileobj(upload.file, member, _COPIED)


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
    return save_batch(replace(batch, columns=columns, state="new", model="", issues=(), error=""))


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
