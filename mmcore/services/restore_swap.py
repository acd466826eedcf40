"""Putting restored files in the place of old ones so that a crash leaves the old ones in place.

Every file or folder that is replaced is renamed: the old one aside, the new one in. A journal says
which, before the first rename; whoever opens the workspace and finds a journal puts everything
back as it was. So a restore that was killed at any moment never happened.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mmcore.errors import BackupError
from mmcore.workspace import Workspace, sync_folder, write_atomically

LOCK_PATIENCE_S = 600.0  # renames take no time, but a large PostgreSQL database does


@dataclass(frozen=True)
class Move:
    """One replacement; paths as text. `new` is None where the old one only has to go."""

    place: str
    aside: str
    new: str | None


def journal_path(workspace: Workspace) -> Path:
    """Return where the journal of a restore lies while it replaces files."""
    return workspace.home / ".restore.json"


@contextmanager
def restore_lock(workspace: Workspace, patience_s: float = 0.0) -> Iterator[None]:
    """Let one process at a time replace files of a workspace.

    Raises:
        BackupError: if another one is at it.
    """
    try:
        with FileLock(str(workspace.home / ".restore.lock"), timeout=patience_s):
            yield
    except Timeout as error:
        raise BackupError(
            f"workspace {workspace.home} is being restored by another process; wait for its end"
        ) from error


def undo_interrupted(workspace: Workspace) -> bool:
    """Return whether a restore that was killed had to be undone; waits for one that is running.

    Raises:
        BackupError: if one is running and doesn't end.
    """
    if not journal_path(workspace).is_file():
        return False
    with restore_lock(workspace, LOCK_PATIENCE_S):
        return undo(workspace)


def undo(workspace: Workspace) -> bool:
    """Put everything back that the journal names; the caller holds the lock."""
    journal = journal_path(workspace)
    if not journal.is_file():
        return False
    data = json.loads(journal.read_text(encoding="utf-8"))
    for move in reversed([Move(**row) for row in data["moves"]]):
        _undo(move)
    _settle(workspace)
    shutil.rmtree(data["scratch"], ignore_errors=True)
    _remove_if_empty(Path(data["aside"]))
    return True


def swap(workspace: Workspace, moves: list[Move], scratch: Path, aside: Path) -> None:
    """Replace everything that `moves` names; `commit` makes it last, `undo` takes it back."""
    data = {
        "moves": [asdict(move) for move in moves],
        "scratch": str(scratch),
        "aside": str(aside),
    }
    content = json.dumps(data).encode()
    write_atomically(journal_path(workspace), lambda file: file.write(content))
    for move in moves:
        place, new = Path(move.place), move.new and Path(move.new)
        if place.exists():
            Path(move.aside).parent.mkdir(parents=True, exist_ok=True)
            os.replace(place, move.aside)
        if new:
            os.replace(new, place)
        sync_folder(place.parent)


def commit(workspace: Workspace) -> None:
    """Make the swap last."""
    _settle(workspace)


def _undo(move: Move) -> None:
    place, aside, new = Path(move.place), Path(move.aside), move.new and Path(move.new)
    if new and not new.exists() and place.exists():
        # it was moved in: out again, in case of a folder the old one couldn't take its place
        os.replace(place, new)
    if aside.exists():
        os.replace(aside, place)
        sync_folder(place.parent)


def _settle(workspace: Workspace) -> None:
    journal_path(workspace).unlink()
    sync_folder(workspace.home)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        pass  # something of an older restore lies there, or it never was made
