"""Linear fits: the optimum, the folds, and the way back to the features."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from mmcore import linear_fit
from mmcore.linear_fit import UNSEEN_LOGIT, LinearStart, fit_linear, make_folds

K = 3


def data(num=90, width=20, seed=0):
    """Return features of length about 1, labels that they tell roughly, and groups of two."""
    draw = np.random.default_rng(seed)
    labels = np.arange(num) % K
    features = draw.normal(0, 1, (num, width))
    features[np.arange(num), labels] += 2.5
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32), labels, [str(i // 2) for i in range(num)]


def folds_of(labels, groups, is_val=None):
    is_val = np.zeros(len(labels), bool) if is_val is None else is_val
    return make_folds(labels, groups, is_val, seed=0)


@pytest.mark.parametrize("width", [20, 200])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_fit_is_scikit_learns(width, is_sparse):
    """Oracle, both over the features themselves and over their Gram matrix (width > rows)."""
    features, labels, groups = data(width=width)
    given = sparse.csr_array(features) if is_sparse else features
    found = fit_linear(given, labels, K, folds_of(labels, groups))
    oracle = LogisticRegression(C=found.strength, tol=1e-6, max_iter=5000).fit(features, labels)
    ours = softmax(features @ found.weights + found.bias, axis=1)
    assert ours == pytest.approx(oracle.predict_proba(features), abs=0.02)


def test_the_strength_that_judged_best_is_taken():
    features, labels, groups = data()
    folds = folds_of(labels, groups)
    found = fit_linear(features, labels, K, folds)

    def judged_by(strength):
        rows = np.zeros((len(labels), K))
        for fit, judged in folds:
            model = LogisticRegression(C=strength, tol=1e-6, max_iter=5000)
            rows[judged] = model.fit(features[fit], labels[fit]).predict_log_proba(features[judged])
        return -rows[np.arange(len(labels)), labels].mean()

    losses = {strength: judged_by(strength) for strength in linear_fit.STRENGTHS}
    assert found.strength == min(losses, key=losses.get)
    assert found.log_loss == pytest.approx(losses[found.strength], abs=0.01)


def test_no_fold_speaks_for_a_product_it_saw():
    features, labels, groups = data()
    labels = np.random.default_rng(1).permutation(labels)  # nothing to learn but by heart
    found = fit_linear(features, labels, K, folds_of(labels, groups))
    assert (found.out_of_fold.argmax(axis=1) == labels).mean() < 0.5
    assert np.exp(found.out_of_fold).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_near_copies_share_a_fold():
    _, labels, groups = data()
    folds = folds_of(labels, groups)
    assert len(folds) == linear_fit.NUM_FOLDS
    assert sorted(np.concatenate([judged for _, judged in folds])) == list(range(len(labels)))
    for fit, judged in folds:
        assert not {groups[i] for i in fit} & {groups[i] for i in judged}


def test_of_many_products_val_alone_judges(monkeypatch):
    monkeypatch.setattr(linear_fit, "MAX_FOLDED", 50)
    features, labels, groups = data()
    is_val = np.arange(len(labels)) >= 70
    folds = folds_of(labels, groups, is_val)
    assert [(len(fit), len(judged)) for fit, judged in folds] == [(70, 20)]
    found = fit_linear(features, labels, K, folds)
    assert (found.out_of_fold[~is_val] == 0).all() and (found.out_of_fold[is_val] != 0).any()


def test_a_class_of_one_product_and_a_class_of_none():
    features, labels, groups = data()
    labels[labels == 2] = 1
    labels[0] = 2
    found = fit_linear(features, labels, K + 1, folds_of(labels, groups))
    assert np.isfinite(found.weights).all() and np.isfinite(found.out_of_fold).all()
    assert found.bias[K] == UNSEEN_LOGIT


def test_one_group_cannot_be_folded():
    features, labels, _ = data()
    folds = folds_of(labels, ["one"] * len(labels))
    assert folds == []
    found = fit_linear(features, labels, K, folds)
    assert (found.out_of_fold == 0).all() and np.isinf(found.log_loss)
    assert ((features @ found.weights + found.bias).argmax(axis=1) == labels).mean() > 0.8


def test_a_fit_can_be_stopped():
    features, labels, groups = data()

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_linear(features, labels, K, folds_of(labels, groups), stop)


def test_the_same_again():
    features, labels, groups = data()
    first, second = (fit_linear(features, labels, K, folds_of(labels, groups)) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)


@pytest.mark.parametrize("width", [20, 200])
def test_a_fit_that_starts_from_another_ends_at_the_same_optimum_sooner(width):
    features, labels, groups = data(width=width)
    folds = folds_of(labels, groups)
    ticks = []
    found = fit_linear(features, labels, K, folds, lambda: ticks.append(1))
    num_fresh = len(ticks)
    start = LinearStart(found.weights, found.bias, found.strength)
    again = fit_linear(features, labels, K, folds, lambda: ticks.append(1), start)
    assert again.strength == found.strength and len(ticks) - num_fresh < num_fresh * 2 / 3
    before, after = (features @ f.weights + f.bias for f in (found, again))
    assert softmax(after, axis=1) == pytest.approx(softmax(before, axis=1), abs=0.02)


def test_no_fold_starts_from_weights_that_have_seen_what_it_judges():
    """Whatever the start's weights are, the folds say the same."""
    features, labels, groups = data()
    folds = folds_of(labels, groups)
    said = []
    for weights in (np.zeros((20, K)), np.full((20, K), 5.0)):
        start = LinearStart(weights.astype(np.float32), np.zeros(K, np.float32), 30.0)
        said.append(fit_linear(features, labels, K, folds, start=start).out_of_fold)
    assert said[0].any() and np.array_equal(said[0], said[1])


def test_a_start_without_a_strength_chooses_one():
    features, labels, groups = data()
    folds = folds_of(labels, groups)
    found = fit_linear(features, labels, K, folds)
    start = LinearStart(found.weights, found.bias, None)
    again = fit_linear(features, labels, K, folds, start=start)
    assert again.strength == found.strength


@pytest.mark.parametrize("per_class", [1, 2, 4])
def test_a_shop_whose_classes_are_all_smaller_than_the_folds_can_be_fitted(per_class):
    labels = np.repeat(np.arange(3), per_class)
    groups = [f"g{i}" for i in range(len(labels))]
    folds = make_folds(labels, groups, np.zeros(len(labels), bool), 0)
    assert len(folds) == (per_class if per_class > 1 else 0)
    features = np.eye(len(labels), dtype=np.float32)
    found = fit_linear(features, labels, 3, folds)
    assert np.isfinite(found.weights).all()
