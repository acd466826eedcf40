"""Who holds a run: one process at a time, told by a lock that dies with it.

The process number beside the lock is for the message only; a number alone would lie after a crash.
"""

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mmcore.errors import WorkspaceError
from mmcore.services.runs import LOCK_FILE, RUN_FILE, Run
from mmcore.workspace import write_atomically

_HOLDER_FILE = "process.json"


@contextlib.contextmanager
def held(run: Run) -> Iterator[None]:
    """Hold a run for the length of a block.

    Raises:
        WorkspaceError: if another process holds it, or has ended it meanwhile.
    """
    # not the thread's: a generator may be closed by another one
    lock = FileLock(str(run.folder / LOCK_FILE), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WorkspaceError(
            f"run {run.name!r} is going on already, in {_holder(run.folder)}; wait until it ends, "
            f"or end that process (its checkpoint is kept) and then resume"
        ) from error
    except OSError as error:
        raise WorkspaceError(
            f"run folder {run.folder} can't be locked: {error.strerror or error}; make it "
            "writable, or choose another workspace with --home DIR"
        ) from error
    try:
        if not (run.folder / RUN_FILE).exists():
            shutil.rmtree(run.folder, ignore_errors=True)  # made again by the lock
            raise WorkspaceError(
                f"run {run.name!r} was ended by another process meanwhile; there is nothing left "
                "to go on with"
            )
        _sign(run.folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (run.folder / _HOLDER_FILE).unlink()
        lock.release()
        if os.name == "nt" and not (run.folder / RUN_FILE).exists():
            shutil.rmtree(run.folder, ignore_errors=True)  # an open lock file can't be deleted


def _sign(folder: Path) -> None:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    record = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    data = json.dumps(record).encode()
    with contextlib.suppress(OSError):  # a full disk stops the run elsewhere, with its remedy
        write_atomically(folder / _HOLDER_FILE, lambda file: file.write(data))


def _holder(folder: Path) -> str:
    try:
        record = json.loads((folder / _HOLDER_FILE).read_text(encoding="utf-8"))
        return f"process {record['pid']} on {record['host']} since {record['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
