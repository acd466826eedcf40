"""Backups made beside the screen that asked for them: progress, cancel, and the files so far."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mmcore.errors import BackupError, JobCancelledError, MmcoreError
from mmcore.services.backup import BackupOptions, BackupReport, backup
from mmcore.services.people import Actor, require
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

ENDING = ".rayon"


@dataclass(frozen=True)
class BackupFile:
    """One file of the workspace's folder of backups.

    Attributes:
        at: when it was written, UTC seconds.
    """

    path: Path
    num_bytes: int
    at: float


def list_backups(workspace: Workspace) -> tuple[BackupFile, ...]:
    """Return the backups in the workspace's own folder, the newest first."""
    found = []
    for path in workspace.backups.glob(f"*{ENDING}"):  # unfinished ones begin with a dot
        if path.is_file() and not path.name.startswith("."):
            facts = path.stat()
            found.append(BackupFile(path, facts.st_size, facts.st_mtime))
    return tuple(sorted(found, key=lambda file: (-file.at, file.path.name)))


def new_backup_path(workspace: Workspace, folder: str, now: float) -> Path:
    """Return where a backup of this moment goes; the workspace's own folder is made.

    Args:
        folder: as a person typed it; "" for the workspace's own.

    Raises:
        BackupError: if the folder isn't named in full, or can't be made.
    """
    chosen = Path(folder.strip()).expanduser() if folder.strip() else workspace.backups
    if not chosen.is_absolute():
        raise BackupError(
            f"folder {folder.strip()!r} isn't named in full; begin with {Path('/').absolute()}"
        )
    if chosen == workspace.backups:
        try:
            chosen.mkdir(exist_ok=True)
        except OSError as error:
            raise BackupError(
                f"folder {chosen} can't be made: {error.strerror or error}; choose another"
            ) from error
    return chosen / time.strftime(f"%Y-%m-%d-%H%M%S{ENDING}", time.localtime(now))


class BackupRun:
    """One backup being made in a thread of its own; whoever holds it may look and cancel.

    Attributes:
        done, total: bytes, roughly; equal while the file is read again.
        report: what was made, None before its end and where it failed.
        error: why it failed or was cancelled, None otherwise.
    """

    def __init__(
        self, store: Store, actor: Actor, workspace: Workspace, options: BackupOptions, now: float
    ) -> None:
        """Begin at once.

        Raises:
            RefusedError: below the role of admin.
        """
        require(actor, "admin")
        self.target = options.target
        self.done, self.total = 0, 1
        self.report: BackupReport | None = None
        self.error: MmcoreError | None = None
        self._is_cancelled = threading.Event()
        task = (store, actor, workspace, options, now)
        self._thread = threading.Thread(target=self._run, args=task, name="backup", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled.is_set()

    def cancel(self) -> None:
        """Ask it to end; nothing is left of it. What is being read again is finished."""
        self._is_cancelled.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, max(1, total)
        if self.is_cancelled and done < total:
            raise JobCancelledError(f"backup {self.target} was cancelled; nothing is left of it")

    def _run(self, *task) -> None:
        try:
            self.report = backup(*task, self._progress)
        except MmcoreError as error:
            self.error = error
        except Exception as error:
            self.error = BackupError(
                f"backup {self.target} failed by a defect of ours: {error!r}; nothing is left of "
                "it, and the log has more"
            )
            raise  # to the log, with its traceback
