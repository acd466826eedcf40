"""Scores against hand-made cases and other formulas."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mmcore.metrics import class_report, confusion, expected_calibration_error, macro_f1, score


def one_hot(classes, num_classes, confidence=1.0):
    rest = (1 - confidence) / (num_classes - 1)
    return np.where(np.eye(num_classes)[classes] == 1, confidence, rest)


def test_perfect_predictions_score_one():
    labels = np.array([0, 1, 2, 2])
    scores = score(labels, one_hot(labels, 3))
    assert (scores.accuracy, scores.macro_f1, scores.weighted_f1, scores.ece) == (1, 1, 1, 0)
    assert scores.n == 4


def test_macro_f1_counts_only_classes_that_occur():
    # class 2 never occurs and is never right: it must not pull the mean down
    assert macro_f1(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])) == pytest.approx(
        (1 + 2 / 3) / 2
    )


@pytest.mark.parametrize("num_classes", [1, 2, 5, 40])
def test_macro_f1_is_that_of_scikit_learn(num_classes):
    rng = np.random.default_rng(num_classes)
    labels, predicted = rng.integers(0, num_classes, (2, 60))
    predicted[:3] = -1
    present = np.unique(labels)
    theirs = f1_score(labels, predicted, average="macro", labels=present, zero_division=0)
    assert macro_f1(labels, predicted) == pytest.approx(theirs, rel=1e-12)


def test_ece_of_confidence_beyond_accuracy():
    labels = np.array([0, 0, 1, 1])  # half right at a confidence of 0.9
    probs = one_hot([0, 0, 0, 0], 2, 0.9)
    assert expected_calibration_error(labels, probs) == pytest.approx(0.4)


def test_ece_equals_the_plain_definition():
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.ones(4), 500)
    labels = rng.integers(0, 4, 500)
    top, right = probs.max(1), probs.argmax(1) == labels
    total = 0.0
    for low in range(15):
        inside = (top > low / 15) & (top <= (low + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - top[inside].mean())
    assert expected_calibration_error(labels, probs) == pytest.approx(total)


def test_class_report_and_confusion():
    labels, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    rows = class_report(labels, predicted, ["a", "b", "c"])
    assert (rows[0].precision, rows[0].recall, rows[0].n) == (1.0, 0.5, 2)
    assert (rows[2].f1, rows[2].n) == (0.0, 0)
    assert confusion(labels, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
