"""The workspace: one folder that holds everything of one shop, and nothing else does.

home/
  rayon.db            products, labels, models and jobs (unless MMCORE_DATABASE_URL names another)
  photos/             one file a photo, named by its content hash
  thumbnails/         small copies of photos; may be deleted at any time
  logs/               one file a job
  cache/              frozen-backbone features, texts for likeness; may be deleted at any time
  models/             one folder a model version
  runs/               checkpoints of trainings that have not ended
  snapshots/          the exact labels of each training, one file a hash
  weights/            pretrained backbone weights put there by hand
  batches/            files uploaded on the Batch screen, and what was predicted of them
  backups/            backups made on the Settings screen; made with the first
"""

import errno
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmcore.errors import WorkspaceError


@dataclass(frozen=True)
class Workspace:
    """Paths inside one workspace folder; nothing is created before `create`."""

    home: Path

    @property
    def database_file(self) -> Path:
        return self.home / "rayon.db"

    @property
    def thumbnails(self) -> Path:
        return self.home / "thumbnails"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def photos(self) -> Path:
        return self.home / "photos"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def snapshots(self) -> Path:
        return self.home / "snapshots"

    @property
    def weights(self) -> Path:
        return self.home / "weights"

    @property
    def batches(self) -> Path:
        return self.home / "batches"

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    def create(self) -> "Workspace":
        """Return self, with its folders made.

        Raises:
            WorkspaceError: if the folder can't be made or written to.
        """
        try:
            for folder in (
                self.photos,
                self.thumbnails,
                self.cache,
                self.models,
                self.runs,
                self.snapshots,
                self.weights,
                self.logs,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.home):
                pass
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise WorkspaceError(
                f"workspace {self.home} can't be written: {error.strerror or error}{where}; "
                "choose another with --home DIR or MMCORE_HOME"
            ) from error
        return self


def check_target(path: Path) -> None:
    """Refuse a file that `write_atomically` couldn't write, before the work is done.

    Raises:
        WorkspaceError: if its folder isn't there or can't be written to, or it is no plain file.
    """
    try:
        if not path.parent.is_dir():
            raise WorkspaceError(f"folder {path.parent} doesn't exist; make it or choose another")
        if path.is_dir():
            raise WorkspaceError(f"{path} is a folder; name a file in it")
        if path.exists() and not path.is_file():
            raise WorkspaceError(f"{path} is no regular file; write to another")
        if not os.access(path.parent, os.W_OK):
            raise WorkspaceError(f"folder {path.parent} can't be written to; choose another")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WorkspaceError(f"{path} can't be written: {reason}; choose another place") from error


def write_atomically(
    path: Path, write: Callable[[BinaryIO], object], own: Path | None = None
) -> None:
    """Write a file so that a crash leaves either the old content or the new, never a part.

    Args:
        path: the file; its folder must exist.
        write: called with a binary file to fill.
        own: a file beside it to fill meanwhile that nobody else writes to, so that what a crash
            left there is written over; without it one with a name drawn by chance.

    Raises:
        OSError: as the operating system gives it (disk full, ...); the old file is untouched.
    """
    if path.exists() and not path.is_file():  # root could replace /dev/null by a file
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    # not mkstemp: its files are private whatever the umask says, and colleagues share a workspace
    drawn = path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}"  # names have a limit
    temporary = own or drawn
    try:
        with temporary.open("wb" if own else "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable; a no-op where folders can't be synced (Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
