"""Planted wrong labels are found, also by models of the very products that carry them."""

import numpy as np
import pytest

from mmcore.cross_check import FOLDS, MIN_OF_CLASS, cross_checked_suspicions

WORDS = ["piscine gonflable enfant", "roman policier poche", "console jeu manette", "tapis salon"]
N = 120


class Features:
    """Photos whose features lie around one place a class."""

    def __init__(self, classes, missing=()):
        rng = np.random.default_rng(1)
        places = rng.normal(size=(len(WORDS), 16))
        self._rows = {
            f"photo{i}": places[c] + rng.normal(scale=0.4, size=16)
            for i, c in enumerate(classes)
            if i not in missing
        }

    def __contains__(self, key):
        return key in self._rows

    def gather(self, keys):
        return np.array([self._rows[key] for key in keys])


@pytest.fixture
def shop():
    """Return titles, true classes and labels, of which every tenth is wrong."""
    true = np.arange(N) % len(WORDS)
    rng = np.random.default_rng(2)
    titles = [f"{' '.join(rng.permutation(WORDS[c].split()))} ref{i}" for i, c in enumerate(true)]
    labels = np.where(np.arange(N) % 10 == 0, (true + 1) % len(WORDS), true)
    return titles, true, labels


def check(titles, labels, features=None, **other):
    columns = {
        "descriptions": [""] * len(titles),
        "photos": [f"photo{i}" for i in range(len(titles))],
        "groups": [f"g{i}" for i in range(len(titles))],
        **other,
    }
    return cross_checked_suspicions(titles, labels=labels, features=features, **columns)


def test_wrong_labels_rank_first_with_photos_and_without(shop):
    titles, true, labels = shop
    wrong = labels != true
    for features in (None, Features(true)):
        found = check(titles, labels, features)
        first = np.argsort(-found)[: wrong.sum()]
        assert wrong[first].mean() >= 0.9
        assert found[~wrong].max() < 0.5 * np.median(found[wrong])


def test_a_photo_that_finds_the_label_right_clears_it(shop):
    titles, _, labels = shop
    assert check(titles, labels, Features(labels)).max() < 0.2


def test_a_product_without_photo_or_text_is_judged_by_the_other(shop):
    titles, true, labels = shop
    titles = ["" if i == 10 else title for i, title in enumerate(titles)]
    found = check(titles, labels, Features(true, missing={20}))
    assert found[10] > 0.2 and found[20] > 0.2
    assert found[10] <= 0.5 and found[20] <= 0.5  # one alone counts for half


def test_no_label_is_not_suspect_and_teaches_nothing(shop):
    titles, true, labels = shop
    some = np.where(np.arange(N) % 3 == 0, -1, labels)
    found = check(titles, some, Features(true))
    assert found[some < 0].max() == 0
    assert found[(some >= 0) & (labels != true)].min() > 0.2


def test_copies_do_not_vouch_for_each_other(shop):
    """Two copies with the same wrong label: in one group neither saw the other."""
    titles, true, labels = shop
    titles = [titles[0], titles[0], *titles[2:]]
    labels = labels.copy()
    labels[1] = labels[0]
    groups = ["g0", "g0", *(f"g{i}" for i in range(2, N))]
    assert check(titles, labels, groups=groups)[:2].min() > 0.2


def test_a_class_the_other_folds_hardly_know_is_not_suspect(shop):
    titles, _, labels = shop
    rare = labels.copy()
    rare[:MIN_OF_CLASS] = len(WORDS)
    assert check(titles, rare)[:MIN_OF_CLASS].max() == 0


@pytest.mark.parametrize("n", [0, 1, 2, FOLDS])
def test_tiny_catalogues_have_no_suspects(n):
    found = check(["a b"] * n, np.zeros(n, dtype=int), Features(np.zeros(n, dtype=int)))
    assert found.tolist() == [0.0] * n
