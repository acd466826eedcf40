"""Jobs as people see them: press the button, watch, cancel, look back."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mmcore.jobs.backend import JobBackend
from mmcore.jobs.logs import TAIL_BYTES, log_path, read_tail
from mmcore.jobs.records import JobRecord, record
from mmcore.services.people import Actor, require
from mmcore.services.retrain_choices import RetrainChoices, no_production
from mmcore.store import jobs, models, new_labels
from mmcore.store.engine import Store
from mmcore.store.tables import Annotator, ProductClass
from mmcore.workspace import Workspace

RETRAIN = "retrain"


@dataclass(frozen=True)
class Submitted:
    """A job that will run, and whether this click made it."""

    job_id: int
    is_new: bool


@dataclass(frozen=True)
class EpochPoint:
    """One epoch in the curves.

    Attributes:
        number: counted through all phases, from 1.
        val_macro_f1: view -> macro-F1; {} without val products.
    """

    number: int
    phase: int
    phase_name: str
    epoch: int
    train_loss: float
    val_macro_f1: dict[str, float]


@dataclass(frozen=True)
class JobView:
    """A job, with everything a page shows of it.

    Attributes:
        is_silent: it is said to be running, but its worker has not been heard of within its
            lease; another attempt will go on.
        stage: of a retrain or of predictions (`retrain_progress.STAGES`, `catching_up.STAGES`); ""
            before the first attempt.
        done, total: of the stage's own unit (photos, products).
        macro_f1: of the fused answer on val, after the newest epoch; best_macro_f1 of them all.
        eta_s: seconds to the end of the stage; of training: of the phase. None: not known.
        device: cpu, cuda or mps; "" before training begins.
        num_new_labels: train and val products relabelled since production was trained.
        epochs: the curves, through all attempts.
        notes: what the training leaves out, and what to know about its result.
        who: name of the person who submitted it, "" where nobody did.
        log: its last lines, where they were asked for.
    """

    id: int
    kind: str
    state: str
    is_silent: bool
    cancel_requested: bool
    attempt: int
    stage: str
    stage_number: int | None
    num_stages: int | None
    done: int | None
    total: int | None
    phase: int | None
    num_phases: int | None
    phase_name: str
    epoch: int | None
    num_epochs: int | None
    step: int | None
    num_steps: int | None
    loss: float | None
    macro_f1: float | None
    best_macro_f1: float | None
    val_macro_f1: dict[str, float]
    eta_s: float | None
    device: str
    num_labels: int | None
    num_train: int | None
    num_val: int | None
    num_test: int | None
    num_new_labels: int | None
    model: str
    model_version_id: int | None
    error: str
    who: str
    worker: str
    choices: dict
    created_at: float
    started_at: float | None
    ended_at: float | None
    epochs: tuple[EpochPoint, ...] = ()
    notes: tuple[str, ...] = ()
    log: str = ""

    @property
    def is_active(self) -> bool:
        return self.state in jobs.ACTIVE


@dataclass(frozen=True)
class NewLabels:
    """What a retrain would learn that production hasn't."""

    total: int
    by_class: dict[str, int]  # code -> products; "" for those that lost their label


def submit_retrain(
    store: Store,
    actor: Actor,
    choices: RetrainChoices,
    now: float,
    backend: JobBackend | None = None,
) -> Submitted:
    """Return the active retrain, made where there was none; a second click changes nothing.

    Args:
        backend: sees to it that somebody runs the job; None leaves that to a worker that is
            running anyway.

    Raises:
        RefusedError: below the role of lead.
        ConfigError: if a choice is unknown or out of its limits, or there is no production model
            to start from.
    """
    require(actor, "lead")
    data = choices.to_json()
    if choices.fresh is False:
        with store.reading() as session:
            if models.find_production(session) is None:
                raise no_production()
    if backend is not None:
        job, is_new = backend.submit(RETRAIN, data, actor.id, now)
        return Submitted(job.id, is_new)
    with store.writing() as session:
        row, is_new = jobs.submit(session, RETRAIN, data, actor.id, now)
        return Submitted(row.id, is_new)


def cancel_job(store: Store, actor: Actor, job_id: int, now: float) -> JobView:
    """Return the job, cancelled or about to be; one that has ended stays as it is.

    Raises:
        RefusedError: below the role of lead.
        NotFoundError: if there is no such job.
    """
    require(actor, "lead")
    with store.writing() as session:
        job = record(jobs.request_cancel(session, job_id, now))
        return _view(job, _names(session, [job]), now)


def view_job(
    store: Store, workspace: Workspace, job_id: int, now: float, log_bytes: int = TAIL_BYTES
) -> JobView:
    """Return a job with the end of its log.

    Raises:
        NotFoundError: if there is no such job.
    """
    with store.reading() as session:
        job = record(jobs.find_job(session, job_id))
        names = _names(session, [job])
    return _view(job, names, now, read_tail(log_path(workspace, job_id), log_bytes))


def list_jobs(
    store: Store,
    now: float,
    limit: int = 50,
    before_id: int | None = None,
    is_active: bool = False,
) -> list[JobView]:
    """Return jobs, newest first, without their logs.

    Args:
        before_id: go on below this number.
        is_active: only queued and running ones.
    """
    with store.reading() as session:
        found = [record(job) for job in jobs.list_jobs(session, limit, before_id, is_active)]
        names = _names(session, found)
    return [_view(job, names, now) for job in found]


def new_labels_since_production(store: Store) -> NewLabels:
    """Return what a retrain would learn that the production model hasn't."""
    with store.reading() as session:
        counts = new_labels.count_new_labels(session, new_labels.learnt_up_to(session))
        query = select(ProductClass.id, ProductClass.code)
        codes = dict(session.execute(query).all()) if counts else {}
    by_class = {codes.get(class_id, ""): n for class_id, n in counts.items()}
    return NewLabels(sum(counts.values()), by_class)


def _names(session: Any, found: list[JobRecord]) -> dict[int, str]:
    ids = {job.annotator_id for job in found if job.annotator_id is not None}
    query = select(Annotator.id, Annotator.name).where(Annotator.id.in_(ids))
    return dict(session.execute(query).all()) if ids else {}


def _view(job: JobRecord, names: dict[int, str], now: float, log: str = "") -> JobView:
    seen, result = job.progress, job.result
    same = ("id", "kind", "state", "attempt", "cancel_requested", "error", "worker", "choices")
    times = ("created_at", "started_at", "ended_at")
    shown = (
        *("stage_number", "num_stages", "done", "total", "phase", "num_phases", "epoch"),
        *("num_epochs", "step", "num_steps", "loss", "macro_f1", "best_macro_f1"),
        *("num_train", "num_val", "num_test"),
    )
    num_labels = None
    if "num_train" in seen:
        num_labels = seen["num_train"] + seen["num_val"]
    return JobView(
        **{name: getattr(job, name) for name in (*same, *times)},
        **{name: seen.get(name) for name in shown},
        is_silent=job.is_silent(now),
        stage=seen.get("stage", ""),
        device=seen.get("device", ""),
        phase_name=seen.get("phase_name", ""),
        val_macro_f1=seen.get("val_macro_f1", {}),
        eta_s=seen.get("eta_s") if job.is_active else None,
        num_labels=num_labels,
        num_new_labels=result.get("num_new_labels"),
        model=result.get("model", ""),
        model_version_id=result.get("model_version_id"),
        who=names.get(job.annotator_id or 0, ""),
        epochs=tuple(EpochPoint(i, **e) for i, e in enumerate(seen.get("history", ()), start=1)),
        notes=tuple(result.get("notes", ())),
        log=log,
    )
