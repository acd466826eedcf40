"""A trained network judged: its combiner fitted on val, its scores and answers on val and test."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mmcore.batches import InterruptibleReader
from mmcore.combiner import Combiner, Rule, equal_shares, uncalibrated
from mmcore.config import FUSED, linear_source
from mmcore.engines import TorchEngine, engine_of
from mmcore.reports import class_details, predictions_table, scores_by_view
from mmcore.services.assembly import Assembly
from mmcore.services.fold_networks import HeldOut
from mmcore.services.linear_heads import LinearHeads
from mmcore.services.stopping import stop_if_asked
from mmcore.views import Decisions, deciding, fit_combiner, views


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
        metrics: scores and class details by split, as in metrics.json. Without val where the
            network has learnt from it and nobody is left to ask.
        predictions: rows of the same splits, as in predictions.parquet.
        notes: what is to be told with it.
    """

    combiner: Combiner
    metrics: dict
    predictions: pd.DataFrame
    notes: tuple[str, ...] = ()


_REFIT_NOTE = (
    "the network was weighed on folds, and the one that is kept has learnt from train and val "
    "together: the curve of val is that of a first one"
)


def judge(
    parts: Assembly,
    linear: LinearHeads | None,
    held_out: HeldOut | None,
    should_stop: Callable[[], bool],
) -> Generator[Judging, None, Judged]:
    """Yield how far the judging is; what came of it is the generator's result.

    Args:
        held_out: what networks on folds said, where the network has learnt from val as well.

    Raises:
        TrainingInterrupted: if asked to stop.
    """
    decisions: dict[str, Decisions] = {}
    notes: tuple[str, ...] = ()
    if held_out:
        notes = (_REFIT_NOTE,)
        # every source has spoken of these products without having seen them
        unseen = linear.unseen if linear else {}
        learnt = replace(held_out.decisions, heads={**held_out.decisions.heads, **unseen})
        combiner = fit_combiner(learnt, held_out.is_known, _fallback(parts))
        decisions["val"] = learnt.take(held_out.is_val)
    elif parts.inherited.combiner:
        combiner = _inherited(parts)
    else:
        val = yield from _deciding(parts, "val", should_stop)
        if linear:
            # the heads have learnt from val, too: let the folds that did not speak for them
            val = replace(val, heads={**val.heads, **linear.of_val()})
        combiner, decisions["val"] = _combiner(parts, linear, val), val
    decisions["test"] = yield from _deciding(parts, "test", should_stop)
    scores, details, tables = {}, {}, []
    for split, found in decisions.items():
        split_views = views(found, combiner)
        scores[split] = scores_by_view(split_views, found.products.labels)
        details[split] = class_details(split_views, found.products.labels, parts.codes)
        tables.append(predictions_table(found, split_views, parts.codes, split))
    return Judged(combiner, {"scores": scores, "classes": details}, pd.concat(tables), notes)


def _deciding(
    parts: Assembly, split: str, should_stop: Callable[[], bool]
) -> Generator[Judging, None, Decisions]:
    products = parts.products[split]
    where = f"while it was judged on {split}"
    frozen = parts.images.stays_frozen  # features are at hand: nothing that a graph were worth
    engine = TorchEngine(parts.model) if frozen else engine_of(parts.model, parts.device)
    reader = parts.images.final_reader(products, engine.extractor)
    watched = InterruptibleReader(reader, lambda: stop_if_asked(should_stop, where))
    steps = deciding(engine, watched)
    while True:
        try:
            yield Judging(split, next(steps), len(products))
        except StopIteration as end:
            return end.value


def _combiner(parts: Assembly, linear: LinearHeads | None, val: Decisions) -> Combiner:
    """Return the combiner of a network that was stopped by val."""
    if not parts.config.use_combiner:
        return uncalibrated(parts.model.names, "the feature fusion as it is (preset seed)")
    is_known = np.isin(val.products.labels, parts.products["train"].labels)
    spoken = linear.of_folds() if linear else None
    return fit_combiner(val, is_known, _fallback(parts), spoken)


def _fallback(parts: Assembly) -> Combiner:
    why = "equal shares: too few held-out products to weigh by"
    return equal_shares(parts.model.names, why, parts.model.linear.keys())


def _inherited(parts: Assembly) -> Combiner:
    """Return the parent's combiner, as far as this network has the sources it weighs."""
    sources = {FUSED, *parts.model.names, *map(linear_source, parts.model.linear)}
    usual, theirs = _fallback(parts), parts.inherited.combiner
    why = f"weighted as in {parts.config.parent}, from which it started"

    def kept(rule: Rule, otherwise: Rule) -> Rule:
        weights = {source: w for source, w in rule.weights.items() if source in sources}
        return Rule(weights, why) if any(weights.values()) else otherwise

    return Combiner(
        {pattern: kept(theirs.rules[pattern], rule) for pattern, rule in usual.rules.items()},
        {name: kept(theirs.heads[name], rule) for name, rule in usual.heads.items()},
    )
