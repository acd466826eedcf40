"""A trained network judged: its combiner fitted on val, its scores and answers on val and test."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mmcore.batches import InterruptibleReader
from mmcore.combiner import Combiner, equal_shares, uncalibrated
from mmcore.reports import class_details, predictions_table, scores_by_view
from mmcore.services.assembly import Assembly
from mmcore.services.linear_heads import LinearHeads
from mmcore.services.stopping import stop_if_asked
from mmcore.views import Decisions, FoldDecisions, deciding, fit_combiner, views


@dataclass(frozen=True)
class Judging:
    """How far the trained network has been judged."""

    split: str
    done: int
    total: int


@dataclass(frozen=True)
class Judged:
    """What came of it.

    Attributes:
        metrics: scores and class details by split, as in metrics.json.
        predictions: rows of val and test, as in predictions.parquet.
    """

    combiner: Combiner
    metrics: dict
    predictions: pd.DataFrame


def judge(
    parts: Assembly, linear: LinearHeads | None, should_stop: Callable[[], bool]
) -> Generator[Judging, None, Judged]:
    """Yield how far the judging is; what came of it is the generator's result.

    Raises:
        TrainingInterrupted: if asked to stop.
    """
    decisions = {}
    for split in ("val", "test"):
        decisions[split] = yield from _deciding(parts, split, should_stop)
    if linear:
        # the heads have learnt from val, too: let the folds that did not speak for them
        heads = {**decisions["val"].heads, **linear.of_val()}
        decisions["val"] = replace(decisions["val"], heads=heads)
    combiner = _combiner(parts, linear, decisions["val"])
    scores, details, tables = {}, {}, []
    for split, found in decisions.items():
        split_views = views(found, combiner)
        scores[split] = scores_by_view(split_views, found.products.labels)
        details[split] = class_details(split_views, found.products.labels, parts.codes)
        tables.append(predictions_table(found, split_views, parts.codes, split))
    return Judged(combiner, {"scores": scores, "classes": details}, pd.concat(tables))


def _deciding(
    parts: Assembly, split: str, should_stop: Callable[[], bool]
) -> Generator[Judging, None, Decisions]:
    products = parts.products[split]
    where = f"while it was judged on {split}"
    reader = parts.images.final_reader(products)
    watched = InterruptibleReader(reader, lambda: stop_if_asked(should_stop, where))
    steps = deciding(parts.model, watched)
    while True:
        try:
            yield Judging(split, next(steps), len(products))
        except StopIteration as end:
            return end.value


def _combiner(parts: Assembly, linear: LinearHeads | None, val: Decisions) -> Combiner:
    names = parts.model.names
    if not parts.config.use_combiner:
        return uncalibrated(names, "the feature fusion as it is (preset seed)")
    is_known = np.isin(np.arange(len(parts.codes)), parts.products["train"].labels)
    why = "equal shares: too few val products to weigh by"
    fallback = equal_shares(names, why, parts.model.linear.keys())
    spoken = linear.of_folds() if linear else FoldDecisions(np.zeros(0, int), {})
    return fit_combiner(val, is_known, fallback, spoken)
