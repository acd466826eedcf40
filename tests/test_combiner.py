"""Decision fusion: calibrated, never worse on val than its best source."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mmcore.combiner import (
    Rule,
    combiner_from_json,
    combiner_to_json,
    equal_shares,
    fit_rule,
    patterns,
    uncalibrated,
)
from mmcore.errors import ConfigError
from mmcore.metrics import expected_calibration_error, macro_f1

K = 4


def voters(num=400, seed=0, skill=(2.0, 1.0), scale=(1.0, 1.0)):
    """Return source -> logits of voters with independent errors, and the labels."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, K, num)
    truth = np.eye(K)[labels]
    noisy = [s * truth + draw.normal(0, 1, (num, K)) for s in skill]
    return {f"v{i}": c * n for i, (n, c) in enumerate(zip(noisy, scale, strict=True))}, labels


def log_loss(probs, labels):
    return -np.log(probs[np.arange(len(labels)), labels]).mean()


def test_two_voters_are_better_than_the_best_one():
    logits, labels = voters()
    fresh, truth = voters(seed=1)
    rule = fit_rule(logits, labels)
    alone = max(macro_f1(truth, fresh[s].argmax(1)) for s in fresh)
    assert macro_f1(truth, rule.probs(fresh).argmax(1)) > alone


def test_overconfident_logits_are_cooled_down():
    logits, labels = voters(skill=(2.0,), scale=(6.0,))
    before = Rule({"v0": 1.0}, "").probs(logits)
    after = fit_rule(logits, labels).probs(logits)
    assert (
        expected_calibration_error(labels, after) < expected_calibration_error(labels, before) / 2
    )
    assert (before.argmax(1) == after.argmax(1)).all(), "temperature must not change the answer"


def test_weights_are_the_minimum_another_optimiser_finds():
    logits, labels = voters(num=3000)
    rule = fit_rule(logits, labels)

    def loss(weights):
        mixed = Rule(dict(zip(logits, np.abs(weights), strict=True)), "").probs(logits)
        return log_loss(mixed, labels)

    found = minimize(loss, [0.5, 0.5], method="Nelder-Mead")
    assert loss(list(rule.weights.values())) == pytest.approx(found.fun, abs=1e-4)


def test_a_useless_voter_gets_no_say_and_does_no_harm():
    logits, labels = voters(skill=(3.0, 0.0))
    rule = fit_rule(logits, labels)
    alone = macro_f1(labels, logits["v0"].argmax(1))
    assert macro_f1(labels, rule.probs(logits).argmax(1)) >= alone
    assert rule.weights.get("v1", 0.0) < 0.15 * rule.weights["v0"]


def test_falls_back_to_the_best_source_where_mixing_is_worse_on_val():
    # v1 is right on the rare class only, but far too sure of itself in the wrong places
    labels = np.array([0] * 60 + [1] * 6)
    sure = np.full((66, 2), 0.0)
    sure[:, 0], sure[60:, 1] = 1.0, 1.2
    loud = np.zeros((66, 2))
    loud[:, 0] = 8.0
    rule = fit_rule({"quiet": sure, "loud": loud}, labels)
    assert macro_f1(labels, rule.probs({"quiet": sure, "loud": loud}).argmax(1)) == 1.0


def test_every_choice_of_modalities_has_a_rule():
    assert patterns(("a", "b")) == [("a", "b"), ("a",), ("b",)]
    combiner = equal_shares(("a", "b", "c"), "why")
    assert len(combiner.rules) == 7
    with pytest.raises(ConfigError, match=r"no rule for modalities 'd'; there are: a\+b\+c"):
        combiner.rule(("d",))


@pytest.mark.parametrize("build", [equal_shares, uncalibrated])
def test_json_round_trip(build):
    combiner = build(("text", "image"), "why")
    assert combiner_from_json(combiner_to_json(combiner)) == combiner


def test_broken_json_says_what_to_do():
    with pytest.raises(ConfigError, match="combiner.json can't be read.*train the model again"):
        combiner_from_json({"patterns": [{}], "heads": []})
