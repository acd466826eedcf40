"""The workspace: one folder that holds everything of one shop, and nothing else does.

home/
  rayon.db            products, labels, models and jobs (unless MMCORE_DATABASE_URL names another)
  photos/             one file a photo, named by its content hash
  thumbnails/         small copies of photos; may be deleted at any time
  logs/               one file a job
  cache/              frozen-backbone features; may be deleted at any time
  models/             one folder a model version
  runs/               checkpoints of trainings that have not ended
  snapshots/          the exact labels of each training, one file a hash
  weights/            pretrained backbone weights put there by hand
"""

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
            raise WorkspaceError(
                f"workspace {self.home} can't be written: {error.strerror or error}; "
                "choose another with --home DIR or MMCORE_HOME"
            ) from error
        return self


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that a crash leaves either the old content or the new, never a part.

    Args:
        path: the file; its folder must exist.
        write: called with a binary file to fill.

    Raises:
        OSError: as the operating system gives it (disk full, ...); the old file is untouched.
    """
    # not mkstemp: its files are private whatever the umask says, and colleagues share a workspace
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with temporary.open("xb") as file:
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
