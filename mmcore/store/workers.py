"""Which workers are alive, by their leases."""

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from mmcore.store.tables import Job, WorkerLease

FORGOTTEN_AFTER_S = 24 * 3600.0  # rows of workers that never said goodbye


def reserve(session: Session, worker: WorkerLease, now: float) -> bool:
    """Return whether `worker` shall be started: its row is in the table now, as the only live one.

    Thirty people who press the button in the same moment start one worker, not thirty.
    """
    _lock(session)
    if live_workers(session, now):
        return False
    session.execute(delete(WorkerLease).where(WorkerLease.expires_at < now - FORGOTTEN_AFTER_S))
    session.add(worker)
    session.flush()
    return True


def show_up(session: Session, worker: WorkerLease) -> None:
    """Make or renew a worker's row."""
    renewed = session.execute(
        update(WorkerLease)
        .where(WorkerLease.name == worker.name)
        .values(host=worker.host, pid=worker.pid, expires_at=worker.expires_at)
    )
    if not renewed.rowcount:
        session.add(worker)
        session.flush()


def leave(session: Session, name: str) -> None:
    """Drop the row of a worker that ends."""
    session.execute(delete(WorkerLease).where(WorkerLease.name == name))


def leave_if_idle(session: Session, name: str) -> bool:
    """Return whether the worker may end: no job waits, and its row is gone.

    Whoever submits a job after this finds no live row and starts a worker; whoever submitted one
    before and found the row is served by this very worker.
    """
    _lock(session)
    if session.scalar(select(Job.id).where(Job.state == "queued").limit(1)) is not None:
        return False
    leave(session, name)
    return True


def live_workers(session: Session, now: float) -> int:
    """Return how many workers have shown themselves within their leases."""
    query = select(func.count()).select_from(WorkerLease).where(WorkerLease.expires_at > now)
    return session.scalar(query) or 0


def _lock(session: Session) -> None:
    """Let one transaction at a time decide who is alive; SQLite lets in one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE worker_lease IN EXCLUSIVE MODE"))
