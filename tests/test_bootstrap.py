"""The paired bootstrap: no difference is none, a real one is seen, near-copies count once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.bootstrap import PairedAnswers, _macro_f1, _resampled, _tally, paired_macro_f1
from mmcore.metrics import macro_f1
from mmcore.seeds import stream


def answers(n, k, right_before, right_after, seed=0, copies=1):
    """Return products of which each model gets a share right; each is there `copies` times."""
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % k

    def said(share):
        wrong = (labels + draw.integers(1, k, n)) % k
        return np.where(draw.random(n) < share, labels, wrong)

    before, after = said(right_before), said(right_after)
    columns = (labels, before, after, np.arange(n))
    return PairedAnswers(*(np.repeat(column, copies) for column in columns))


def interval(found, resamples=300):
    return paired_macro_f1(found, stream(0, "test"), resamples).difference


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 60), k=st.integers(1, 6), seed=st.integers(0, 999))
def test_a_model_does_not_differ_from_itself(n, k, seed):
    draw = np.random.default_rng(seed)
    said = draw.integers(-1, k, n)
    found = PairedAnswers(draw.integers(0, k, n), said, said, draw.integers(0, 5, n))
    scores = paired_macro_f1(found, stream(seed, "test"), 100)
    assert (scores.difference.low, scores.difference.value, scores.difference.high) == (0, 0, 0)
    assert scores.before == scores.after
    assert 0 <= scores.before.low <= scores.before.high <= 1


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 50), k=st.integers(2, 5), seed=st.integers(0, 999))
def test_values_and_draws_are_those_of_sklearn(n, k, seed):
    draw = np.random.default_rng(seed)
    labels, said = draw.integers(0, k, n), draw.integers(-1, k, n)
    groups = draw.integers(0, 8, n)
    found = paired_macro_f1(PairedAnswers(labels, said, labels, groups), draw, 100)
    assert found.before.value == pytest.approx(macro_f1(labels, said))
    assert found.after.value == 1
    names, places = np.unique(groups, return_inverse=True)
    tally = _tally(labels, said, places, (len(names), k))
    for counts in _resampled(draw, len(names), 20):
        drawn = [np.repeat(np.arange(n), row[places].astype(int)) for row in counts]
        expected = [macro_f1(labels[rows], said[rows]) for rows in drawn]
        assert _macro_f1(counts, tally) == pytest.approx(expected)
        assert (counts.sum(axis=1) == len(names)).all()


def test_a_clearly_better_model_is_seen_and_the_other_way_round():
    better = interval(answers(300, 3, 0.6, 0.9))
    assert 0 < better.low < better.value < better.high
    worse = interval(answers(300, 3, 0.9, 0.6))
    assert worse.low < worse.value < worse.high < 0


def test_a_small_difference_on_few_products_is_within_luck():
    found = interval(answers(40, 2, 0.75, 0.72))
    assert found.low < 0 < found.high


def test_copies_of_a_product_are_no_further_evidence():
    alone, copied = (interval(answers(60, 3, 0.6, 0.8, copies=c)) for c in (1, 20))
    assert copied.value == pytest.approx(alone.value)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))


def test_the_same_stream_gives_the_same_interval_and_passes_do_not_matter(monkeypatch):
    found = answers(50, 3, 0.6, 0.7)
    first = interval(found)
    assert interval(found) == first
    monkeypatch.setattr("mmcore.bootstrap._DRAWS_A_PASS", 60)
    assert interval(found) == first


def test_the_interval_covers_the_true_difference():
    """Of 60 samples of one population, some 57 of the 95% intervals hold the true difference."""
    whole = answers(60_000, 3, 0.7, 0.78)
    true = macro_f1(whole.labels, whole.after) - macro_f1(whole.labels, whole.before)
    covered = 0
    for i in range(60):
        part = answers(200, 3, 0.7, 0.78, seed=i + 1)
        found = interval(part)
        covered += found.low <= true <= found.high
    assert 51 <= covered <= 60
