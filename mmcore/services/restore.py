"""Putting a backup back: checked first, then unpacked beside, then swapped in, or not at all.

What was there before is kept beside the workspace's files, in `before-restore-…`, until a person
deletes it.
"""

import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

from mmcore.errors import BackupError
from mmcore.services.backup import verify_backup
from mmcore.services.backup_file import (
    DATABASE,
    BackupInfo,
    is_part_name,
    opened_backup,
    part_chunks,
)
from mmcore.services.people import Actor, require
from mmcore.services.restore_checks import (
    database_file,
    in_use,
    is_open_elsewhere,
    require_empty,
    require_nobody_there,
    require_space,
)
from mmcore.services.restore_swap import Move, commit, restore_lock, swap, undo
from mmcore.settings import Settings
from mmcore.store.copying import check_sqlite, copy_rows, load_lines
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import is_known, migrate, migrate_to
from mmcore.workspace import Workspace

_SIDE_FILES = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database in use

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RestoreOptions:
    """What the person allowed.

    Attributes:
        by: who asks; at the command line `people.OPERATOR`: the people of the database are about
            to be replaced, too.
        replace: what is in the workspace gives way (and is kept aside).
        force: even while other processes have it open; what they write afterwards is lost.
    """

    by: Actor
    replace: bool = False
    force: bool = False


@dataclass(frozen=True)
class RestoreReport:
    """What was put back, and where the old files are now (None: there were none)."""

    info: BackupInfo
    kept: Path | None


def restore(
    source: Path,
    workspace: Workspace,
    settings: Settings,
    options: RestoreOptions,
    now: float,
    progress: Progress = lambda done, total: None,
) -> RestoreReport:
    """Put a backup into a workspace and its database, SQLite or PostgreSQL, whichever it came from.

    Args:
        progress: called with (bytes unpacked, bytes in all).

    Raises:
        RefusedError: below the role of admin.
        BackupError: if the backup is damaged or newer than this version, the workspace isn't
            empty, somebody has it open, or the disk is too small; nothing has changed then.
    """
    require(options.by, "admin")
    info = verify_backup(source)
    if not is_known(info.revision):
        raise BackupError(
            f"backup {source} was made by a newer version of Rayon (tables {info.revision}); "
            "update Rayon, then restore"
        )
    workspace.create()
    with restore_lock(workspace):
        undo(workspace)
        task = _Restore(source, workspace, settings, info, options)
        return task.run(now, progress)


class _Restore:
    """One restore; `restore` is the only caller."""

    def __init__(
        self,
        source: Path,
        workspace: Workspace,
        settings: Settings,
        info: BackupInfo,
        options: RestoreOptions,
    ) -> None:
        self.source, self.workspace, self.info = source, workspace, info
        self.options = options
        self.url = settings.database_url or sqlite_url(workspace.database_file)
        self.target = Store(self.url)
        self.scratch = workspace.home / f".restore-{secrets.token_hex(8)}"

    def run(self, now: float, progress: Progress) -> RestoreReport:
        """Return the report of a restore that is done."""
        try:
            if not self.options.replace:
                require_empty(self.workspace, self.target)
            if not self.options.force:
                require_nobody_there(self.target)
            require_space(self.workspace.home, self.info.num_bytes)
            self._unpack(progress)
            self._prepare_database()
            return RestoreReport(self.info, self._put_in_place(now))
        except OSError as error:
            raise BackupError(
                f"{self.source} can't be restored to {self.workspace.home}: "
                f"{error.strerror or error}; the workspace is as it was"
            ) from error
        finally:
            self.target.close()
            shutil.rmtree(self.scratch, ignore_errors=True)

    # -- beside the old files --------------------------------------------------------------------

    def _unpack(self, progress: Progress) -> None:
        done = 0
        self.scratch.mkdir()
        with opened_backup(self.source) as (info, archive):
            for part in info.parts:
                path = self.scratch / part.name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    for chunk in part_chunks(archive, part):
                        file.write(chunk)
                done += part.num_bytes
                progress(done, info.num_bytes)
            if not info.is_sqlite:
                self._build_database(archive)
        for folder in ("photos", "models"):
            (self.scratch / folder).mkdir(exist_ok=True)

    def _build_database(self, archive: ZipFile) -> None:
        """Make a SQLite file of a PostgreSQL backup's rows."""
        store = Store(sqlite_url(self.scratch / DATABASE))
        try:
            migrate_to(store, self.info.revision)
        finally:
            store.close()
        for name in self.info.rows:
            if not is_part_name(f"tables/{name}.jsonl"):
                raise BackupError(f"{self.source} has a table {name!r}; don't trust it")
            with (self.scratch / "tables" / f"{name}.jsonl").open("rb") as lines:
                load_lines(self.scratch / DATABASE, name, lines)

    def _prepare_database(self) -> None:
        """Check the unpacked database and bring it to this version's tables."""
        path = self.scratch / DATABASE
        found = check_sqlite(path)
        wrong = [name for name, num in self.info.rows.items() if found.get(name) != num]
        if wrong:
            raise BackupError(
                f"{self.source}: table {wrong[0]} has {found.get(wrong[0])} rows, its manifest "
                f"says {self.info.rows[wrong[0]]}; use another backup"
            )
        with _opened(path) as store:
            migrate(store)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")

    # -- in their place --------------------------------------------------------------------------

    def _put_in_place(self, now: float) -> Path | None:
        """Swap everything in; returns where the old things are.

        With PostgreSQL the rows are replaced in one transaction, while the new files are in place
        already; killed right after its end, the files go back and the restore must be run again.
        """
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
        aside = self.workspace.home / f"before-restore-{stamp}-{secrets.token_hex(2)}"
        moves = self._moves(aside)
        if hasattr(os, "sync"):
            os.sync()  # what was unpacked is on the disk before anything old is moved
        try:
            swap(self.workspace, moves, self.scratch, aside)
            if not self.target.is_sqlite:
                with _opened(self.scratch / DATABASE) as source:
                    copy_rows(source, self.target, replace=True)
            elif not self.options.force:
                # somebody may have opened it since we looked: their labels would go nowhere
                place = str(database_file(self.target))
                old = Path(next(move.aside for move in moves if move.place == place))
                if old.exists() and is_open_elsewhere(old):
                    raise in_use(f"another process has just opened {place}")
        except BaseException:
            undo(self.workspace)
            raise
        commit(self.workspace)
        if not self.options.replace and not any(p.is_file() for p in aside.glob("*/*/*")):
            shutil.rmtree(aside, ignore_errors=True)  # empty folders, a database without a row
        return aside if aside.exists() else None

    def _moves(self, aside: Path) -> list[Move]:
        moves = self._database_moves(aside) if self.target.is_sqlite else []
        places: list[tuple[Path, Path]] = []
        if self.info.has_photos:
            places.append((self.workspace.photos, self.scratch / "photos"))
        if self.info.has_models:
            places.append((self.workspace.models, self.scratch / "models"))
        return moves + [Move(str(old), str(aside / old.name), str(new)) for old, new in places]

    def _database_moves(self, aside: Path) -> list[Move]:
        old, new = database_file(self.target), self.scratch / DATABASE
        if old.parent != self.workspace.home:
            # perhaps another disk: renames work only within one
            aside = old.parent / aside.name
            new = Path(shutil.move(new, old.parent / f"{self.scratch.name}.db"))
        beside = (old.with_name(old.name + end) for end in _SIDE_FILES)
        gone = [Move(str(path), str(aside / path.name), None) for path in beside]
        return [*gone, Move(str(old), str(aside / old.name), str(new))]


@contextmanager
def _opened(path: Path) -> Iterator[Store]:
    store = Store(sqlite_url(path))
    try:
        yield store
    finally:
        store.close()
