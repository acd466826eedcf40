"""Fits of many products: those of `linear_fit.py`, whatever the blocks, with nothing copied."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from mmcore import linear_many, row_blocks
from mmcore.lbfgs import Limits
from mmcore.linear_fit import UNSEEN_LOGIT, LinearStart, fit_linear, make_folds
from mmcore.linear_many import ManyRows, fit_many
from mmcore.row_blocks import DenseBlocks, SparseBlocks

K = 3
N = 240


@pytest.fixture(autouse=True)
def closely(monkeypatch):
    """Fit until nothing is left to gain, so that two ways can be held to each other."""
    monkeypatch.setattr(linear_many, "LIMITS", Limits(500, 1e-7))


def data(width=20, seed=0):
    """Return features of length about 1, labels that they tell roughly, and folds."""
    draw = np.random.default_rng(seed)
    labels = np.arange(N) % K
    features = draw.normal(0, 1, (N, width)) * (draw.random((N, width)) < 0.5)
    features[np.arange(N), labels] += 1.5
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    groups = [str(i // 2) for i in range(N)]
    folds = make_folds(labels, groups, np.zeros(N, bool), seed=0)
    return features.astype(np.float32), labels, folds


def sparse_blocks(features, monkeypatch):
    """Return blocks of a few rows, of two matrices."""
    monkeypatch.setattr(row_blocks, "SPARSE_ENTRIES", 300)
    parts = [sparse.csr_array(features[:100]), sparse.csr_array(features[100:])]
    made = SparseBlocks(parts)
    assert len(made.blocks) > 4
    return made


def dense_blocks(features, monkeypatch):
    monkeypatch.setattr(row_blocks, "DENSE_ROWS", 50)
    made = DenseBlocks(*features.shape, lambda rows: features[rows])
    assert len(made.blocks) == 5
    return made


@pytest.mark.parametrize("blocks_of", [sparse_blocks, dense_blocks])
def test_the_fit_is_that_of_few_products(blocks_of, monkeypatch):
    """Oracle: `fit_linear`, which is held to scikit-learn."""
    features, labels, folds = data()
    many = ManyRows(blocks_of(features, monkeypatch), labels, K)
    found = fit_many(many, np.arange(N), folds)
    start = LinearStart(np.zeros((20, K), np.float32), np.zeros(K, np.float32), found.strength)
    oracle = fit_linear(features, labels, K, folds, start=start)
    ours, theirs = (softmax(features @ f.weights + f.bias, axis=1) for f in (found, oracle))
    assert ours == pytest.approx(theirs, abs=0.01)
    assert np.exp(found.out_of_fold) == pytest.approx(np.exp(oracle.out_of_fold), abs=0.01)
    assert found.log_loss == pytest.approx(oracle.log_loss, abs=0.002)


def test_blocks_hold_the_rows(monkeypatch):
    features, _, _ = data()
    weights = np.random.default_rng(1).normal(size=(20, K)).astype(np.float32)
    for blocks_of in (sparse_blocks, dense_blocks):
        for block in blocks_of(features, monkeypatch).blocks:
            rows, matrix = features[block.rows], block.read()
            assert matrix.times(weights) == pytest.approx(rows @ weights, abs=1e-5)
            wrong = np.random.default_rng(2).normal(size=(len(rows), K)).astype(np.float32)
            assert matrix.transposed_times(wrong) == pytest.approx(rows.T @ wrong, abs=1e-5)


def test_the_dense_preconditioner_divides_by_the_hessian(monkeypatch):
    features, _, _ = data()
    solve = dense_blocks(features, monkeypatch).preconditioner(0.5, 0.1)
    hessian = 0.5 * features.T @ features / N + 0.1 * np.eye(20)
    gradient = np.ones((20, K), np.float32)
    assert hessian @ solve(gradient) == pytest.approx(gradient, abs=1e-3)


def test_rows_that_are_not_learnt_from_change_nothing(monkeypatch):
    features, labels, _ = data()
    some = np.arange(0, N, 2)
    found = ManyRows(dense_blocks(features, monkeypatch), labels, K).fit(some, 30.0)
    other = np.where(np.arange(N) % 2, (labels + 1) % K, labels)
    again = ManyRows(dense_blocks(features, monkeypatch), other, K).fit(some, 30.0)
    assert np.array_equal(found, again)


def test_no_fold_starts_from_weights_that_have_seen_what_it_judges(monkeypatch):
    """Labels that only the learner by heart could tell: every fold does no better than chance."""
    features, labels, folds = data()
    labels = np.random.default_rng(1).permutation(labels)
    many = ManyRows(sparse_blocks(features, monkeypatch), labels, K)
    found = fit_many(many, np.arange(N), folds)
    assert (found.out_of_fold.argmax(axis=1) == labels).mean() < 0.5
    assert np.exp(found.out_of_fold).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_only_what_is_judged_is_spoken_of(monkeypatch):
    features, labels, _ = data()
    fold = (np.arange(150), np.arange(150, 200))
    many = ManyRows(sparse_blocks(features, monkeypatch), labels, K)
    found = fit_many(many, np.arange(200), [fold])
    assert (found.out_of_fold[:150] == 0).all() and (found.out_of_fold[200:] == 0).all()
    assert found.out_of_fold[150:200].any(axis=1).all()


def test_a_class_of_none(monkeypatch):
    features, labels, folds = data()
    many = ManyRows(sparse_blocks(features, monkeypatch), labels, K + 1)
    found = fit_many(many, np.arange(N), folds)
    assert found.bias[K] == UNSEEN_LOGIT and not found.weights[:, K].any()
    assert (found.out_of_fold[:, K] < -6).all()


def test_without_folds_the_middle_strength_is_taken(monkeypatch):
    features, labels, _ = data()
    found = fit_many(ManyRows(sparse_blocks(features, monkeypatch), labels, K), np.arange(N), [])
    assert found.strength == 100.0 and np.isinf(found.log_loss) and not found.out_of_fold.any()


def test_a_fit_can_be_stopped(monkeypatch):
    features, labels, folds = data()

    def stop():
        raise InterruptedError

    many = ManyRows(sparse_blocks(features, monkeypatch), labels, K, stop)
    with pytest.raises(InterruptedError):
        fit_many(many, np.arange(N), folds)


def test_a_start_is_gone_on_from(monkeypatch):
    features, labels, folds = data()
    ticks = []
    blocks = sparse_blocks(features, monkeypatch)
    many = ManyRows(blocks, labels, K, lambda: ticks.append(1))
    found = many.fit(np.arange(N), 30.0)
    num_fresh = len(ticks)
    again = many.fit(np.arange(N), 30.0, found)
    assert len(ticks) - num_fresh < num_fresh / 3
    assert again == pytest.approx(found, abs=0.02)
