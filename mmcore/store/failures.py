"""What a database complains about, in words that say what helps."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mmcore.errors import StoreError

# what a caller that can wait treats as "the database is away just now"
AWAY = (StoreError, DBAPIError)

_NOTHING_SAVED = "nothing was saved of this step"

# SQLite's primary result codes, https://www.sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_BUSY: "another program keeps the database locked; close whatever else has it "
    "open (a database browser, a copy in progress) and try again",
    sqlite3.SQLITE_LOCKED: "another part of this program keeps the database locked; try again",
    sqlite3.SQLITE_READONLY: "the database can't be written; give your user the right to write the "
    "file and its folder",
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_CANTOPEN: "the database can't be opened; check that its folder exists, that "
    "your user may write there, and that the disk isn't full",
    sqlite3.SQLITE_IOERR: "the disk reports an error while reading or writing the database; check "
    "the disk and its free space, then try again",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore the last backup",
    sqlite3.SQLITE_NOTADB: "the file isn't a database; restore the last backup, or choose another "
    "workspace",
    sqlite3.SQLITE_PERM: "your user may not open the database; change the rights of the file",
}

# PostgreSQL's, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "53100": "the database server's disk is full; free some space there and try again",
    "53200": "the database server is out of memory; try again later, or give it more",
    "53300": "the database server has no connection left; raise its max_connections, or run fewer "
    "processes",
    "25006": "the database server accepts no writes (a standby?); connect to the primary",
    "40001": "somebody else changed the same rows at the same moment; try again",
    "40P01": "two writers waited for each other and the server stopped one; try again",
    "55P03": "somebody else keeps the rows locked; try again",
    "57014": "the database server cut the statement short (a time limit?); try again",
    "42501": "the database user lacks a right; grant it all rights on the database",
}


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what a user can mend into StoreError; everything else passes as it is."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreError(
            "this program has all its connections to the database in use; try again, or run "
            f"fewer threads in it ({error})"
        ) from error
    except DBAPIError as error:
        reason = _reason(error)
        if reason is None:
            raise
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{where}: {reason}; {_NOTHING_SAVED} ({_first_line(error)})") from error


def is_busy(error: DBAPIError) -> bool:
    """Return whether SQLite gave up waiting for another writer."""
    return _sqlite_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _reason(error: DBAPIError) -> str | None:
    code = _sqlite_code(error)
    if code is not None:
        return _SQLITE.get(code)
    state = getattr(error.orig, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    lost = error.connection_invalidated or (state or "").startswith(("08", "57P"))
    # a connection that was never made has no state
    if lost or (isinstance(error, OperationalError) and state is None):
        return "the database server can't be reached; check that it runs and that the URL is right"
    return None


def _sqlite_code(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF  # the extended code's primary part


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
