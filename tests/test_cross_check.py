"""Planted wrong labels are found, also by models of the very products that carry them."""

import time

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

from mmcore.cross_check import (
    FOLDS,
    MIN_OF_CLASS,
    NUM_HASHED,
    Checked,
    Steps,
    _ngrams,
    _num_hashed,
    _shortened,
    cross_checked_suspicions,
)

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


def check(titles, labels, features=None, steps=None, **other):
    columns = {
        "descriptions": [""] * len(titles),
        "photos": [f"photo{i}" for i in range(len(titles))],
        "groups": [f"g{i}" for i in range(len(titles))],
        **other,
    }
    return cross_checked_suspicions(Checked(titles, labels=labels, **columns), features, steps)


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


@pytest.mark.parametrize(("num_classes", "num"), [(1, 2**18), (27, 2**18), (300, 2**15)])
def test_many_classes_leave_room_for_fewer_ngrams(num_classes, num):
    assert _num_hashed(num_classes) == num
    assert _ngrams(["a b c d"] * 3, Steps(), num).shape[0] == 3


def test_ngrams_are_scikit_learns():
    """Oracle: the hashing vectorizers on the texts themselves."""
    texts = [_shortened("Table BASSE en bois", "l'été, table basse"), "", "ab ab 12x40 cm"] * 3
    words = HashingVectorizer(ngram_range=(1, 2), n_features=NUM_HASHED)
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=NUM_HASHED)
    wanted = sparse.hstack([words.transform(texts), letters.transform(texts)])
    found = _ngrams(texts, Steps())
    # the columns in use, in whatever order
    assert found.shape == (9, np.count_nonzero(np.diff(wanted.tocsc().indptr)))
    assert abs(found @ found.T - wanted @ wanted.T).max() < 1e-5


# -- stopping ------------------------------------------------------------------------------------

PATIENCE_S = 5.0  # a cancelled job must have stopped by then, on a CPU with other work


class Stopped(Exception):
    pass


def large_shop(num):
    """Return (titles, labels) of products with texts as long as count, in 27 classes."""
    rng = np.random.default_rng(0)
    words = np.array([f"mot{i:05d}" for i in range(20_000)])
    labels = np.arange(num) % 27
    drawn = words[rng.zipf(1.3, (num, 58)) % len(words)]
    return [f"classe{c} {' '.join(row)}" for c, row in zip(labels, drawn, strict=True)], labels


def test_a_large_check_tells_how_far_it_is_and_stops_at_once_wherever_it_is():
    """Before: one call of a library for all of it, that nobody could end."""
    titles, labels = large_shop(2_500)
    seen = []

    def watch(done, total):
        seen.append((time.perf_counter(), done, total))

    started = time.perf_counter()
    check(titles, labels, steps=Steps(watch))
    lasted = time.perf_counter() - started
    assert len(seen) > 20, "too small a catalogue to show anything"
    times = [started, *(at for at, _, _ in seen), started + lasted]
    assert max(np.diff(times)) < PATIENCE_S / 2
    done, (total,) = [share for _, share, _ in seen], {total for *_, total in seen}
    assert done == sorted(done) and done[0] == 0
    assert done[-2] <= done[-1] == total, "every unit was expected"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95])
def test_whoever_watches_may_stop_it(shop, share):
    titles, true, labels = shop

    def watch(done, total):
        if done >= share * total:
            raise Stopped

    with pytest.raises(Stopped):
        check(titles, labels, Features(true), Steps(watch))
