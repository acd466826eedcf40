"""What a model version says about the whole catalogue, stored product by product.

Stopped or killed, it goes on where it was: pieces that are stored are passed over. The same call
later fills in products that came, or changed, since.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmcore.errors import ArtifactError, RefusedError, WorkspaceError
from mmcore.holding import using
from mmcore.services.neighbour_texts import read_texts
from mmcore.services.people import Actor, require
from mmcore.services.prediction_rows import Answers, ClassMap, build_rows
from mmcore.services.suspects import cross_check, photo_features
from mmcore.services.watch import Watch
from mmcore.settings import Settings
from mmcore.store import models, predictions
from mmcore.store.class_changes import codes_known
from mmcore.store.engine import Store
from mmcore.store.suspicions import is_check_due
from mmcore.workspace import Workspace

PIECE = 2_048  # products a transaction: a tenth of a second in which nobody else can write
PIXEL_PIECE = 256  # where photos pass through the backbone: a cancel costs seconds of work

_STOPPED = (
    "predicting the catalogue was stopped; what is stored stays, and the next time goes on from "
    "there"
)


@dataclass(frozen=True)
class PredictionReport:
    """What came of predicting the catalogue.

    Attributes:
        num_silent: products the model has nothing to go by: no known word, no readable photo.
        notes: photos that can't be read; texts that can't be kept for likeness.
    """

    version: str
    num_predicted: int
    num_silent: int
    seconds: float
    notes: tuple[str, ...]


def predict_missing(
    store: Store,
    workspace: Workspace,
    settings: Settings,
    version_id: int,
    watch: Watch = Watch(),  # noqa: B008 - frozen
    checks_labels: bool = True,
) -> PredictionReport:
    """Store what a model version says about every product that it has said nothing about yet.

    Then the labels are checked that nobody has checked yet. A part of jobs that were authorised
    when they were submitted, and of `catch_up`; it asks nobody's role.

    Args:
        checks_labels: False where nobody is going to look for suspects by this version.

    Raises:
        NotFoundError: if there is no such version.
        ArtifactError: if its folder is missing, damaged or pruned.
        RefusedError: if it knows classes that this catalogue never had.
        TrainingInterrupted: if it was asked to stop; what is stored stays.
    """
    started = time.perf_counter()
    with store.reading() as session:
        name = models.get_version(session, version_id).name
        total = predictions.count_missing(session, version_id)
        is_due = checks_labels and is_check_due(session, version_id)
    if not total and not is_due:
        return PredictionReport(name, 0, 0, 0.0, ())
    with using(workspace.models / name) as folder:
        num_predicted, num_seen, notes = 0, 0, ()
        if total:
            predictor = _Predictor(store, workspace, settings, folder, version_id)
            try:
                for num, stored in predictor.pieces(watch):
                    num_seen, num_predicted = num_seen + num, num_predicted + stored
                    watch.progress(min(num_seen, total), total)
                notes = tuple(predictor.images.notes()[:1])
            finally:
                predictor.images.close()
        if checks_labels:
            _check_labels(store, workspace, settings, version_id, watch)
    seconds = round(time.perf_counter() - started, 2)
    return PredictionReport(name, num_predicted, num_seen - num_predicted, seconds, notes)


def _check_labels(
    store: Store, workspace: Workspace, settings: Settings, version_id: int, watch: Watch
) -> None:
    """Ask about the labels that nobody was asked about: the model knows its own by heart."""
    watch.check(_STOPPED)
    with store.reading() as session:
        if not is_check_due(session, version_id):
            return
        name = models.get_version(session, version_id).name
    cross_check(store, version_id, photo_features(workspace, settings, name), watch)


@dataclass(frozen=True)
class Unpredicted:
    """What the queue doesn't know of the catalogue yet.

    Attributes:
        num_products: products that production has said nothing about.
        is_check_due: whether labels came or changed since labels were checked.
    """

    num_products: int = 0
    is_check_due: bool = False

    def __bool__(self) -> bool:
        return bool(self.num_products) or self.is_check_due


def unpredicted(store: Store) -> Unpredicted:
    """Return what production has still to look at; nothing where there is no model."""
    with store.reading() as session:
        production = models.find_production(session)
        if production is None:
            return Unpredicted()
        num = predictions.count_missing(session, production.id)
        return Unpredicted(num, is_check_due(session, production.id))


def catch_up(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    settings: Settings,
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> PredictionReport | None:
    """Let production answer for products that came or changed since, and put them in the queue.

    Where another model is activated meanwhile, that one answers, too. Returns None where no model
    is in production. In the foreground; `catching_up.submit_predictions` makes a job of it.

    Raises:
        RefusedError: below the role of lead; or as `predict_missing`.
        NotFoundError, ArtifactError, TrainingInterrupted: as `predict_missing`.
    """
    require(actor, "lead")
    return bring_up_to_date(store, workspace, settings, watch)


def bring_up_to_date(
    store: Store, workspace: Workspace, settings: Settings, watch: Watch
) -> PredictionReport | None:
    """Do what `catch_up` does, for a job that was authorised when it was submitted.

    Raises:
        As `catch_up`, but for the role.
    """
    from mmcore.services import queue

    while True:
        with store.reading() as session:
            production = models.find_production(session)
        if production is None:
            return None
        report = predict_missing(store, workspace, settings, production.id, watch)
        watch.check(_STOPPED)
        if queue.refresh(store, production.id) is not None:
            # last, as nobody's queue waits for it
            return with_texts_read(report, store, workspace, watch)


def with_texts_read(
    report: PredictionReport, store: Store, workspace: Workspace, watch: Watch
) -> PredictionReport:
    """Return the report once the texts are read for likeness, too: no page has to wait for that.

    Where that fails, the predictions stand all the same, and a note says why.

    Raises:
        TrainingInterrupted: if it was asked to stop.
    """
    if not report.num_predicted:
        return report  # the texts are those that were read before
    try:
        read_texts(store, workspace, report.version, watch)
    except (ArtifactError, WorkspaceError) as error:
        return replace(report, notes=(*report.notes, str(error)))
    return report


class _Predictor:
    """One loaded model and where its products come from and go to."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        settings: Settings,
        folder: Path,
        version_id: int,
    ) -> None:
        from mmcore.artifact import load_artifact
        from mmcore.engines import engine_of
        from mmcore.services.images import ImageInput

        self.store, self.version_id = store, version_id
        self.artifact = load_artifact(folder)
        self.classes = _class_map(store, version_id, self.artifact.class_codes)
        tower = self.artifact.model.image_tower
        self.images = ImageInput(
            workspace, settings, self.artifact.config, tower and tower.backbone
        )
        model, device = self.artifact.model, self.images.device
        self.engine = engine_of(model.to(device), device, self.artifact.graphs)
        reads_pixels = self.images.backbone is not None and not self.images.stays_frozen
        self.size = PIXEL_PIECE if reads_pixels else PIECE

    def pieces(self, watch: Watch):
        """Predict and store piece by piece, yielding (products looked at, rows stored)."""
        after = 0
        while True:
            with self.store.reading() as session:
                rows = predictions.products_without(session, self.version_id, after, self.size)
            if not rows:
                return
            watch.check(_STOPPED)
            yield len(rows), self._store(rows, self._predict(rows, watch))
            after = rows[-1][0]

    def _predict(self, rows: Sequence[tuple], watch: Watch) -> list[dict]:
        from mmcore.batches import InterruptibleReader, encode_products
        from mmcore.views import decide, views

        artifact = self.artifact
        products = encode_products(
            self._frame(rows), artifact.config.model, artifact.encoders, artifact.class_codes
        )
        for _ in self.images.prepare(products.photos, watch.should_stop):
            pass
        reader = InterruptibleReader(
            self.images.final_reader(products, self.engine.extractor), lambda: watch.check(_STOPPED)
        )
        decisions = decide(self.engine, reader)
        answers = Answers.of_views(views(decisions, artifact.combiner), self.classes)
        return build_rows(answers, self.version_id, [row[0] for row in rows])

    def _frame(self, rows: Sequence[tuple]):
        import pandas as pd

        _, product_ids, titles, descriptions, photos, extras = zip(*rows, strict=True)
        usual = {
            "product_id": product_ids,
            "title": titles,
            "description": descriptions,
            "photo": photos,
        }
        read = [c for m in self.artifact.config.model.modalities for c in m.columns]
        extra = {c: [e.get(c, "") for e in extras] for c in read if c not in usual}
        return pd.DataFrame({**usual, **extra}, dtype="str")

    def _store(self, rows: Sequence[tuple], found: list[dict]) -> int:
        """Store the answers of products that are still what was predicted; return how many."""
        seen = {row[0]: row for row in rows}
        with self.store.writing() as session:
            now = predictions.inputs_now(session, [row["product_id"] for row in found])
            true = [r for r in found if now.get(r["product_id"]) == seen[r["product_id"]]]
            predictions.add_predictions(session, true)
        return len(true)


def _class_map(store: Store, version_id: int, codes: Sequence[str]) -> ClassMap:
    with store.reading() as session:
        version = models.get_version(session, version_id)
        name, known = version.name, codes_known(session, version.created_at)
        now = predictions.class_now(session)
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise RefusedError(
            f"model {name} knows {len(unknown)} classes that this catalogue never had (e.g. "
            f"{unknown[0]}): it was made for another one; use a model trained here"
        )
    return ClassMap.build([now[known[code]] for code in codes])
