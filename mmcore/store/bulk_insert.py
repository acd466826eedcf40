"""Many rows into one table, by the shortest way each database has.

PostgreSQL reads a COPY several times faster than INSERTs. SQLite has no such thing, but its text
index pays for every statement that adds to it: so the rows go into a table of the connection's own
first, which has no index, and from there in one statement. All in the caller's transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Table, insert
from sqlalchemy.exc import DBAPIError

_STAGED = "rayon_staged"  # of this connection alone; gone before the transaction ends


def bulk_insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, all with the same columns, in their order; defaults as SQLAlchemy knows them.

    Raises:
        DBAPIError: what the database complains about; nothing of these rows is there then.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _through_a_table(connection, table, rows)
    elif connection.dialect.driver == "psycopg":
        _copy(connection, table, rows)
    else:
        connection.execute(insert(table), rows)


def _through_a_table(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    quote = connection.dialect.identifier_preparer
    columns, values = _columns(table, rows[0]), _values(connection, table, rows)
    names, target = ", ".join(map(quote.format_column, columns)), quote.format_table(table)
    run = connection.exec_driver_sql
    run(f"CREATE TEMP TABLE {_STAGED} AS SELECT {names} FROM {target} WHERE 0")
    run(f"INSERT INTO {_STAGED} VALUES ({', '.join('?' * len(columns))})", list(values))
    run(f"INSERT INTO {target} ({names}) SELECT * FROM {_STAGED} ORDER BY rowid")
    run(f"DROP TABLE {_STAGED}")


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    quote = connection.dialect.identifier_preparer
    names = ", ".join(map(quote.format_column, _columns(table, rows[0])))
    statement = f"COPY {quote.format_table(table)} ({names}) FROM STDIN"
    driver = connection.connection.driver_connection
    errors = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for values in _values(connection, table, rows):
                copy.write_row(values)
    except errors as error:
        # as SQLAlchemy tells of its own statements: the store explains errors of that kind
        is_lost = connection.dialect.is_disconnect(error, driver, None)
        raise DBAPIError.instance(
            statement, None, error, errors, connection_invalidated=is_lost
        ) from error


def _columns(table: Table, row: Mapping[str, Any]) -> list[Column]:
    """Return what is written: the columns that the rows have, then those with a default."""
    left = [column for column in table.columns if column.name not in row and column.default]
    return [*(table.columns[name] for name in row), *left]


def _values(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows as the driver takes them."""
    defaults = {
        column.name: column.default.arg(None) if column.default.is_callable else column.default.arg
        for column in _columns(table, rows[0])
        if column.name not in rows[0]
    }
    converters = []  # most columns need none: not a call for each of them
    for column in _columns(table, rows[0]):
        kind = column.type.dialect_impl(connection.dialect)
        convert = kind.bind_processor(connection.dialect)
        if convert is not None:
            converters.append((column.name, convert))
    take = itemgetter(*rows[0], *defaults)
    for row in rows:
        values = {**defaults, **row}
        for name, convert in converters:
            values[name] = convert(values[name])
        yield take(values)
