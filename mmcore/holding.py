"""Who is using a model folder: nobody's model is deleted while it is being read.

A reader holds a shared lock on the folder's MANIFEST.json, whoever deletes the folder an exclusive
one. The system drops a lock with its process, so a crash never leaves a folder locked. Where
there are no such locks (Windows), an open file can't be deleted or moved, which is as good.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mmcore.errors import ArtifactError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def using(folder: Path) -> Iterator[Path]:
    """Give a model folder that stays where it is for the length of a block.

    Raises:
        ArtifactError: if there is no model in it, or it is being deleted.
    """
    try:
        file = (folder / "MANIFEST.json").open("rb")
    except OSError as error:
        raise ArtifactError(
            f"model {folder.name} can't be used: its folder {folder} is missing; restore it from "
            "a backup, or use another model"
        ) from error
    with file:
        if not try_lock(file, exclusive=False):
            raise ArtifactError(
                f"model {folder.name} is being deleted (models prune); use another model"
            )
        yield folder


@contextmanager
def deleting(folder: Path) -> Iterator[bool]:
    """Give whether nobody uses a model folder; nobody can begin to within the block."""
    try:
        file = (folder / "MANIFEST.json").open("rb")
    except OSError:  # gone, or half gone: nothing that could be used
        yield True
        return
    with file:
        if fcntl is None:
            file.close()  # else our own hold on it would be in the way
            yield True
        else:
            yield try_lock(file, exclusive=True)


def try_lock(file: IO[bytes], exclusive: bool) -> bool:
    """Return whether the file could be locked at once; True where there are no such locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
