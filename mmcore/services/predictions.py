"""What a model version says about the whole catalogue, stored product by product.

Stopped or killed, it goes on where it was: pieces that are stored are passed over. The same call
later fills in products that came, or changed, since.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcore.config import FUSED
from mmcore.errors import RefusedError, TrainingInterrupted
from mmcore.holding import using
from mmcore.services.prediction_rows import Answers, ClassMap, build_rows, measures
from mmcore.services.suspects import cross_check, photo_features
from mmcore.settings import Settings
from mmcore.store import models, predictions
from mmcore.store.class_changes import codes_known
from mmcore.store.engine import Store
from mmcore.store.suspicions import is_check_due, note_check
from mmcore.workspace import Workspace

PIECE = 2_048  # products a transaction: a tenth of a second in which nobody else can write
PIXEL_PIECE = 256  # where photos pass through the backbone: a cancel costs seconds of work

_STOPPED = (
    "predicting the catalogue was stopped; what is stored stays, and the next time goes on from "
    "there"
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PredictionReport:
    """What came of predicting the catalogue.

    Attributes:
        num_silent: products the model has nothing to go by: no known word, no readable photo.
        notes: photos that can't be read.
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
    progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> PredictionReport:
    """Store what a model version says about every product that it has said nothing about yet.

    Raises:
        NotFoundError: if there is no such version.
        ArtifactError: if its folder is missing, damaged or pruned.
        RefusedError: if it knows classes that this catalogue never had.
        TrainingInterrupted: if it was asked to stop; what is stored stays.
    """
    started = time.perf_counter()
    refresh_suspicions(store, version_id)
    with store.reading() as session:
        name = models.get_version(session, version_id).name
        total = predictions.count_missing(session, version_id)
        is_due = is_check_due(session, version_id)
    if not total and not is_due:
        return PredictionReport(name, 0, 0, 0.0, ())
    with using(workspace.models / name) as folder:
        predictor = _Predictor(store, workspace, settings, folder, version_id)
        try:
            num_predicted, num_seen = 0, 0
            for num, stored in predictor.pieces(should_stop):
                num_seen, num_predicted = num_seen + num, num_predicted + stored
                progress(min(num_seen, total), total)
            notes = tuple(predictor.images.notes()[:1])
        finally:
            predictor.images.close()
        if num_predicted or is_due:
            if should_stop():
                raise TrainingInterrupted(_STOPPED)
            # the model has learnt its own labels by heart: others must say which are suspect
            cross_check(store, version_id, photo_features(workspace, settings, name))
            with store.writing() as session:
                note_check(session, version_id, is_due=False)
    seconds = round(time.perf_counter() - started, 2)
    return PredictionReport(name, num_predicted, num_seen - num_predicted, seconds, notes)


def num_unpredicted(store: Store) -> int:
    """Return how many products production has said nothing about; 0 where there is no model."""
    with store.reading() as session:
        production = models.find_production(session)
        return predictions.count_missing(session, production.id) if production else 0


def catch_up(
    store: Store,
    workspace: Workspace,
    settings: Settings,
    now: float,
    progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> PredictionReport | None:
    """Let production answer for products that came or changed since, and put them in the queue.

    For after an import; returns None where no model is in production.

    Raises:
        As `predict_missing`.
    """
    from mmcore.services import queue

    with store.reading() as session:
        production = models.find_production(session)
    if production is None:
        return None
    report = predict_missing(store, workspace, settings, production.id, progress, should_stop)
    queue.refresh(store, production.id, now)
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
        from mmcore.services.images import ImageInput

        self.store, self.version_id = store, version_id
        self.artifact = load_artifact(folder)
        self.classes = _class_map(store, version_id, self.artifact.class_codes)
        tower = self.artifact.model.image_tower
        self.images = ImageInput(
            workspace, settings, self.artifact.config, tower and tower.backbone
        )
        self.artifact.model.to(self.images.device)
        reads_pixels = self.images.backbone is not None and not self.images.stays_frozen
        self.size = PIXEL_PIECE if reads_pixels else PIECE

    def pieces(self, should_stop: Callable[[], bool]):
        """Predict and store piece by piece, yielding (products looked at, rows stored)."""
        after = 0
        while True:
            with self.store.reading() as session:
                rows = predictions.products_without(session, self.version_id, after, self.size)
            if not rows:
                return
            if should_stop():
                raise TrainingInterrupted(_STOPPED)
            yield len(rows), self._store(rows, self._predict(rows, should_stop))
            after = rows[-1][0]

    def _predict(self, rows: Sequence[tuple], should_stop: Callable[[], bool]) -> list[dict]:
        from mmcore.batches import InterruptibleReader, encode_products
        from mmcore.views import decide, views

        def check() -> None:
            if should_stop():
                raise TrainingInterrupted(_STOPPED)

        artifact = self.artifact
        products = encode_products(
            self._frame(rows), artifact.config.model, artifact.encoders, artifact.class_codes
        )
        for _ in self.images.prepare(products.photos, should_stop):
            pass
        reader = InterruptibleReader(self.images.final_reader(products), check)
        decisions = decide(artifact.model, reader)
        answers = Answers.of_views(views(decisions, artifact.combiner), self.classes)
        label_ids = [row[-1] for row in rows]
        ids = [row[0] for row in rows]
        columns = self.classes.columns(label_ids)
        return build_rows(answers, self.version_id, ids, label_ids, columns)

    def _frame(self, rows: Sequence[tuple]):
        import pandas as pd

        _, product_ids, titles, descriptions, photos, extras, _ = zip(*rows, strict=True)
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
        seen = {row[0]: row[:-1] for row in rows}
        with self.store.writing() as session:
            now = predictions.inputs_now(session, [row["product_id"] for row in found])
            true = [r for r in found if now.get(r["product_id"]) == seen[r["product_id"]]]
            predictions.add_predictions(session, true)
            note_check(session, self.version_id, is_due=True)
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


def refresh_suspicions(store: Store, version_id: int) -> int:
    """Reckon anew how suspect labels are that have changed since; returns how many had.

    Works from the five best classes of each view, which are stored; a label below them counts as
    having no probability at all.
    """
    after, num_done = 0, 0
    with store.reading() as session:
        known = predictions.answered_classes(session, version_id)
    while True:
        with store.writing() as session:
            stale = predictions.stale_suspicions(session, version_id, after, PIECE)
            if not stale:
                return num_done
            predictions.set_suspicions(session, version_id, _suspicions(stale, known))
        after, num_done = stale[-1][0], num_done + len(stale)


def _suspicions(stale: Sequence[tuple], known: set[int]) -> list[dict]:
    """Return the new rows; a label of a class that the model never names isn't suspect."""
    import numpy as np

    tops = [row[2] for row in stale]
    seen = {pair[0] for top in tops for pairs in top.values() for pair in pairs}
    classes = ClassMap.build(sorted(seen | known))
    names = sorted({FUSED} | {view for top in tops for view in top})
    probs = {name: np.zeros((len(stale), len(classes.class_ids))) for name in names}
    has = {name: np.array([name in top for top in tops]) for name in names}
    place = {int(c): i for i, c in enumerate(classes.class_ids)}
    for i, top in enumerate(tops):
        for name, pairs in top.items():
            for class_id, probability in pairs:
                probs[name][i, place[class_id]] = probability
    answers = Answers(probs, has, classes.class_ids)
    labels = classes.columns([row[1] for row in stale])
    values = measures(answers, labels)["suspicion"].tolist()
    return [
        {"product_id": row[0], "suspicion": value, "label_class_id": row[1]}
        for row, value in zip(stale, values, strict=True)
    ]
