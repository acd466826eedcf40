"""A backup: everything of a workspace that can't be made anew, in one file, while people work.

The database is copied first, as of one moment; photos and models that are added after that moment
may be in the file, too, and do no harm. Not inside: caches, thumbnails, logs, runs that have not
ended, pretrained weights.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcore import __version__
from mmcore.errors import ArtifactError, BackupError
from mmcore.holding import using
from mmcore.photos import PhotoStore
from mmcore.services.backup_file import (
    DATABASE,
    BackupInfo,
    BackupWriter,
    check_seal,
    is_part_name,
    opened_backup,
    part_chunks,
    read_chunks,
    write_backup,
)
from mmcore.services.people import Actor, require
from mmcore.store.copying import check_sqlite, copy_sqlite, count_rows, table_lines
from mmcore.store.engine import Store
from mmcore.store.migrate import newest_revision
from mmcore.store.tables import Base
from mmcore.workspace import Workspace, sync_folder

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class BackupOptions:
    """Where a backup goes, and what goes into it beside the database and the catalogue."""

    target: Path
    photos: bool = True
    models: bool = True


@dataclass(frozen=True)
class BackupReport:
    """What was backed up, and what the person should know."""

    target: Path
    info: BackupInfo
    num_bytes: int
    notes: tuple[str, ...]


def backup(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    options: BackupOptions,
    now: float,
    progress: Progress = lambda done, total: None,
) -> BackupReport:
    """Write a backup and read it again; the file appears whole and checked, or not at all.

    Args:
        progress: called with (bytes done, bytes in all), roughly.

    Raises:
        RefusedError: below the role of admin: everything that anybody knows is in it.
        BackupError: if the file exists, can't be written, or isn't what was packed.
    """
    require(actor, "admin")
    target = options.target
    if target.exists():
        raise BackupError(f"{target} exists; choose another name, backups are never overwritten")
    if not target.parent.is_dir():
        raise BackupError(f"folder {target.parent} doesn't exist; make it or choose another")
    task = _Backup(store, workspace, options, now, progress)
    scratch = target.parent / f".{target.name}.{secrets.token_hex(8)}"
    try:
        scratch.mkdir()
        info = task.write(scratch)
        (scratch / "packed").rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupError(
            f"backup {target} can't be written: {error.strerror or error}; nothing is left of it; "
            "free some disk space or choose another place"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return BackupReport(target, info, target.stat().st_size, tuple(task.notes))


def verify_backup(path: Path) -> BackupInfo:
    """Return what a backup holds, after reading every byte of it.

    Raises:
        BackupError: naming what is wrong.
    """
    check_seal(path)
    with opened_backup(path) as (info, archive):
        for part in info.parts:
            for _ in part_chunks(archive, part):
                pass
    return info


class _Backup:
    """One backup being made; `backup` is the only caller."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        options: BackupOptions,
        now: float,
        progress: Progress,
    ) -> None:
        self.store, self.workspace, self.options, self.now = store, workspace, options, now
        self._progress = progress
        self._done, self._total = 0, 1
        self.notes: list[str] = []

    def write(self, scratch: Path) -> BackupInfo:
        """Return what was packed into `scratch`/packed, read again from the disk."""
        packed = scratch / "packed"
        with packed.open("xb") as file:
            write_backup(file, packed, lambda writer: self._fill(writer, scratch))
            file.flush()
            os.fsync(file.fileno())
        return verify_backup(packed)

    def _fill(self, writer: BackupWriter, scratch: Path) -> None:
        rows = self._database(writer, scratch)
        photos = self._photos() if self.options.photos else []
        models = self._models() if self.options.models else []
        self._total = self._done + _size(photos) + sum(_size(m.iterdir()) for m in models) + 1
        for path in photos:
            self._add(writer, f"photos/{path.parent.name}/{path.name}", path)
        for folder in models:
            self._add_model(writer, folder)
        writer.finish(
            {
                "created_at": self.now,
                "code_version": __version__,
                "revision": newest_revision(),
                "is_sqlite": self.store.is_sqlite,
                "has_photos": self.options.photos,
                "has_models": self.options.models,
                "rows": rows,
            }
        )
        self._progress(self._total, self._total)

    def _database(self, writer: BackupWriter, scratch: Path) -> dict[str, int]:
        """Add the database; returns table -> rows."""
        if self.store.is_sqlite:
            source, copy = Path(self.store.engine.url.database), scratch / DATABASE
            size = source.stat().st_size

            def show(pages: int, num_pages: int) -> None:
                self._progress(size * pages // max(1, num_pages), size + 1)

            copy_sqlite(source, copy, show)
            rows = check_sqlite(copy)
            self._total = copy.stat().st_size + 1  # its packing; the rest isn't counted yet
            writer.add(DATABASE, self._counted(read_chunks(copy)), is_packed=True)
            copy.unlink()  # its space may be needed for the photos
            return rows
        moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.store.engine.connect().execution_options(**moment) as connection:
            rows = count_rows(connection)
            for table in Base.metadata.sorted_tables:
                lines = self._counted(table_lines(connection, table))
                writer.add(f"tables/{table.name}.jsonl", lines, is_packed=True)
        return rows

    def _photos(self) -> list[Path]:
        store = PhotoStore(self.workspace.photos)
        return [p for p in sorted(store.root.glob("??/*")) if p.name in store]

    def _models(self) -> list[Path]:
        return [p.parent for p in sorted(self.workspace.models.glob("[!.]*/MANIFEST.json"))]

    def _add_model(self, writer: BackupWriter, folder: Path) -> None:
        try:
            with using(folder):  # pruning leaves it alone meanwhile
                for path in sorted(p for p in folder.iterdir() if p.is_file()):
                    name = f"models/{folder.name}/{path.name}"
                    if is_part_name(name):  # not what a file manager left there
                        self._add(writer, name, path)
        except ArtifactError as error:
            self.notes.append(f"left out: {error}")

    def _add(self, writer: BackupWriter, name: str, path: Path) -> None:
        part = writer.add(name, self._counted(read_chunks(path)))
        if name.startswith("photos/") and part.sha256 != path.name:
            self.notes.append(f"photo {path.name[:12]} is damaged on the disk; it went in as it is")

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self._done += len(chunk)
            # rows of PostgreSQL are counted as they come: never the end before it is there
            self._progress(self._done, max(self._total, self._done + 1))


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)
