"""Where the attempts at a retrain job keep their state, apart from one another.

runs/.jobs/<name>/<attempt>/     settings and checkpoint of one attempt
models/.<name>.<attempt>/        a model that is saved, but not yet shown to anyone

A worker that stalls past its lease and wakes up finds that the next attempt works elsewhere:
whatever it still writes lies in a folder of its own that nobody reads. What is shown (the model
folder `models/<name>`) appears by a rename that is fenced in the database.
"""

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from mmcore.catalog.products import Catalogue
from mmcore.catalog.snapshot import keep_snapshot, load_snapshot, save_snapshot, snapshot_path
from mmcore.config import RunConfig
from mmcore.errors import ArtifactError, CheckpointError, WorkspaceError
from mmcore.jobs.records import JobRecord
from mmcore.manifest import verify
from mmcore.services.runs import RUN_FILE, Run, read_run, record_run
from mmcore.store.engine import Store
from mmcore.store.jobs import find_job, require_held
from mmcore.workspace import Workspace, sync_folder

_HIDDEN_MODEL = re.compile(r"\.{1,2}(\d{8}-\d{6}-j\d+)\.")


def run_name(job: JobRecord) -> str:
    """Return the name of a job's model, the same for every attempt."""
    # the time keeps it apart from a job of the same number in a database restored later
    return f"{datetime.fromtimestamp(job.created_at, UTC):%Y%m%d-%H%M%S}-j{job.id}"


class JobRuns:
    """The folders of one job, seen by one attempt."""

    def __init__(self, workspace: Workspace, job: JobRecord) -> None:
        self.name = run_name(job)
        self.model_folder = workspace.models / self.name
        self._workspace, self._held = workspace, job.claim
        self._root = workspace.runs / ".jobs" / self.name
        self._folder = self._root / f"{job.attempt:04d}"
        self._staged = workspace.models / f".{self.name}.{job.attempt:04d}"

    def begin(self, config: RunConfig, catalogue: Catalogue) -> Run:
        """Return a new run of this attempt, its labels kept as they are now.

        Raises:
            WorkspaceError: if it can't be written.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        run = Run(self.name, config, self._freeze(catalogue), self._folder, self._staged)
        record_run(run)
        return run

    def take_over(self) -> tuple[Run | None, list[str]]:
        """Return the run that an earlier attempt left, and notes; None where there is none.

        A damaged checkpoint is left behind: the run starts again from its first step, with the
        same labels. A damaged run is left behind as a whole.
        """
        for earlier in self._earlier():
            if not (earlier / RUN_FILE).is_file():
                continue  # killed while it was being written or taken over
            try:
                return self._carry_over(earlier)
            except WorkspaceError as error:
                shutil.rmtree(self._folder, ignore_errors=True)
                return None, [f"what the attempt before left can't be used, starting over: {error}"]
        return None, []

    def staged_model(self) -> Path | None:
        """Return a model that was saved whole by some attempt, but not shown yet."""
        for folder in sorted(self._workspace.models.glob(f".{self.name}.*"), reverse=True):
            try:
                verify(folder)
            except ArtifactError:
                continue
            return folder
        return None

    def publish(self, store: Store, staged: Path) -> None:
        """Show a saved model in the models folder, if the job is still this attempt's.

        Raises:
            JobLostError: if it isn't.
            WorkspaceError: if the folder can't be renamed.
        """
        with store.writing() as session:
            # nobody can take the job over between the question and the rename
            require_held(session, self._held)
            try:
                os.replace(staged, self.model_folder)
            except OSError as error:
                raise WorkspaceError(
                    f"model folder {self.model_folder} can't be made: {error.strerror or error}; "
                    f"the model is kept in {staged}"
                ) from error
        sync_folder(self._workspace.models)

    def unpublish(self, store: Store) -> None:
        """Take back a shown model that was not registered, if the job is still this attempt's.

        Raises:
            JobLostError: if it isn't.
        """
        with store.writing() as session:
            require_held(session, self._held)
            os.replace(self.model_folder, self._staged)
        shutil.rmtree(self._staged, ignore_errors=True)

    def clear(self, store: Store) -> None:
        """Delete what the attempts have kept for later ones, unless a later one has begun."""
        with store.reading() as session:
            job = find_job(session, self._held.job_id)
            is_ours = job.attempt == self._held.attempt and job.state != "queued"
        folders = [self._folder, self._staged]
        if is_ours:
            folders += [self._root, *self._workspace.models.glob(f".{self.name}.*")]
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    # -- parts ---------------------------------------------------------------------------------

    def _freeze(self, catalogue: Catalogue) -> str:
        """Return the hash of the labels, kept in a file that can be read."""
        snapshot = keep_snapshot(catalogue, self._workspace.snapshots)
        path = snapshot_path(self._workspace.snapshots, snapshot)
        try:
            load_snapshot(path, snapshot)
        except WorkspaceError:  # damaged since an earlier run kept the same labels
            save_snapshot(catalogue, path)
        return snapshot

    def _earlier(self) -> list[Path]:
        """Return the folders of earlier attempts, newest first."""
        return sorted((p for p in self._root.glob("*") if p != self._folder), reverse=True)

    def _carry_over(self, earlier: Path) -> tuple[Run, list[str]]:
        shutil.rmtree(self._folder, ignore_errors=True)
        found = read_run(self.name, earlier, self._staged)
        load_snapshot(snapshot_path(self._workspace.snapshots, found.snapshot), found.snapshot)
        try:
            self._folder.mkdir(parents=True)
            # run.json last: with it the folder is whole
            folds = sorted(path.name for path in earlier.glob("fold-*.npz"))
            for name in (*folds, found.checkpoint_path.name, RUN_FILE):
                if (earlier / name).exists():
                    _link(earlier / name, self._folder / name)
            sync_folder(self._folder)
        except OSError as error:
            raise WorkspaceError(
                f"{self._folder} can't be written: {error.strerror or error}"
            ) from error
        for folder in self._earlier():
            shutil.rmtree(folder, ignore_errors=True)
        run = read_run(self.name, self._folder, self._staged)
        return run, _without_damaged_checkpoint(run)


def sweep(workspace: Workspace, kept: JobRuns) -> None:
    """Delete what ended jobs and late workers have left; one retrain is active at a time."""
    for folder in (workspace.runs / ".jobs").glob("*"):
        if folder.name != kept.name:
            shutil.rmtree(folder, ignore_errors=True)
    for folder in workspace.models.glob(".*"):
        found = _HIDDEN_MODEL.match(folder.name)
        if found and found[1] != kept.name:
            shutil.rmtree(folder, ignore_errors=True)


def _without_damaged_checkpoint(run: Run) -> list[str]:
    from mmcore.checkpoint import CheckpointFile

    try:
        CheckpointFile(run.checkpoint_path, run.checkpoint_hash).load()
    except (CheckpointError, KeyError, TypeError, ValueError) as error:
        run.checkpoint_path.unlink(missing_ok=True)
        return [f"the checkpoint is damaged, training starts again from its first step: {error}"]
    return []


def _link(source: Path, target: Path) -> None:
    """Make a second name of a file that is only ever replaced, never written into."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
