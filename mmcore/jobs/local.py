"""Jobs on this machine: the table, and a detached worker process where none is alive.

The worker is a session of its own: it outlives the page that started it, and its output goes to
a file. Whether one is alive is read from its lease; a process number proves nothing, because a
dead child of the app stays a zombie that still answers.
"""

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from mmcore.errors import WorkspaceError
from mmcore.jobs.logs import log_path, read_tail
from mmcore.jobs.records import JobRecord, record
from mmcore.settings import Settings
from mmcore.store import jobs, workers
from mmcore.store.engine import Store
from mmcore.store.tables import WorkerLease
from mmcore.workspace import Workspace

START_GRACE_S = 60.0  # for a new process to load and show itself; then another one is started
IDLE_EXIT_MIN = 10  # a worker started by the app leaves after so long without work
NICE = 10  # people who label on this machine come first
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]

Start = Callable[[Workspace, Settings, str], None]


class LocalBackend:
    """A `JobBackend` over the workspace's own table."""

    def __init__(
        self, store: Store, workspace: Workspace, settings: Settings, start: Start | None = None
    ) -> None:
        """Bind the table to a workspace.

        Args:
            start: starts a worker of the given name (tests have their own).
        """
        self._store = store
        self._workspace = workspace
        self._settings = settings
        self._start = start or start_worker

    def submit(
        self, kind: str, choices: dict, annotator_id: int | None, now: float
    ) -> tuple[JobRecord, bool]:
        with self._store.writing() as session:
            job, is_new = jobs.submit(session, kind, choices, annotator_id, now)
            found = record(job)
        self.wake(now)
        return found, is_new

    def status(self, job_id: int) -> JobRecord:
        with self._store.reading() as session:
            return record(jobs.find_job(session, job_id))

    def cancel(self, job_id: int, now: float) -> JobRecord:
        with self._store.writing() as session:
            return record(jobs.request_cancel(session, job_id, now))

    def logs(self, job_id: int, max_bytes: int) -> str:
        self.status(job_id)  # NotFoundError for a number that never was
        return read_tail(log_path(self._workspace, job_id), max_bytes)

    def wake(self, now: float) -> bool:
        with self._store.reading() as session:
            if not jobs.is_work_waiting(session, now) or workers.live_workers(session, now):
                return False
        worker = new_worker(now, START_GRACE_S)
        with self._store.writing() as session:
            if not workers.reserve(session, worker, now):
                return False
        try:
            self._start(self._workspace, self._settings, worker.name)
        except OSError as error:
            with self._store.writing() as session:
                workers.leave(session, worker.name)
            raise WorkspaceError(
                f"no worker could be started: {error.strerror or error}; the job waits: start one "
                "by hand with `python -m mmcore worker`"
            ) from error
        return True


def new_worker(now: float, lease_s: float) -> WorkerLease:
    """Return the row of a worker on this machine, under a name nobody has had."""
    host = socket.gethostname()
    name = f"{host}-{secrets.token_hex(4)}"
    return WorkerLease(
        name=name, host=host, pid=os.getpid(), started_at=now, expires_at=now + lease_s
    )


def start_worker(workspace: Workspace, settings: Settings, name: str) -> None:
    """Start a detached worker process that registers under `name`.

    Raises:
        OSError: if the operating system won't start it.
    """
    command = [sys.executable, "-m", "mmcore", "worker", "--home", str(workspace.home)]
    command += ["--name", name, "--idle-exit", str(IDLE_EXIT_MIN), "--nice", str(NICE)]
    with (workspace.logs / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment_of(settings),
        )
    # collects the exit code, so that no zombie stays; the worker itself doesn't depend on it
    threading.Thread(target=process.wait, daemon=True, name=f"reap {name}").start()


def environment_of(settings: Settings) -> dict[str, str]:
    """Return what tells a process of ours these settings; a password is no command argument."""
    paths = [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    found = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "MMCORE_DEVICE": settings.device,
        "MMCORE_DECODE_THREADS": str(settings.decode_threads),
        "MMCORE_OFFLINE": "1" if settings.offline else "0",
    }
    if settings.database_url:
        found["MMCORE_DATABASE_URL"] = settings.database_url
    return found
