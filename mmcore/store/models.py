"""Model versions and their stages, in SQL. The folders are the business of the services."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError, StaleWriteError
from mmcore.store.tables import Annotator, Job, ModelVersion, Prediction, Setting, StageChange

PRODUCTION, CANDIDATE, ARCHIVED = "production", "candidate", "archived"
PARENT = "parent"  # in the result of a retrain job: name of the version it starts from


@dataclass(frozen=True)
class NewVersion:
    """What is known of a model when it is registered."""

    name: str
    snapshot: str
    scores: dict
    parent: str | None = None  # name of the version it was warm-started from
    job_id: int | None = None
    attempt: int | None = None


def lock_versions(session: Session) -> None:
    """Keep every other change of stage out until this transaction ends."""
    # SQLite has locked the whole file by then and knows no FOR UPDATE; PostgreSQL waits here
    session.execute(select(ModelVersion.id).order_by(ModelVersion.id).with_for_update())


def find_version(session: Session, name: str) -> ModelVersion:
    """Return a model version by name.

    Raises:
        NotFoundError: if none is registered under it.
    """
    found = session.scalar(select(ModelVersion).where(ModelVersion.name == name))
    if found is None:
        newest = select(ModelVersion.name).order_by(ModelVersion.id.desc()).limit(5)
        known = ", ".join(session.scalars(newest)) or "none"
        raise NotFoundError(
            f"no model named {name!r} is registered; there are: {known}; a folder that was copied "
            f"in is registered by `python -m mmcore models add {name}`"
        )
    return found


def get_version(session: Session, version_id: int) -> ModelVersion:
    """Return a model version by id.

    Raises:
        NotFoundError: if there is none.
    """
    found = session.get(ModelVersion, version_id)
    if found is None:
        raise NotFoundError(f"there is no model version with id {version_id}")
    return found


def find_production(session: Session) -> ModelVersion | None:
    """Return the model that answers, None where there is none."""
    return session.scalar(select(ModelVersion).where(ModelVersion.stage == PRODUCTION))


def is_production_kept(session: Session, version_id: int) -> bool:
    """Return whether a version is in production, and keep it there until the transaction ends.

    What is written for the model that answers is written after this, in the same transaction: an
    activation comes before it, and is seen here, or waits for it.
    """
    is_it = select(ModelVersion.id).where(
        ModelVersion.id == version_id, ModelVersion.stage == PRODUCTION
    )
    # SQLite has let in one writer only; on PostgreSQL pieces don't wait for one another
    return session.scalar(is_it.with_for_update(read=True)) is not None


def check_fence(session: Session, job_id: int, attempt: int | None) -> None:
    """Refuse a write of a worker whose job was taken over, cancelled or ended.

    The job row stays locked until the transaction ends.

    Raises:
        StaleWriteError: naming the job, both attempts and its state.
    """
    row = session.execute(
        select(Job.state, Job.attempt).where(Job.id == job_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise StaleWriteError(f"job {job_id} doesn't exist any more; nothing was written")
    if row.state != "running" or row.attempt != attempt:
        raise StaleWriteError(
            f"job {job_id} is {row.state} in attempt {row.attempt}, this worker's is attempt "
            f"{attempt}: another worker took it over, or it was ended; nothing was written"
        )


def add_version(session: Session, new: NewVersion, now: float) -> ModelVersion:
    """Return the candidate of this name, added where it was not yet.

    Raises:
        StaleWriteError: if the job it comes from isn't this worker's any more.
        RefusedError: if another model was registered under this name.
    """
    if new.job_id is not None:
        check_fence(session, new.job_id, new.attempt)
    by_name = select(ModelVersion).where(ModelVersion.name == new.name)
    found = session.scalar(by_name) or _insert(session, new, now) or session.scalars(by_name).one()
    if found.snapshot != new.snapshot:
        raise RefusedError(
            f"another model is registered as {new.name!r} (its labels are {found.snapshot[:12]}, "
            f"these {new.snapshot[:12]}); give this one another name"
        )
    return found


def _insert(session: Session, new: NewVersion, now: float) -> ModelVersion | None:
    """Return the new row, None if another process was quicker."""
    parent = select(ModelVersion.id).where(ModelVersion.name == (new.parent or ""))
    version = ModelVersion(
        name=new.name,
        stage=CANDIDATE,
        parent_id=session.scalar(parent),
        snapshot=new.snapshot,
        job_id=new.job_id,
        scores=new.scores,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError:
        return None
    session.add(_change(version, "", "register", None, "", now))
    return version


def put_in_production(
    session: Session,
    version: ModelVersion,
    act: str,
    annotator_id: int | None,
    reason: str,
    now: float,
) -> ModelVersion | None:
    """Make a version the one that answers; returns the one that did before.

    Args:
        act: activate or rollback. The caller holds `lock_versions`.
    """
    before = find_production(session)
    if before is not None:
        before.stage = ARCHIVED
        session.add(_change(before, PRODUCTION, act, annotator_id, reason, now))
        session.flush()  # first: the index allows one production at any moment
    stage_before, version.stage = version.stage, PRODUCTION
    session.flush()
    session.add(_change(version, stage_before, act, annotator_id, reason, now))
    return before


def _change(
    version: ModelVersion,
    stage_before: str,
    act: str,
    annotator_id: int | None,
    reason: str,
    now: float,
) -> StageChange:
    return StageChange(
        model_version_id=version.id,
        act=act,
        stage_before=stage_before,
        stage=version.stage,
        annotator_id=annotator_id,
        reason=reason,
        created_at=now,
    )


def way_back(session: Session) -> list[int]:
    """Return the ids of the production models that rollback goes through, the next one first.

    Each activation puts a model on a pile, each rollback takes one off: after A, B, C a first
    rollback gives B, a second A. A model whose folder was pruned is passed over.
    """
    pile: list[int] = []
    rows = session.execute(
        select(StageChange.model_version_id, StageChange.act)
        .where(StageChange.stage == PRODUCTION)
        .order_by(StageChange.id)
    )
    for version_id, act in rows:
        if act == "rollback":
            # down to the model that was gone back to; what lay between was passed over
            while pile and pile[-1] != version_id:
                pile.pop()
        else:
            pile.append(version_id)
    pruned = set(session.scalars(select(ModelVersion.id).where(ModelVersion.is_pruned)))
    current = pile.pop() if pile else None
    return [i for i in reversed(pile) if i not in pruned and i != current]


def list_versions(session: Session) -> list[tuple[ModelVersion, str | None]]:
    """Return every version with its parent's name, newest first."""
    parent = select(ModelVersion.id, ModelVersion.name).subquery()
    rows = session.execute(
        select(ModelVersion, parent.c.name)
        .join(parent, parent.c.id == ModelVersion.parent_id, isouter=True)
        .order_by(ModelVersion.created_at.desc(), ModelVersion.id.desc())
    )
    return [(version, name) for version, name in rows]


def stage_changes(session: Session) -> list[tuple[StageChange, str | None]]:
    """Return every change of stage with the person's name, oldest first."""
    rows = session.execute(
        select(StageChange, Annotator.name)
        .join(Annotator, Annotator.id == StageChange.annotator_id, isouter=True)
        .order_by(StageChange.id)
    )
    return [(change, name) for change, name in rows]


def makers(session: Session) -> dict[int, str]:
    """Return version id -> name of the person whose retrain made it, as far as one did."""
    query = select(ModelVersion.id, Annotator.name)
    query = query.join(Job, Job.id == ModelVersion.job_id)
    return dict(session.execute(query.join(Annotator, Annotator.id == Job.annotator_id)).all())


def running_models(session: Session) -> set[int]:
    """Return the versions whose job has not ended: still being judged."""
    rows = select(ModelVersion.id).join(Job, Job.id == ModelVersion.job_id)
    return set(session.scalars(rows.where(Job.state.in_(("queued", "running")))))


def needed_parents(session: Session) -> set[str]:
    """Return the names of the versions that a retrain which has not ended starts from."""
    results = session.scalars(select(Job.result).where(Job.state.in_(("queued", "running"))))
    return {result[PARENT] for result in results if result and result.get(PARENT)}


def forget_predictions(session: Session, version_id: int, limit: int) -> int:
    """Return how many rows of a version were deleted; at most `limit`, so that nobody waits."""
    last = (
        select(Prediction.product_id)
        .where(Prediction.model_version_id == version_id)
        .order_by(Prediction.product_id)
        .limit(limit)
        .subquery()
    )
    highest = session.scalar(select(func.max(last.c.product_id)))
    if highest is None:
        return 0
    done = session.execute(
        delete(Prediction).where(
            Prediction.model_version_id == version_id, Prediction.product_id <= highest
        )
    )
    return done.rowcount


def read_setting(session: Session, name: str) -> dict:
    """Return a setting of the workspace, {} where it was never set."""
    found = session.get(Setting, name)
    return found.value if found else {}


def write_setting(session: Session, name: str, value: dict) -> None:
    """Keep a setting of the workspace."""
    session.merge(Setting(name=name, value=value))
