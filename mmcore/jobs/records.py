"""A job as plain values, for workers, services and pages."""

from dataclasses import dataclass

from mmcore.store.jobs import Claim
from mmcore.store.tables import Job


@dataclass(frozen=True)
class JobRecord:
    """One row of the job table, as it was when it was read."""

    id: int
    kind: str
    state: str
    choices: dict
    progress: dict
    result: dict
    error: str
    attempt: int
    num_lost: int
    worker: str
    lease_until: float | None
    cancel_requested: bool
    annotator_id: int | None
    created_at: float
    started_at: float | None
    ended_at: float | None

    @property
    def claim(self) -> Claim:
        return Claim(self.id, self.attempt)

    @property
    def is_active(self) -> bool:
        return self.state in ("queued", "running")

    def is_silent(self, now: float) -> bool:
        """Return whether it is said to be running, but its worker's lease has passed."""
        return self.state == "running" and (self.lease_until or 0.0) < now


def record(job: Job) -> JobRecord:
    """Return a row as plain values."""
    return JobRecord(**{name: getattr(job, name) for name in JobRecord.__dataclass_fields__})
