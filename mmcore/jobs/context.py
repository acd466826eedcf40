"""What a running job is given: its row, its workspace, and the ways to report and to stop."""

from collections.abc import Callable
from dataclasses import dataclass

from mmcore.jobs.leash import Leash
from mmcore.jobs.logs import JobLog
from mmcore.jobs.records import JobRecord
from mmcore.settings import Settings
from mmcore.store import jobs
from mmcore.store.engine import Store
from mmcore.store.failures import AWAY
from mmcore.workspace import Workspace

REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class Surroundings:
    """Where a worker works."""

    store: Store
    workspace: Workspace
    settings: Settings
    clock: Callable[[], float]


class JobContext:
    """One attempt at one job."""

    def __init__(
        self,
        job: JobRecord,
        around: Surroundings,
        leash: Leash,
        log: JobLog,
        is_stopping: Callable[[], bool],
    ) -> None:
        self.job = job
        self.store, self.workspace = around.store, around.workspace
        self.settings, self.clock = around.settings, around.clock
        self._leash, self._log, self._is_stopping = leash, log, is_stopping
        self._reported_at = float("-inf")

    def should_stop(self) -> bool:
        """Return True when the worker itself was asked to end: keep a checkpoint, then stop.

        Raises:
            JobCancelledError, JobLostError: there is nothing to be kept.
        """
        self._leash.check()
        return self._is_stopping()

    def report(self, progress: dict, is_due: bool = False) -> None:
        """Show progress, about once a second at most.

        Args:
            is_due: a turn in the story: shown whatever the time.

        Raises:
            JobCancelledError, JobLostError: as `should_stop`.
        """
        now = self.clock()
        if not is_due and now - self._reported_at < REPORT_EVERY_S:
            return
        self._reported_at = now
        try:
            with self.store.writing() as session:
                may_go_on = jobs.write_progress(session, self.job.claim, progress)
        except AWAY:
            return  # hours of training don't hang on one line of progress
        self._leash.heed(may_go_on)

    def keep(self, result: dict) -> None:
        """Keep what a later attempt must know.

        Raises:
            JobLostError: if the job is another worker's by now.
        """
        with self.store.writing() as session:
            if not jobs.write_result(session, self.job.claim, result):
                raise jobs.lost(self.job.claim)

    def log(self, text: str) -> None:
        """Write a line into the job's log."""
        self._log.write(text)
