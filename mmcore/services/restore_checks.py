"""What must hold before a backup is put back: an empty place, nobody in it, room on the disk."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from mmcore.errors import BackupError, StoreError
from mmcore.store.copying import check_sqlite, count_rows
from mmcore.store.engine import Store
from mmcore.store.migrate import migrate
from mmcore.workspace import Workspace

SPARE_BYTES = 100_000_000  # beside what is unpacked: journals, the database's own work


def database_file(store: Store) -> Path:
    """Return the file of a SQLite database."""
    return Path(store.engine.url.database)


def require_empty(workspace: Workspace, target: Store) -> None:
    """Refuse a workspace with anything in it that a person made.

    Raises:
        BackupError: naming the remedies.
    """
    models = [p for p in workspace.models.glob("*") if not p.name.startswith(".")]
    if models or _has_rows(target):
        raise BackupError(
            f"workspace {workspace.home} isn't empty; choose another with --home DIR, or say "
            "--replace: what is there is then kept aside"
        )


def _has_rows(target: Store) -> bool:
    if not target.is_sqlite:
        migrate(target)
        with target.engine.connect() as connection:
            return any(count_rows(connection).values())
    if not database_file(target).exists():
        return False
    try:
        return any(check_sqlite(database_file(target)).values())
    except StoreError:  # a damaged one is what people restore over, and it isn't empty
        return True


def require_nobody_there(target: Store) -> None:
    """Refuse while another process is connected to the database.

    Connections tell better than leases: a dead process has none, an idle one has.

    Raises:
        BackupError: saying who is there.
    """
    if target.is_sqlite:
        path = database_file(target)
        if path.exists() and is_open_elsewhere(path):
            raise in_use(f"another process has {path} open")
        return
    with target.engine.connect() as connection:
        others = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
        )
    if others:
        raise in_use(f"{others} other connections to the database are open")


def is_open_elsewhere(database: Path) -> bool:
    """Return whether another process has a SQLite database open, even if it does nothing.

    Leaving WAL needs the file for oneself, and every open connection holds a lock on it. Puts what
    is in the -wal file into the database on the way.
    """
    try:
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        return False
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    except sqlite3.DatabaseError:  # no database at all: nobody works with it
        return False


def require_space(home: Path, num_bytes: int) -> None:
    """Refuse a disk that is too small for what will be unpacked.

    Raises:
        BackupError: with both numbers.
    """
    wanted, free = num_bytes + SPARE_BYTES, shutil.disk_usage(home).free
    if free < wanted:
        raise BackupError(
            f"{home} has {free / 1e9:.1f} GB free, restoring needs {wanted / 1e9:.1f}; free some "
            "disk space"
        )


def in_use(reason: str) -> BackupError:
    """Return the error for a workspace that somebody works in."""
    return BackupError(
        f"the workspace is in use ({reason}): stop the app, workers and commands, then restore"
    )
