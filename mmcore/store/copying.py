"""A whole database as a file or as rows: for backups, and for moving between databases.

SQLite is copied page by page from one pinned snapshot: writers go on, and the copy ends however
much they write. SQLite's backup without that pin begins again at every write of another process
and never ended with four writers (`benchmarks/backup_under_load.py`).
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Table, bindparam, func, insert, select, text, update

from mmcore.errors import StoreError
from mmcore.store.engine import Store
from mmcore.store.tables import Base

PAGES_A_STEP = 2_000  # 8 MB between two calls of progress
ROWS_A_PIECE = 2_000

Progress = Callable[[int, int], None]


def copy_sqlite(source: Path, target: Path, progress: Progress = lambda done, total: None) -> None:
    """Copy a SQLite database as it is at this moment, whoever writes to it meanwhile.

    Args:
        progress: called with (pages copied, pages in all).

    Raises:
        StoreError: if it can't be read or the copy can't be written.
    """

    def watch(status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    try:
        with (
            closing(sqlite3.connect(source, isolation_level=None, timeout=60)) as reader,
            closing(sqlite3.connect(target)) as copy,
        ):
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # pins the snapshot
            reader.backup(copy, pages=PAGES_A_STEP, progress=watch, sleep=0)
            reader.execute("ROLLBACK")
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a -wal beside it
    except sqlite3.Error as error:
        raise StoreError(
            f"database {source} can't be copied to {target}: {error}; free some disk space, or "
            "run `python -m mmcore doctor`"
        ) from error


def check_sqlite(path: Path) -> dict[str, int]:
    """Return table -> rows of a SQLite file nobody else has open, after checking every page.

    Raises:
        StoreError: if it is damaged or breaks its own rules.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
            found = [row[0] for row in reader.execute("PRAGMA integrity_check(3)")]
            orphans = reader.execute("PRAGMA foreign_key_check").fetchmany(1)
            if found != ["ok"] or orphans:
                what = "; ".join(found) if found != ["ok"] else f"{orphans[0][0]} has orphans"
                raise StoreError(f"database {path} is damaged: {what}; use another backup")
            names = reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            return {
                name: reader.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for (name,) in names
                if name in Base.metadata.tables
            }
    except sqlite3.Error as error:
        raise StoreError(f"database {path} is damaged: {error}; use another backup") from error


def count_rows(connection: Connection) -> dict[str, int]:
    """Return table -> rows."""
    tables = Base.metadata.sorted_tables
    return {t.name: connection.scalar(select(func.count()).select_from(t)) for t in tables}


def table_lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield a table as JSON lines: the names of its columns, then one array a row."""
    yield _line([column.name for column in table.columns])
    key = list(table.primary_key.columns)
    everything = select(table).order_by(*key).execution_options(yield_per=ROWS_A_PIECE)
    for row in connection.execute(everything):
        yield _line(list(row))


def _line(values: list) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def load_lines(path: Path, name: str, lines: Iterable[bytes]) -> None:
    """Fill a table of a SQLite file with what `table_lines` wrote.

    Raises:
        StoreError: if the lines don't fit the table.
    """
    rows = (json.loads(line) for line in lines)
    try:
        columns = next(rows)
        if not all(re.fullmatch("[a-z0-9_]+", column) for column in columns):
            raise ValueError(f"its columns are {columns}")
        named = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" * len(columns))
        with closing(sqlite3.connect(path)) as connection, connection:
            # self-references come in any order; `check_sqlite` looks at all of them afterwards
            connection.execute("PRAGMA foreign_keys=OFF")
            statement = f'INSERT INTO "{name}" ({named}) VALUES ({marks})'
            while piece := list(islice(rows, ROWS_A_PIECE)):
                connection.executemany(statement, [[_plain(v) for v in row] for row in piece])
    except (sqlite3.Error, ValueError, TypeError, StopIteration) as error:
        raise StoreError(f"table {name} of the backup can't be read: {error}") from error


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def copy_rows(source: Store, target: Store, replace: bool) -> dict[str, int]:
    """Return table -> rows copied into a database with the same tables, in one transaction.

    Args:
        replace: delete what is there; without it the tables must be empty.
    """
    with source.engine.connect() as reader, target.writing() as session:
        writer = session.connection()
        if replace:
            _clear(writer)
        later: list[tuple[Table, list[str]]] = []
        done: set[str] = set()
        for table in Base.metadata.sorted_tables:
            # of itself or of a table that isn't there yet: filled in by a second pass
            ahead = [
                key.parent.name
                for key in table.foreign_keys
                if key.column.table.name not in done and key.parent.nullable
            ]
            _copy_table(reader, writer, table, set(ahead))
            done.add(table.name)
            if ahead:
                later.append((table, ahead))
        for table, columns in later:
            for column in columns:
                _fill_in(reader, writer, table, column)
        if not target.is_sqlite:
            _set_sequences(writer)
        return count_rows(writer)


def _clear(writer: Connection) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        ahead = [k.parent for k in table.foreign_keys if k.column.table is table]
        for column in ahead:
            writer.execute(update(table).values({column.name: None}))
        writer.execute(table.delete())


def _copy_table(reader: Connection, writer: Connection, table: Table, ahead: set[str]) -> None:
    rows = reader.execute(select(table).execution_options(yield_per=ROWS_A_PIECE))
    for piece in rows.mappings().partitions(ROWS_A_PIECE):
        values = [{k: None if k in ahead else v for k, v in row.items()} for row in piece]
        writer.execute(insert(table), values)


def _fill_in(reader: Connection, writer: Connection, table: Table, column: str) -> None:
    keys = {f"key_{key.name}": key for key in table.primary_key.columns}
    wanted = select(*(k.label(name) for name, k in keys.items()), table.c[column].label("value"))
    rows = reader.execute(wanted.where(table.c[column].is_not(None))).mappings().all()
    if rows:
        is_it = [key == bindparam(name) for name, key in keys.items()]
        change = update(table).where(*is_it).values({column: bindparam("value")})
        writer.execute(change, [dict(row) for row in rows])


def _set_sequences(writer: Connection) -> None:
    """Let PostgreSQL go on counting after the ids that were copied."""
    for table in Base.metadata.sorted_tables:
        for column in table.primary_key.columns:
            named = {"table": table.name, "column": column.name}
            sequence = writer.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), named)
            if sequence is not None:
                highest = writer.scalar(select(func.max(column)))
                writer.execute(
                    text("SELECT setval(:sequence, :value, :used)"),
                    {
                        "sequence": sequence,
                        "value": highest or 1,
                        "used": highest is not None,
                    },
                )
