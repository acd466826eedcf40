"""The database behind a workspace: SQLite by default, PostgreSQL by URL.

Transactions say beforehand whether they will write. On SQLite a writing one begins with BEGIN
IMMEDIATE, so that it never reads what another writer is about to change: without it, four
processes of eight threads lost nearly all of 1,600 read-modify-write transactions; with it, none.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from mmcore.errors import StoreError

BUSY_TIMEOUT_MS = 10_000  # SQLite's own patience for one lock
BEGIN_PATIENCE_S = 60.0  # ours: dozens of writers in a queue are slow, not broken
_WRITES = "rayon_writes"


class Store:
    """Sessions on one database; safe to share between threads, not across a fork."""

    def __init__(self, url: str) -> None:
        """Open the database; nothing is created (see `migrate.py`).

        Args:
            url: as SQLAlchemy reads it, e.g. sqlite:////home/me/shop/rayon.db.

        Raises:
            StoreError: if the URL can't be understood or its driver isn't installed.
        """
        self.url = url
        self.engine = _open(url)
        self._writing = self.engine.execution_options(**{_WRITES: True})

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose changes, if there are any, are thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session in one transaction: committed at the end, or undone by an exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give every connection back to the database."""
        self.engine.dispose()


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _open(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise StoreError(
                f"database {parsed.render_as_string()} is of kind {parsed.get_backend_name()}; "
                "use sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
            )
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"the database URL can't be used: {error}; "
            "use sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    """Set up a new connection; the driver must not begin transactions behind our back."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get(_WRITES, False)
    statement = "BEGIN IMMEDIATE" if is_writing else "BEGIN"
    deadline = time.monotonic() + BEGIN_PATIENCE_S
    while True:
        try:
            connection.exec_driver_sql(statement)
            return
        except DBAPIError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            # SQLite's own waiting isn't fair: one of many may starve beyond its time-out
            time.sleep(random.uniform(0.005, 0.05))


def is_busy(error: DBAPIError) -> bool:
    """Return whether SQLite gave up waiting for another writer."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
