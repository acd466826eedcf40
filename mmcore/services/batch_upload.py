"""Keeping an uploaded catalogue: a table (CSV or Excel) and its photos, written to disk at once."""

import secrets
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmcore.catalog.csv_columns import guess_columns
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.photo_source import open_photo_source
from mmcore.catalog.spreadsheet import to_csv
from mmcore.errors import CatalogueError, WorkspaceError
from mmcore.services.batches import Batch, forget_old, save_batch
from mmcore.workspace import Workspace

WORKBOOKS = (".xlsx", ".xlsm")
SOURCES = (".csv", ".tsv", ".txt", *WORKBOOKS)
PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
_COPIED = 1 << 20  # bytes at a time


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
    separator = _keep_table(folder, tables[0])
    _keep_photos(folder, [u for u in uploads if u is not tables[0]])
    try:
        table = open_table(folder / "source.csv", separator)
    except CatalogueError as error:
        raise _renamed(error, folder / "source.csv", tables[0]) from error
    columns = guess_columns(table.header, table.unnamed)
    name = tables[0].name
    return save_batch(Batch(folder.name, name, folder, now, table.header, columns, separator))


def _renamed(error: CatalogueError, path: Path, upload: Upload) -> CatalogueError:
    """Return an error that calls a file what the person calls it."""
    told = str(error).replace(str(path), upload.name).replace(path.name, upload.name)
    return CatalogueError(told)


def _keep_table(folder: Path, upload: Upload) -> str | None:
    """Return the separator of the table that was kept, None where it has to be found."""
    target = folder / "source.csv"
    if not upload.name.lower().endswith(WORKBOOKS):
        with target.open("wb") as file:
            shutil.copyfileobj(upload.file, file, _COPIED)
        return None
    workbook = folder / "source.xlsx"
    with workbook.open("wb") as file:
        shutil.copyfileobj(upload.file, file, _COPIED)
    try:
        to_csv(workbook, target)
    except CatalogueError as error:
        raise _renamed(error, workbook, upload) from error
    workbook.unlink()
    return ","


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
        try:
            open_photo_source(target).close()
        except CatalogueError as error:
            raise _renamed(error, target, archives[0]) from error
    elif photos:
        # by name: of two with one name the last counts
        named = {upload.name.replace("\\", "/"): upload for upload in photos}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # compressed already
            for name, upload in named.items():
                with archive.open(name, "w", force_zip64=True) as member:
                    shutil.copyfileobj(upload.file, member, _COPIED)
