"""Runs that have not ended: their settings and checkpoint, so that they can be resumed."""

import contextlib
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mmcore.config import RunConfig, run_config_from_json, to_json
from mmcore.errors import ConfigError, WorkspaceError
from mmcore.workspace import Workspace, write_atomically

RUN_FILE = "run.json"
LOCK_FILE = "lock"
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Run:
    """One training run: its name, settings and the labels it started from."""

    name: str
    config: RunConfig
    snapshot: str
    folder: Path
    model_folder: Path  # where its model will appear

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def fold_path(self, number: int) -> Path:
        """Return where the answers of the network of one fold are kept until the run ends."""
        return self.folder / f"fold-{number}.npz"

    @property
    def checkpoint_hash(self) -> str:
        """Return what binds a checkpoint to this run's settings and labels."""
        text = json.dumps([to_json(self.config), self.snapshot], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def remove(self) -> None:
        """Delete the run's folder; its model is saved.

        run.json goes after the rest: killed meanwhile, the run can be resumed, and then ends at
        once. The lock goes last of all: nobody else may take the run while it is there.
        """
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.name not in (RUN_FILE, LOCK_FILE):
                    path.unlink()
            (self.folder / RUN_FILE).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def check_name(workspace: Workspace, name: str) -> None:
    """Refuse a name that a new run can't have.

    Raises:
        WorkspaceError: if the name is taken or can't be a folder name.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise WorkspaceError(
            f"model name {name[:100]!r} can't be used: take 1 to 80 letters, digits, dots, hyphens "
            "and underscores, starting with a letter or digit"
        )
    if (workspace.models / name).exists():
        raise WorkspaceError(f"a model named {name!r} exists; choose another --name")
    folder = workspace.runs / name
    if (folder / RUN_FILE).exists():
        raise WorkspaceError(
            f"a run named {name!r} has not ended; go on with --resume {name}, "
            f"or delete {folder} to start over"
        )
    if folder.exists():
        raise WorkspaceError(
            f"{folder} is left over from a run that was killed as it began or ended; delete it, or "
            "choose another --name"
        )


def begin_run(workspace: Workspace, name: str | None, config: RunConfig, snapshot: str) -> Run:
    """Return a new run, recorded on disk.

    Raises:
        WorkspaceError: if the name is taken or can't be a folder name.
    """
    name = free_name(workspace) if name is None else name
    check_name(workspace, name)
    folder = workspace.runs / name
    run = Run(name, config, snapshot, folder, workspace.models / name)
    record_run(run)
    return run


def record_run(run: Run) -> None:
    """Write a run's folder.

    Raises:
        WorkspaceError: if it can't be written.
    """
    record = {"config": to_json(run.config), "snapshot": run.snapshot}
    try:
        run.folder.mkdir(parents=True)
        data = json.dumps(record, indent=1).encode()
        write_atomically(run.folder / RUN_FILE, lambda file: file.write(data))
    except OSError as error:
        shutil.rmtree(run.folder, ignore_errors=True)  # else its name would be taken
        raise WorkspaceError(
            f"run folder {run.folder} can't be written: {error.strerror or error}; free some space "
            "or choose another workspace with --home"
        ) from error


def find_run(workspace: Workspace, name: str) -> Run:
    """Return a run that has not ended.

    Raises:
        WorkspaceError: if there is none of that name.
    """
    folder = workspace.runs / name
    if not NAME_PATTERN.fullmatch(name) or not (folder / RUN_FILE).is_file():
        waiting = sorted(p.parent.name for p in workspace.runs.glob("*/run.json"))
        known = f"those that can be resumed: {', '.join(waiting)}" if waiting else "there is none"
        raise WorkspaceError(f"no unfinished run is named {name!r}; {known}")
    return read_run(name, folder, workspace.models / name)


def read_run(name: str, folder: Path, model_folder: Path) -> Run:
    """Return the run that a folder holds.

    Raises:
        WorkspaceError: if it can't be read.
    """
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        config = run_config_from_json(record["config"])
        if not isinstance(record["snapshot"], str):
            raise ValueError(f"its snapshot is {record['snapshot']!r}")
        return Run(name, config, record["snapshot"], folder, model_folder)
    except KeyError as error:
        raise _unreadable(name, folder, f"{RUN_FILE} lacks {error}") from error
    except (OSError, ValueError, TypeError, RecursionError, ConfigError) as error:
        raise _unreadable(name, folder, str(error)) from error


def _unreadable(name: str, folder: Path, reason: str) -> WorkspaceError:
    return WorkspaceError(
        f"run {name!r} can't be read: {reason[:300]}; delete {folder} and train again"
    )


def free_name(workspace: Workspace) -> str:
    """Return a name from the time of day that no model or run has."""
    base = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    taken = {p.name for folder in (workspace.models, workspace.runs) for p in folder.glob("*")}
    candidates = [base, *(f"{base}-{i}" for i in range(2, 1000))]
    return next(name for name in candidates if name not in taken)
