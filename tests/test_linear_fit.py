"""Linear fits: the optimum, whatever the blocks; folds that judge; nothing copied."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from mmcore import linear_fit, row_blocks
from mmcore.lbfgs import Limits
from mmcore.linear_fit import STRENGTHS, UNSEEN_LOGIT, LinearRows, LinearStart, fit_linear
from mmcore.linear_folds import make_folds
from mmcore.row_blocks import DenseBlocks, SparseBlocks

K = 3
N = 240
ALL = np.arange(N)


@pytest.fixture(autouse=True)
def closely(monkeypatch):
    """Fit until nothing is left to gain, so that two ways can be held to each other."""
    monkeypatch.setattr(linear_fit, "LIMITS", Limits(500, 1e-7))


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


def exact(features, labels, strength):
    """Return scikit-learn's fit to the last digit."""
    return LogisticRegression(C=strength, tol=1e-6, max_iter=5000).fit(features, labels)


@pytest.mark.parametrize("blocks_of", [sparse_blocks, dense_blocks])
def test_the_fit_is_scikit_learns(blocks_of, monkeypatch):
    features, labels, folds = data()
    found = fit_linear(LinearRows(blocks_of(features, monkeypatch), labels, K), ALL, folds)
    ours = softmax(features @ found.weights + found.bias, axis=1)
    theirs = exact(features, labels, found.strength).predict_proba(features)
    assert ours == pytest.approx(theirs, abs=0.02)


@pytest.mark.parametrize("num_judges", [1, 5])
def test_the_strength_that_judged_best_is_taken(num_judges, monkeypatch):
    monkeypatch.setattr(linear_fit, "JUDGED_BY_ALL", N if num_judges > 1 else N - 1)
    features, labels, folds = data()
    found = fit_linear(LinearRows(sparse_blocks(features, monkeypatch), labels, K), ALL, folds)

    def judged_by(strength, judges):
        rows = np.zeros((N, K))
        for fit, judged in judges:
            model = exact(features[fit], labels[fit], strength)
            rows[judged] = log_softmax(model.decision_function(features[judged]), axis=1)
        told = np.concatenate([judged for _, judged in judges])
        return -rows[told, labels[told]].mean()

    losses = {strength: judged_by(strength, folds[:num_judges]) for strength in STRENGTHS}
    assert found.strength == min(losses, key=losses.get)
    assert found.log_loss == pytest.approx(judged_by(found.strength, folds), abs=0.01)
    assert found.out_of_fold.any(axis=1).all(), "every fold speaks, whoever chose the strength"


def test_of_many_weights_one_fold_judges(monkeypatch):
    features, labels, folds = data()
    rows = LinearRows(sparse_blocks(features, monkeypatch), labels, K)
    assert rows.num_weights == 20 * K
    monkeypatch.setattr(linear_fit, "MANY_WEIGHTS", 20 * K - 1)
    judged = []
    monkeypatch.setattr(linear_fit, "_Judge", counting(linear_fit._Judge, judged))
    fit_linear(rows, ALL, folds)
    assert judged == [1] * len(folds), "one after the other"


def counting(kind, seen):
    def made(rows, folds):
        seen.append(len(folds))
        return kind(rows, folds)

    return made


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
    found = LinearRows(dense_blocks(features, monkeypatch), labels, K).fit(some, 30.0)
    other = np.where(ALL % 2, (labels + 1) % K, labels)
    again = LinearRows(dense_blocks(features, monkeypatch), other, K).fit(some, 30.0)
    assert np.array_equal(found, again)


def test_no_fold_speaks_for_a_product_it_saw(monkeypatch):
    """Labels that only the learner by heart could tell: every fold does no better than chance."""
    features, labels, folds = data()
    labels = np.random.default_rng(1).permutation(labels)
    many = LinearRows(sparse_blocks(features, monkeypatch), labels, K)
    found = fit_linear(many, ALL, folds)
    assert (found.out_of_fold.argmax(axis=1) == labels).mean() < 0.5
    assert np.exp(found.out_of_fold).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_only_what_is_judged_is_spoken_of(monkeypatch):
    features, labels, _ = data()
    fold = (np.arange(150), np.arange(150, 200))
    many = LinearRows(sparse_blocks(features, monkeypatch), labels, K)
    found = fit_linear(many, np.arange(200), [fold])
    assert (found.out_of_fold[:150] == 0).all() and (found.out_of_fold[200:] == 0).all()
    assert found.out_of_fold[150:200].any(axis=1).all()


def test_a_class_of_none(monkeypatch):
    features, labels, folds = data()
    many = LinearRows(sparse_blocks(features, monkeypatch), labels, K + 1)
    found = fit_linear(many, ALL, folds)
    assert found.bias[K] == UNSEEN_LOGIT and not found.weights[:, K].any()
    assert (found.out_of_fold[:, K] < -6).all()


def test_without_folds_the_middle_strength_is_taken(monkeypatch):
    features, labels, _ = data()
    found = fit_linear(LinearRows(sparse_blocks(features, monkeypatch), labels, K), ALL, [])
    assert found.strength == 100.0 and np.isinf(found.log_loss) and not found.out_of_fold.any()


def test_a_fit_can_be_stopped(monkeypatch):
    features, labels, folds = data()

    def stop():
        raise InterruptedError

    many = LinearRows(sparse_blocks(features, monkeypatch), labels, K, stop)
    with pytest.raises(InterruptedError):
        fit_linear(many, ALL, folds)


def test_a_start_is_gone_on_from(monkeypatch):
    features, labels, folds = data()
    ticks = []
    blocks = sparse_blocks(features, monkeypatch)
    many = LinearRows(blocks, labels, K, lambda: ticks.append(1))
    found = many.fit(ALL, 30.0)
    num_fresh = len(ticks)
    again = many.fit(ALL, 30.0, found)
    assert len(ticks) - num_fresh < num_fresh / 3
    assert again == pytest.approx(found, abs=0.02)


def test_no_fold_starts_from_weights_that_have_seen_what_it_judges(monkeypatch):
    """Whatever the start's weights are, the folds say the same."""
    features, labels, folds = data()
    rows = LinearRows(sparse_blocks(features, monkeypatch), labels, K)
    said = []
    for weights in (np.zeros((20, K)), np.full((20, K), 5.0)):
        start = LinearStart(weights.astype(np.float32), np.zeros(K, np.float32), 30.0)
        said.append(fit_linear(rows, ALL, folds, start).out_of_fold)
    assert said[0].any() and np.array_equal(said[0], said[1])


def test_a_start_keeps_its_strength_and_ends_at_the_same_optimum(monkeypatch):
    features, labels, folds = data()
    rows = LinearRows(sparse_blocks(features, monkeypatch), labels, K)
    found = fit_linear(rows, ALL, folds)
    start = LinearStart(found.weights, found.bias, found.strength)
    again = fit_linear(rows, ALL, folds, start)
    assert again.strength == found.strength
    before, after = (features @ f.weights + f.bias for f in (found, again))
    assert softmax(after, axis=1) == pytest.approx(softmax(before, axis=1), abs=0.02)
    anew = fit_linear(rows, ALL, folds, LinearStart(found.weights, found.bias, None))
    assert anew.strength == found.strength, "without a strength one is chosen"


def test_the_same_again(monkeypatch):
    features, labels, folds = data()
    rows = LinearRows(dense_blocks(features, monkeypatch), labels, K)
    first, second = (fit_linear(rows, ALL, folds) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)


@pytest.mark.parametrize("per_class", [1, 2, 4])
def test_a_shop_whose_classes_are_all_smaller_than_the_folds_can_be_fitted(per_class):
    labels = np.repeat(np.arange(3), per_class)
    groups = [f"g{i}" for i in range(len(labels))]
    folds = make_folds(labels, groups, np.zeros(len(labels), bool), 0)
    rows = LinearRows(
        SparseBlocks([sparse.csr_array(np.eye(len(labels), dtype=np.float32))]), labels, 3
    )
    assert np.isfinite(fit_linear(rows, np.arange(len(labels)), folds).weights).all()


@pytest.mark.parametrize("blocks_of", [sparse_blocks, dense_blocks])
def test_a_class_unseen_before_is_learnt_from_where_an_earlier_fit_ended(blocks_of, monkeypatch):
    monkeypatch.setattr(linear_fit, "LIMITS", Limits(60, 3e-4))  # as usual: not until it is perfect
    features, labels, _ = data()
    rows = LinearRows(blocks_of(features, monkeypatch), labels, K)
    without = rows.fit(np.flatnonzero(labels != 2), 300.0)
    assert without[-1, 2] == UNSEEN_LOGIT
    cold, warm = (rows.fit(ALL, 300.0, start) for start in (None, without))
    losses = [rows.log_loss(rows.log_probs(both, ALL), ALL) for both in (cold, warm)]
    assert losses[1] == pytest.approx(losses[0], rel=0.03)


def test_rows_that_say_nothing_are_left_out_of_the_preconditioner():
    features, _, _ = data()
    has = ALL < 60
    blank = np.where(has[:, None], features, 7).astype(np.float32)
    solve, alone = (
        DenseBlocks(*rows.shape, lambda part, rows=rows: rows[part], known).preconditioner(0.5, 0.1)
        for rows, known in ((blank, has), (features[:60], None))
    )
    gradient = np.ones((20, K), np.float32)
    assert solve(gradient) == pytest.approx(alone(gradient), rel=1e-4)
