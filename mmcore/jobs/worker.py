"""The worker: takes jobs from the table, one at a time, and runs them.

`step` is one look at the table and, where a job waits, that job from claim to end. Everything
that can be asked again later (another attempt, another worker) is in the table or on disk.
"""

import errno
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from mmcore.errors import JobCancelledError, JobLostError, MmcoreError, TrainingInterrupted
from mmcore.jobs.context import JobContext, Surroundings
from mmcore.jobs.leash import LeaseTimes, Leash
from mmcore.jobs.local import new_worker
from mmcore.jobs.logs import JobLog, log_path
from mmcore.jobs.records import JobRecord, record
from mmcore.store import jobs, workers
from mmcore.store.failures import AWAY
from mmcore.store.jobs import MAX_ATTEMPTS
from mmcore.store.tables import WorkerLease

SQLITE_FULL = 13
END_TRIES = 20  # to write a job's end into a table that can't be written just now
END_WAIT_S = 1.0

Runner = Callable[[JobContext], dict]


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        name: in the table of workers; None has one made.
        max_attempts: workers that may die on one job before it counts as failed.
    """

    name: str | None = None
    times: LeaseTimes = LeaseTimes()
    max_attempts: int = MAX_ATTEMPTS


class Worker:
    """One process that runs jobs; several on one store are fine."""

    def __init__(
        self,
        around: Surroundings,
        runners: Mapping[str, Runner],
        options: WorkerOptions,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Set up a worker; nothing is claimed yet.

        Args:
            runners: kind of job -> what runs it and returns its result.
            is_stopping: whether this process was asked to end.
        """
        self._around, self._runners, self._options = around, runners, options
        self._is_stopping = is_stopping
        made = new_worker(around.clock(), options.times.lease_s)
        self.name = options.name or made.name
        self._host, self._pid, self._started_at = made.host, made.pid, made.started_at
        self._shown_at = float("-inf")

    def step(self, now: float) -> bool:
        """Return whether there was a job; it has ended, or was given back, when this returns."""
        self._show_up(now)
        with self._around.store.reading() as session:
            if not jobs.is_work_waiting(session, now):
                return False
        times = self._options.times
        with self._around.store.writing() as session:
            found = jobs.claim(session, self.name, now, times.lease_s, self._options.max_attempts)
            job = record(found) if found else None
        if job is None:
            return False
        self._run(job)
        return True

    def leave(self) -> None:
        """Sign off; a job that was running has been given back before."""
        with self._around.store.writing() as session:
            workers.leave(session, self.name)

    def leave_if_idle(self) -> bool:
        """Return whether the worker may end, signed off, because no job waits."""
        with self._around.store.writing() as session:
            return workers.leave_if_idle(session, self.name)

    # -- one job -------------------------------------------------------------------------------

    def _run(self, job: JobRecord) -> None:
        around, times = self._around, self._options.times
        log = JobLog(log_path(around.workspace, job.id), job.attempt, around.clock)
        log.write(f"{job.kind}: attempt {job.attempt} begins, worker {self.name}")
        with Leash(around.store, job.claim, times, around.clock, self._show_up) as leash:
            context = JobContext(job, around, leash, log, self._is_stopping)
            end = self._attempt(context, log)
            text = self._write_end(job, end)
        log.write(text)

    def _attempt(self, context: JobContext, log: JobLog) -> "_End":
        """Return how the attempt ended; nothing is raised but what ends the process."""
        kind = context.job.kind
        try:
            if kind not in self._runners:
                return _End("failed", error=f"this version knows no job of kind {kind!r}; update")
            return _End("succeeded", result=self._runners[kind](context))
        except JobLostError as error:
            return _End("lost", error=str(error))
        except JobCancelledError:
            return _End("cancelled")
        except TrainingInterrupted as error:
            if not self._is_stopping():
                return _End("failed", error=str(error))
            log.write(str(error))
            return _End("given back")
        except MmcoreError as error:
            return _End("failed", error=str(error))
        except Exception as error:
            log.write(traceback.format_exc())
            return _End("failed", error=describe(error, self._around.workspace.home))

    def _write_end(self, job: JobRecord, end: "_End") -> str:
        """Return a line for the log on how the job ended in the table."""
        if end.state == "lost":
            return end.error
        for is_last in (False,) * END_TRIES + (True,):
            try:
                with self._around.store.writing() as session:
                    is_ours = end.write(session, job.claim, self._around.clock())
            except AWAY as error:
                if is_last:
                    return f"the end ({end.state}) can't be written: {error}; another attempt will"
                time.sleep(END_WAIT_S)
                continue
            gone = "ended before, or another worker's" if not is_ours else ""
            return " ".join(part for part in (end.state, end.error or gone) if part)
        raise AssertionError("the last try returns")

    # -- being seen ----------------------------------------------------------------------------

    def _show_up(self, now: float) -> None:
        times = self._options.times
        if now - self._shown_at < times.renew_s:
            return
        row = WorkerLease(
            name=self.name,
            host=self._host,
            pid=self._pid,
            started_at=self._started_at,
            expires_at=now + times.lease_s,
        )
        with self._around.store.writing() as session:
            workers.show_up(session, row)
        self._shown_at = now


@dataclass(frozen=True)
class _End:
    """How an attempt ended."""

    state: str
    result: dict | None = None
    error: str = ""

    def write(self, session, held: jobs.Claim, now: float) -> bool:
        if self.state == "succeeded":
            return jobs.finish(session, held, self.result or {}, now)
        if self.state == "failed":
            return jobs.fail(session, held, self.error, now)
        if self.state == "cancelled":
            return jobs.cancelled(session, held, now)
        return jobs.give_back(session, held, now)


@dataclass(frozen=True)
class Shift:
    """How long a worker stays.

    Attributes:
        once: for one look at the table, and the job that waits there if one does.
        idle_exit_s: until so long no job came; None: until it is told to end.
    """

    once: bool = False
    idle_exit_s: float | None = None
    poll_s: float = 1.0


def work(
    worker: Worker,
    shift: Shift,
    clock: Callable[[], float],
    is_stopping: Callable[[], bool],
    complain: Callable[[str], None],
) -> int:
    """Return how many jobs a worker ran before its shift ended."""
    num_jobs, idle_since = 0, clock()
    while not is_stopping():
        had_job = False
        try:
            had_job = worker.step(clock())
        except AWAY as error:
            if shift.once:
                raise
            complain(f"the database can't be used just now: {error}")
        if had_job:
            num_jobs, idle_since = num_jobs + 1, clock()
        if shift.once:
            break
        if had_job:
            continue
        is_bored = shift.idle_exit_s is not None and clock() - idle_since >= shift.idle_exit_s
        if is_bored and worker.leave_if_idle():
            return num_jobs
        time.sleep(shift.poll_s)
    worker.leave()
    return num_jobs


def describe(error: Exception, home: object) -> str:
    """Return what a person is told of an error that isn't the user's."""
    is_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if isinstance(error, DBAPIError):  # outside a session of the store, which explains its own
        code = getattr(error.orig, "sqlite_errorcode", None)
        is_full = code is not None and code & 0xFF == SQLITE_FULL
    if is_full:
        return (
            f"the disk of workspace {home} is full; free some space, then submit the job again: "
            "production and all labels are as before"
        )
    return f"internal error: {type(error).__name__}: {error}"
