"""On which line each product id of a file came first, so that the ones that come twice are told."""

import sqlite3
from typing import Protocol

from mmcore.errors import WorkspaceError

_CACHE_KB = 2048


class FirstLines(Protocol):
    """Lines by product id; a dictionary is one."""

    def get(self, product_id: str) -> int | None: ...

    def __setitem__(self, product_id: str, line: int) -> None: ...


class FirstLinesOnDisk:
    """Lines by product id in a temporary file, which the system removes with the process.

    However many ids there are, SQLite keeps 2 MB of them in memory.
    """

    def __init__(self) -> None:
        # an empty name is a temporary file; a piece may be read in another thread than the last
        self._table = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._table.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._table.execute("BEGIN")

    def get(self, product_id: str) -> int | None:
        """Return the line of an id, None for a new one."""
        query = "SELECT line FROM seen WHERE id = ?"
        row = self._table.execute(query, (product_id,)).fetchone()
        return row[0] if row else None

    def __setitem__(self, product_id: str, line: int) -> None:
        """Remember the line of a new id.

        Raises:
            WorkspaceError: if the folder of temporary files is full.
        """
        try:
            self._table.execute("INSERT INTO seen VALUES (?, ?)", (product_id, line))
        except sqlite3.OperationalError as error:
            raise WorkspaceError(
                f"the product ids can't be written to the folder of temporary files ({error}); "
                "free some space there, or name another folder in TMPDIR"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._table.close()
