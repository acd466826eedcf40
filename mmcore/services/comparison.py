"""Is a candidate better than the model in production? Scores, the gate, product by product.

Everything is read from the stored predictions: both models are held to the same products and to
the labels as they are now, and what was counted can be listed.
"""

import time
from dataclasses import asdict, dataclass

from mmcore.errors import ArtifactError, ConfigError
from mmcore.gate import GateLimits
from mmcore.services.people import Actor, require
from mmcore.services.predictions import predict_missing, with_texts_read
from mmcore.services.verdicts import Sides, build_verdict
from mmcore.services.watch import Watch
from mmcore.settings import Settings
from mmcore.store import comparison, models
from mmcore.store.comparison import OUTCOMES, VIEWS, ChangeFilter
from mmcore.store.engine import Store
from mmcore.store.predictions import class_codes, count_missing
from mmcore.workspace import Workspace

GATE_SETTING = "gate"
MAX_PAGE = 1_000


@dataclass(frozen=True)
class Judgement:
    """What came of judging a candidate; `verdict` is what is stored with the version."""

    name: str
    against: str | None
    passed: bool | None  # None: there was nothing to judge by
    sentence: str
    verdict: dict
    notes: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Changes:
    """How many products changed between two versions, by view.

    Attributes:
        totals: view -> outcome -> products.
        by_class: view -> class code ("" without a label) -> outcome -> products.
    """

    before: str
    after: str
    totals: dict[str, dict[str, int]]
    by_class: dict[str, dict[str, dict[str, int]]]


@dataclass(frozen=True)
class ChangedProduct:
    """One product before and after."""

    id: int
    product_id: str
    title: str
    photo: str
    split: str
    label: str | None
    before: str | None
    before_probability: float | None
    after: str | None
    after_probability: float | None
    outcome: str


def judge_candidate(
    store: Store,
    workspace: Workspace,
    settings: Settings,
    model_version_id: int,
    now: float,
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> Judgement:
    """Compare a version with the one in production, and store the verdict with it.

    Both predict the whole catalogue as far as they have not yet (stopped, it goes on from there).
    Production itself, or a version where there is no production, is scored alone. A part of a
    retrain, which a lead has submitted, and harmless by itself: it asks nobody's role.

    Raises:
        NotFoundError: if there is no such version.
        ArtifactError: if the candidate's folder can't be used.
        TrainingInterrupted: if it was asked to stop.
    """
    started = time.perf_counter()
    with store.reading() as session:
        name = models.get_version(session, model_version_id).name
        production = models.find_production(session)
        # so that the queue is whole the moment it is activated; labels that changed later are
        # checked after that (`catching_up.follow_up`): no comparison depends on it
        is_new = count_missing(session, model_version_id) > 0
    if production is not None and production.id == model_version_id:
        production = None
    notes = []
    if production is not None:
        try:
            predict_missing(store, workspace, settings, production.id, watch, checks_labels=False)
        except ArtifactError as error:
            notes.append(f"production is judged by what it said before: {error}")
    report = predict_missing(store, workspace, settings, model_version_id, watch, is_new)
    report = with_texts_read(report, store, workspace, watch)
    notes += report.notes
    sides = Sides(model_version_id, name, production and (production.id, production.name))
    with store.reading() as session:
        limits = _limits(session)
        verdict = build_verdict(session, sides, limits)
        against = production.id if production else model_version_id
        changes = _count(session, against, model_version_id, None) if production else ({}, {})
    verdict |= {"changes": changes[0], "notes": notes, "judged_at": now}
    with store.writing() as session:
        watch.guard(session)
        models.get_version(session, model_version_id).verdict = verdict
    return Judgement(
        name,
        verdict["against"],
        verdict["passed"],
        verdict["sentence"],
        verdict,
        tuple(notes),
        round(time.perf_counter() - started, 2),
    )


def count_changes(store: Store, before: str, after: str, split: str | None = None) -> Changes:
    """Return what changed from one version to another, in numbers.

    Products that neither of the two has an answer for are left out.

    Raises:
        NotFoundError: if one of them isn't registered.
    """
    with store.reading() as session:
        ids = [models.find_version(session, name).id for name in (before, after)]
        return Changes(before, after, *_count(session, *ids, split))


def _count(session, before: int, after: int, split: str | None) -> tuple[dict, dict]:
    codes = class_codes(session)
    totals: dict = {view: dict.fromkeys(OUTCOMES, 0) for view in VIEWS}
    by_class: dict = {view: {} for view in VIEWS}
    for view in VIEWS:
        rows = comparison.count_changes(session, before, after, view, split)
        for outcome, class_id, num in rows:
            totals[view][outcome] += num
            row = by_class[view].setdefault(codes.get(class_id, ""), dict.fromkeys(OUTCOMES, 0))
            row[outcome] += num
    return totals, by_class


def list_changes(
    store: Store,
    names: tuple[str, str],
    wanted: ChangeFilter,
    after: int = 0,
    limit: int = 50,
) -> list[ChangedProduct]:
    """Return a page of products with what both versions say, in the order of their row ids.

    Args:
        names: versions (before, after).
        after: `id` of the last product of the page before, 0 at first.

    Raises:
        NotFoundError: if a version isn't registered.
        ConfigError: if the view, an outcome or the limit is out of range.
    """
    unknown = [o for o in wanted.outcomes or () if o not in OUTCOMES]
    if unknown or wanted.view not in VIEWS:
        what = f"outcome {unknown[0]!r}" if unknown else f"view {wanted.view!r}"
        raise ConfigError(
            f"{what} is unknown; use one of {', '.join(OUTCOMES)}; {', '.join(VIEWS)}"
        )
    if not 1 <= limit <= MAX_PAGE:
        raise ConfigError(f"limit is {limit}; it must lie from 1 to {MAX_PAGE}")
    with store.reading() as session:
        ids = tuple(models.find_version(session, name).id for name in names)
        codes = class_codes(session)
        rows = comparison.list_changes(session, ids, wanted, after, limit)
    return [
        ChangedProduct(
            id=row.id,
            product_id=row.product_id,
            title=row.title,
            photo=row.photo,
            split=row.split,
            label=codes.get(row.class_id),
            before=codes.get(row.before),
            before_probability=row.before_probability,
            after=codes.get(row.after),
            after_probability=row.after_probability,
            outcome=row.outcome,
        )
        for row in rows
    ]


def read_limits(store: Store) -> GateLimits:
    """Return what the quality gate lets through."""
    with store.reading() as session:
        return _limits(session)


def save_limits(store: Store, actor: Actor, limits: GateLimits) -> None:
    """Keep new limits of the quality gate; verdicts that were given stay.

    Raises:
        RefusedError: if the person is no lead.
    """
    require(actor, "lead")
    with store.writing() as session:
        models.write_setting(session, GATE_SETTING, asdict(limits))


def _limits(session) -> GateLimits:
    known = GateLimits.__dataclass_fields__
    stored = models.read_setting(session, GATE_SETTING)
    return GateLimits(**{name: value for name, value in stored.items() if name in known})
