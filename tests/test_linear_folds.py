"""Folds: near-copies on one side, val alone of many products, as many as a small shop allows."""

import numpy as np
import pytest

from mmcore import linear_folds
from mmcore.linear_folds import make_folds

NUM = 90
LABELS = np.arange(NUM) % 3
GROUPS = [str(i // 2) for i in range(NUM)]
NONE = np.zeros(NUM, bool)


def test_near_copies_share_a_fold():
    folds = make_folds(LABELS, GROUPS, NONE, seed=0)
    assert len(folds) == linear_folds.NUM_FOLDS
    assert sorted(np.concatenate([judged for _, judged in folds])) == list(range(NUM))
    for fit, judged in folds:
        assert not {GROUPS[i] for i in fit} & {GROUPS[i] for i in judged}


def test_of_many_products_val_alone_judges(monkeypatch):
    monkeypatch.setattr(linear_folds, "MAX_FOLDED", 50)
    folds = make_folds(LABELS, GROUPS, np.arange(NUM) >= 70, seed=0)
    assert [(len(fit), len(judged)) for fit, judged in folds] == [(70, 20)]


def test_one_group_cannot_be_folded():
    assert make_folds(LABELS, ["one"] * NUM, NONE, seed=0) == []


@pytest.mark.parametrize("per_class", [1, 2, 4])
def test_classes_that_are_all_smaller_than_the_folds(per_class):
    labels = np.repeat(np.arange(3), per_class)
    groups = [f"g{i}" for i in range(len(labels))]
    folds = make_folds(labels, groups, np.zeros(len(labels), bool), seed=0)
    assert len(folds) == (per_class if per_class > 1 else 0)


def test_the_same_again():
    first, second = (make_folds(LABELS, GROUPS, NONE, seed=0) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert all(map(np.array_equal, one, other))
