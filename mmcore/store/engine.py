"""The database behind a workspace: SQLite by default, PostgreSQL by URL.

Transactions say beforehand whether they will write. On SQLite a writing one begins with BEGIN
IMMEDIATE, so that it never reads what another writer is about to change: without it, four
processes of eight threads lost nearly all of 1,600 read-modify-write transactions; with it, none.
"""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from mmcore.errors import StoreError
from mmcore.store.failures import explained, is_busy
from mmcore.store.turns import Turns

BUSY_TIMEOUT_MS = 10_000  # SQLite's own patience for one lock
TURN_PATIENCE_S = 120.0  # for the writers ahead of us: dozens are slow, not broken
BEGIN_PATIENCE_S = 60.0  # for programs that write without queueing
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
        self._turns: Turns | None = None
        self._turns_guard = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose changes, if there are any, are thrown away.

        Raises:
            StoreError: if the database can't be read; the message says why and what helps.
        """
        with explained(self.engine), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session in one transaction: committed at the end, or undone by an exception.

        Writers of a SQLite file queue for it, so keep the block short, and don't nest two.

        Raises:
            StoreError: if the database can't be written; the message says why and what helps.
        """
        with explained(self.engine), self._turn(), self._session() as session, session.begin():
            yield session

    def _session(self) -> Session:
        return Session(self._writing, expire_on_commit=False)

    def _turn(self) -> AbstractContextManager[None]:
        if not self.is_sqlite:
            return nullcontext()
        with self._turns_guard:
            if self._turns is None:
                self._turns = Turns(self._file())
        return self._turns.turn(TURN_PATIENCE_S)

    def _file(self) -> Path | None:
        """Return the file of a SQLite database, None where it is in memory."""
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql("PRAGMA database_list").all()
        name = next(file for _, schema, file in rows if schema == "main")
        return Path(os.path.realpath(name)) if name else None

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
            # a program that doesn't queue (see `turns.py`); SQLite's own waiting isn't fair
            time.sleep(random.uniform(0.005, 0.05))
