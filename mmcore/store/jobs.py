"""The job table: the truth about work that takes long.

A claim raises the job's `attempt`, and every later write of that worker names it: a worker that
stalled past its lease finds the number raised and writes nothing. Whether a worker is alive is
told by its lease alone; a process number proves nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mmcore.errors import JobLostError, NotFoundError
from mmcore.store.tables import Job

MAX_ATTEMPTS = 3  # workers that may die on one job before it counts as failed
SUBMIT_TRIES = 5  # each is lost only to a job that came and went in between
ACTIVE = ("queued", "running")
_AGAIN = "again"  # among the choices of a running job that was asked for once more


@dataclass(frozen=True)
class Claim:
    """What a worker holds: a job and the fencing token of this attempt."""

    job_id: int
    attempt: int


class Signal(StrEnum):
    """What the table tells a worker about the job it runs."""

    GO_ON = "go on"
    CANCEL = "cancel"
    LOST = "lost"


# -- people ------------------------------------------------------------------------------------


def submit(
    session: Session, kind: str, choices: dict, annotator_id: int | None, now: float
) -> tuple[Job, bool]:
    """Return the active job of this kind and whether it is new; a second click makes no second.

    Of the SINGLE_JOBS the table's own index admits one active row each, so of two processes that
    submit at the same moment one is told of the other's.
    """
    for is_last in (False,) * SUBMIT_TRIES + (True,):
        active = session.scalar(select(Job).where(Job.kind == kind, Job.state.in_(ACTIVE)))
        if active is not None:
            return active, False
        job = Job(kind=kind, choices=choices, annotator_id=annotator_id, created_at=now)
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:
            if is_last:
                raise
            continue  # somebody else's was first: return that, unless it has ended meanwhile
        return job, True
    raise AssertionError("the last try returns or raises")


def submit_again(
    session: Session, kind: str, annotator_id: int | None, now: float
) -> tuple[Job, bool]:
    """Return the active job of a kind that looks at what is there, and whether it is new.

    One that is running may have looked already: it runs once more when it ends (`finish`).
    """
    for _ in range(SUBMIT_TRIES):
        job, is_new = submit(session, kind, {}, annotator_id, now)
        asked = {**job.choices, _AGAIN: True}
        is_running = and_(Job.id == job.id, Job.state == "running")
        if job.state == "queued" or _change(session, is_running, choices=asked):
            return find_job(session, job.id), is_new
    raise AssertionError(f"{SUBMIT_TRIES} jobs of kind {kind} ended in the same moment")


def request_cancel(session: Session, job_id: int, now: float) -> Job:
    """Return the job: cancelled at once where no live worker has it, else with the flag set.

    A job that has ended stays as it is.

    Raises:
        NotFoundError: if there is no such job.
    """
    _change(session, and_(Job.id == job_id, _waits(now)), cancel_requested=True, **_ended(now))
    _change(session, and_(Job.id == job_id, Job.state == "running"), cancel_requested=True)
    return find_job(session, job_id)


def find_job(session: Session, job_id: int) -> Job:
    """Return a job as it stands in the table now.

    Raises:
        NotFoundError: if there is none of this number.
    """
    query = select(Job).where(Job.id == job_id).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        newest = session.scalar(select(func.max(Job.id)))
        known = f"the newest is {newest}" if newest else "there is none yet"
        raise NotFoundError(f"there is no job {job_id}; {known}")
    return found


def list_jobs(
    session: Session, limit: int, before_id: int | None = None, is_active: bool = False
) -> list[Job]:
    """Return jobs, newest first.

    Args:
        before_id: go on below this number (the page before ended there).
        is_active: only queued and running ones.
    """
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Job.id < before_id)
    if is_active:
        query = query.where(Job.state.in_(ACTIVE))
    return list(session.scalars(query))


def is_work_waiting(session: Session, now: float) -> bool:
    """Return whether a worker would find something to do."""
    return session.scalar(select(Job.id).where(_waits(now)).limit(1)) is not None


# -- workers -----------------------------------------------------------------------------------


def claim(
    session: Session, worker: str, now: float, lease_s: float, max_attempts: int = MAX_ATTEMPTS
) -> Job | None:
    """Return the oldest job that waits, now this worker's; None where none waits.

    A running job whose lease has passed waits, too: its worker died or stalled.
    """
    _end_abandoned(session, now, max_attempts)
    waits = _waits(now)
    oldest = select(Job.id).where(waits).order_by(Job.id).limit(1)
    # PostgreSQL: two workers at once take two jobs; SQLite has let in one writer only
    oldest = oldest.with_for_update(skip_locked=True).scalar_subquery()
    taken = (
        update(Job)
        .where(Job.id == oldest, waits)
        .values(
            state="running",
            attempt=Job.attempt + 1,
            num_lost=Job.num_lost + case((Job.state == "running", 1), else_=0),
            worker=worker,
            lease_until=now + lease_s,
            started_at=func.coalesce(Job.started_at, now),
        )
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(taken).one_or_none()


def _end_abandoned(session: Session, now: float, max_attempts: int) -> None:
    """End the jobs whose worker is gone and that nobody shall try again."""
    is_abandoned = and_(Job.state == "running", Job.lease_until < now)
    _change(session, and_(is_abandoned, Job.cancel_requested), **_ended(now))
    error = (
        f"its worker died or stalled {max_attempts} times (limit {max_attempts}), though each "
        "attempt went on where the one before had stopped; look at the job's log and at this "
        "machine's memory (a process that takes too much is killed without a word), then submit "
        "it again"
    )
    is_spent = and_(is_abandoned, Job.num_lost + 1 >= max_attempts)
    spent = {**_ended(now, "failed"), "error": error, "num_lost": Job.num_lost + 1}
    _change(session, is_spent, **spent)


def renew(session: Session, held: Claim, now: float, lease_s: float) -> Signal:
    """Return what the job's worker shall do, its lease renewed where it still holds the job."""
    is_held = _change(session, _fence(held), lease_until=now + lease_s)
    return look(session, held) if is_held else Signal.LOST


def look(session: Session, held: Claim) -> Signal:
    """Return what the job's worker shall do, without a write."""
    is_cancelled = session.scalar(select(Job.cancel_requested).where(_fence(held)))
    if is_cancelled is None:
        return Signal.LOST
    return Signal.CANCEL if is_cancelled else Signal.GO_ON


def require_held(session: Session, held: Claim) -> None:
    """Refuse a worker that no longer holds the job; the answer holds until the transaction ends.

    Whatever must not be done by a worker that stalled and woke up again is done after this, in
    the same writing transaction.

    Raises:
        JobLostError: if another attempt has begun, or the job has ended.
    """
    query = select(Job.id).where(_fence(held)).with_for_update()
    if session.scalar(query) is None:
        raise lost(held)


def lost(held: Claim) -> JobLostError:
    """Return the error of a worker that no longer holds its job."""
    return JobLostError(
        f"job {held.job_id} is no longer attempt {held.attempt}'s: it ended, or the worker was "
        "silent past its lease and another one took over; nothing more is written"
    )


def write_progress(session: Session, held: Claim, progress: dict) -> bool:
    """Return whether the worker shall go on: False when the job is lost or to be cancelled."""
    is_held = _change(session, _fence(held), progress=progress)
    return is_held and look(session, held) is Signal.GO_ON


def write_result(session: Session, held: Claim, result: dict) -> bool:
    """Keep what is known so far (a later attempt reads it); False when the job is lost."""
    return _change(session, _fence(held), result=result)


def finish(session: Session, held: Claim, result: dict, now: float) -> bool:
    """Return whether the job was still this worker's and is succeeded now.

    One that was asked for again meanwhile waits again, with what it has found so far.
    """
    once_more = and_(_fence(held), Job.choices[_AGAIN].as_boolean(), ~Job.cancel_requested)
    waiting = {"state": "queued", "lease_until": None, "worker": ""}
    if _change(session, once_more, choices={}, result=result, **waiting):
        return True
    return _change(session, _fence(held), result=result, **_ended(now, "succeeded"))


def fail(session: Session, held: Claim, error: str, now: float) -> bool:
    """Return whether the job was still this worker's and is failed now, with the message."""
    return _change(session, _fence(held), error=error, **_ended(now, "failed"))


def cancelled(session: Session, held: Claim, now: float) -> bool:
    """Return whether the job was still this worker's and is cancelled now."""
    return _change(session, _fence(held), **_ended(now))


def give_back(session: Session, held: Claim, now: float) -> bool:
    """Return whether the job was still this worker's and waits for another one now.

    It doesn't count as lost. A job that was to be cancelled is cancelled instead.
    """
    if _change(session, and_(_fence(held), Job.cancel_requested), **_ended(now)):
        return True
    return _change(session, _fence(held), state="queued", lease_until=None, worker="")


def _waits(now: float) -> ColumnElement[bool]:
    is_abandoned = and_(Job.state == "running", Job.lease_until < now)
    return or_(Job.state == "queued", is_abandoned)


def _fence(held: Claim) -> ColumnElement[bool]:
    return and_(Job.id == held.job_id, Job.attempt == held.attempt, Job.state == "running")


def _ended(now: float, state: str = "cancelled") -> dict:
    return {"state": state, "ended_at": now, "lease_until": None}


def _change(session: Session, where: ColumnElement[bool], **values: object) -> bool:
    statement = update(Job).where(where).values(**values)
    done = session.execute(statement.execution_options(synchronize_session=False))
    return done.rowcount > 0
