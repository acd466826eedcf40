"""Scores that order the queue: their ends, their symmetry, an independent formula each."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from mmcore.scoring import LONE_TOWER_WEIGHT, disagreements, entropies, margins, suspicions

K = 7


@pytest.fixture
def probs():
    rng = np.random.default_rng(3)
    return [rng.dirichlet(np.full(K, 0.4), size=200).astype(np.float32) for _ in range(2)]


def one_hot(*classes, num=3):
    return np.eye(num)[list(classes)]


def test_margin_is_first_minus_second(probs):
    ordered = np.sort(probs[0], axis=1)
    np.testing.assert_allclose(margins(probs[0]), ordered[:, -1] - ordered[:, -2], atol=1e-6)
    assert margins(np.full((1, 4), 0.25)).tolist() == [0.0]
    assert margins(one_hot(2)).tolist() == [1.0]


def test_entropy_agrees_with_scipy_and_does_not_depend_on_the_number_of_classes(probs):
    np.testing.assert_allclose(entropies(probs[0]), entropy(probs[0], axis=1, base=K), atol=1e-5)
    for num in (2, 5, 27):
        assert entropies(np.full((1, num), 1 / num)) == pytest.approx(1.0)
        assert entropies(one_hot(0, num=num)).tolist() == [0.0]


def test_one_class_is_always_sure():
    only = np.ones((2, 1))
    assert margins(only).tolist() == [1.0, 1.0]
    assert entropies(only).tolist() == [0.0, 0.0]


def test_disagreement_agrees_with_scipy_and_is_the_same_both_ways(probs):
    text, image = probs
    both = np.ones(len(text), bool)
    found = disagreements(text, image, both)
    np.testing.assert_allclose(found, jensenshannon(text, image, axis=1, base=2) ** 2, atol=1e-5)
    np.testing.assert_allclose(found, disagreements(image, text, both), atol=1e-12)


def test_disagreement_needs_both_and_is_largest_where_both_are_sure_of_different_classes():
    text, image = one_hot(0, 0, 0), one_hot(0, 1, 1)
    found = disagreements(text, image, np.array([True, True, False]))
    assert found.tolist() == [0.0, 1.0, 0.0]
    unsure = np.array([[0.4, 0.3, 0.3]]), np.array([[0.3, 0.4, 0.3]])
    assert disagreements(*unsure, np.array([True]))[0] < 0.02


def suspicion(text, image, label, has_text=True, has_image=True):
    has = np.array([has_text]), np.array([has_image])
    return suspicions(np.array([text]), np.array([image]), np.array([label]), *has)[0]


def test_both_towers_must_oppose_the_label():
    sure_of_1 = [0.05, 0.9, 0.05]
    assert suspicion(sure_of_1, sure_of_1, 0) == pytest.approx(0.85)
    assert suspicion(sure_of_1, [0.9, 0.05, 0.05], 0) == 0.0
    assert suspicion(sure_of_1, sure_of_1, 1) == 0.0
    # they may oppose it with different classes; the less sure of the two counts
    assert suspicion(sure_of_1, [0.2, 0.2, 0.6], 0) == pytest.approx(0.4)


def test_a_lone_tower_counts_for_less():
    sure_of_1, nothing = [0.05, 0.9, 0.05], [0.0, 0.0, 0.0]
    expected = pytest.approx(LONE_TOWER_WEIGHT * 0.85)
    assert suspicion(sure_of_1, nothing, 0, has_image=False) == expected
    assert suspicion(nothing, sure_of_1, 0, has_text=False) == expected
    assert suspicion(nothing, nothing, 0, has_text=False, has_image=False) == 0.0


def test_no_label_no_suspicion():
    assert suspicion([0.05, 0.9, 0.05], [0.05, 0.9, 0.05], -1) == 0.0


def test_all_scores_are_within_0_and_1_and_empty_catalogues_have_none(probs):
    text, image = probs
    has, labels = np.ones(len(text), bool), np.arange(len(text)) % (K + 1) - 1
    for found in (
        margins(text),
        entropies(text),
        disagreements(text, image, has),
        suspicions(text, image, labels, has, has),
    ):
        assert found.shape == (len(text),) and found.min() >= 0 and found.max() <= 1
    none = np.empty((0, K)), np.empty(0, bool)
    assert margins(none[0]).shape == entropies(none[0]).shape == (0,)
    assert suspicions(none[0], none[0], np.empty(0, int), none[1], none[1]).shape == (0,)
