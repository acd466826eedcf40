"""Which weights a combiner takes where val has too little to say."""

import numpy as np
import pytest
from networks import NUM_CLASSES, products

from mmcore.combiner import equal_shares
from mmcore.config import FUSED, linear_source
from mmcore.views import Decisions, FoldDecisions, fit_combiner

NAMES = ("text", "image")
WHY = "too few"


def heard(num, sources, seed=0):
    """Return source -> (num, K) logits that mostly know the class, which is the row modulo K."""
    draw = np.random.default_rng(seed)
    truth = np.eye(NUM_CLASSES)[np.arange(num) % NUM_CLASSES]
    return {s: (2 * truth + draw.normal(0, 1, truth.shape)).astype(np.float32) for s in sources}


def combiner_without_val(linear):
    """Return the combiner of a model with linear heads on some modalities, without val products."""
    spoken = [linear_source(name) for name in linear]
    nothing = np.zeros((0, NUM_CLASSES), np.float32)
    decisions = Decisions(
        products(0),
        {name: np.zeros(0, bool) for name in NAMES},
        {source: nothing for source in (*NAMES, *spoken)},
        {pattern: nothing for pattern in (NAMES, ("text",), ("image",))},
    )
    folds = FoldDecisions(np.arange(60) % NUM_CLASSES, heard(60, spoken))
    fallback = equal_shares(NAMES, WHY, linear)
    return fit_combiner(decisions, np.zeros(0, bool), fallback, folds)


def test_without_val_the_folds_weigh_what_has_spoken_on_them():
    combiner = combiner_without_val(["text", "image"])
    rule = combiner.rule(NAMES)
    assert set(rule.weights) == {linear_source("text"), linear_source("image")}
    assert rule.decided == "weighted on folds of the train and val products"
    assert set(combiner.heads["image"].weights) == {linear_source("image")}


def test_without_val_no_modality_goes_unheard():
    combiner = combiner_without_val(["text"])
    shares = combiner.rule(NAMES).weights
    sources = ["text", "image", linear_source("text"), FUSED]
    assert shares == pytest.approx(dict.fromkeys(sources, 1 / 4))
    assert combiner.rule(("image",)).weights == {"image": 1.0}
    assert set(combiner.rule(("text",)).weights) == {linear_source("text")}


@pytest.mark.parametrize("linear", [["text"], ["text", "image"]])
def test_with_val_a_modality_without_a_linear_head_is_heard(linear):
    spoken = [linear_source(name) for name in linear]
    rows = products(40, missing=0.0)
    logits = heard(40, [*NAMES, *spoken, FUSED], seed=1)
    fused = logits.pop(FUSED)
    decisions = Decisions(
        rows,
        {name: np.ones(40, bool) for name in NAMES},
        logits,
        {pattern: fused for pattern in (NAMES, ("text",), ("image",))},
    )
    folds = FoldDecisions(np.arange(60) % NUM_CLASSES, heard(60, spoken))
    fallback = equal_shares(NAMES, WHY, linear)
    weights = fit_combiner(decisions, np.ones(40, bool), fallback, folds).rule(NAMES).weights
    image = sum(w for s, w in weights.items() if s.endswith("image"))
    assert image > 0.2, weights
