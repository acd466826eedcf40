"""How long a retrain may take: from earlier ones on this machine, else by a stated rule."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select

from mmcore.config import build_run_config, pays_to_refit
from mmcore.jobs.records import JobRecord, record
from mmcore.services.retrain_choices import RetrainChoices
from mmcore.store.engine import Store
from mmcore.store.tables import Job

_LOOKED_AT = 30  # newest retrains that are searched for like ones
_USED = 5  # newest like ones whose median counts
# The rule, for two cores of a laptop: from trainings of 1,000 and 10,000 drawn products
# (`benchmarks/training_scale.py`), and 270 photos a second where their features were not kept.
_START_S = 8.0
_FROZEN_S = 0.0005  # a product and epoch
_TUNED_S = 0.085  # a product and epoch: forward and back through the backbone
_FOLD_EPOCHS = 60  # of a start from the beginning: 12 on four fifths five times, 12 on all
_REST_S = 0.006  # a product: linear heads, judging, comparing
_PHOTO_S = 1 / 270
_GPU_SHARE = 0.2  # of the tuned epochs' time; not measured, a GPU is seldom slower than that


@dataclass(frozen=True)
class Estimate:
    """How long a retrain may take.

    Attributes:
        source: where the number comes from, in words.
        is_measured: from earlier retrains on this machine.
    """

    seconds: float
    source: str
    is_measured: bool


@dataclass(frozen=True)
class Load:
    """What there is to do: products of the training by split, and of the whole catalogue."""

    num_learnt: int
    num_products: int
    num_photos: int


def estimate(store: Store, choices: RetrainChoices, load: Load, on_gpu: bool) -> Estimate:
    """Return how long a retrain with these choices may take.

    Raises:
        ConfigError: if a choice is unknown or out of its limits.
    """
    wanted = _shape(choices, on_gpu)
    host = socket.gethostname()
    like = [job for job in _succeeded(store) if _is_here(job, host) and _was(job) == wanted]
    if not like:
        return _by_rule(choices, load, on_gpu)
    paces = [_seconds(job) / max(1, _num(job)) for job in like[:_USED]]
    many = len(paces) > 1
    return Estimate(
        seconds=median(paces) * load.num_learnt,
        source=f"from the last {len(paces) if many else ''} retrain{'s' if many else ''} with these"
        " choices on this machine".replace("  ", " "),
        is_measured=True,
    )


def _succeeded(store: Store) -> Sequence[JobRecord]:
    query = select(Job).where(Job.kind == "retrain", Job.state == "succeeded")
    with store.reading() as session:
        newest = session.scalars(query.order_by(Job.id.desc()).limit(_LOOKED_AT))
        return [record(job) for job in newest]


def _is_here(job: JobRecord, host: str) -> bool:
    """Return whether it ran through on this machine: one that was interrupted tells no time."""
    return job.worker.startswith(f"{host}-") and job.attempt == 1 and _num(job) > 0


def _num(job: JobRecord) -> int:
    return job.progress.get("num_train", 0) + job.progress.get("num_val", 0)


def _seconds(job: JobRecord) -> float:
    return (job.ended_at or 0.0) - (job.started_at or 0.0)


def _was(job: JobRecord) -> tuple | None:
    """Return the shape of a retrain that ended, None where it can't be told."""
    words = job.choices.get("modalities")
    try:
        choices = RetrainChoices(**{**job.choices, "modalities": words and tuple(words)})
    except TypeError:
        return None  # another version's
    return _shape(choices, job.progress.get("device", "cpu") != "cpu")


def _shape(choices: RetrainChoices, on_gpu: bool) -> tuple:
    """Return what decides how long a product takes."""
    config = build_run_config(choices.run_choices())
    epochs = tuple(phase.epochs for phase in config.phases)
    # a start from production's weights needs fewer epochs than one from the beginning
    start = choices.fresh
    return (config.preset, config.model.backbone, config.model.modalities, epochs, on_gpu, start)


def _by_rule(choices: RetrainChoices, load: Load, on_gpu: bool) -> Estimate:
    config = build_run_config(choices.run_choices())
    frozen = sum(p.epochs for p in config.phases if not p.train_backbone)
    tuned = sum(p.epochs for p in config.phases if p.train_backbone)
    if pays_to_refit(config, load.num_learnt) and choices.fresh is not False:
        frozen += _FOLD_EPOCHS
    share = _GPU_SHARE if on_gpu else 1.0
    seconds = (
        _START_S
        + load.num_learnt * (frozen * _FROZEN_S + tuned * _TUNED_S * share)
        + load.num_products * _REST_S
        + load.num_photos * _PHOTO_S * share
    )
    source = (
        f"by rule of thumb, as none ran on this machine with these choices yet: {frozen} epochs "
        f"with the backbone frozen, {tuned} with it unfrozen, each photo read once"
    )
    return Estimate(seconds, source, is_measured=False)
