"""What a place that runs jobs must offer; the local one is in `local.py`."""

from typing import Protocol

from mmcore.jobs.records import JobRecord


class JobBackend(Protocol):
    """Takes jobs, runs them somewhere, tells about them; the job table is the truth everywhere."""

    def submit(
        self, kind: str, choices: dict, annotator_id: int | None, now: float
    ) -> tuple[JobRecord, bool]:
        """Return the active job of this kind and whether it is new; somebody will run it."""
        ...

    def status(self, job_id: int) -> JobRecord:
        """Return a job as it stands now."""
        ...

    def cancel(self, job_id: int, now: float) -> JobRecord:
        """Return the job, cancelled or about to be."""
        ...

    def logs(self, job_id: int, max_bytes: int) -> str:
        """Return the last lines of a job's log."""
        ...

    def wake(self, now: float) -> bool:
        """Return whether a worker had to be started because a job waits and none was alive."""
        ...
