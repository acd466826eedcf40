"""Linear classifiers over fixed features, fitted to the optimum and judged out of fold.

Multinomial logistic regression: loss and gradient here, SciPy's L-BFGS-B to minimise. Its one
constant, the strength C (as in scikit-learn: the weight of the data against the weights' squares),
is chosen by the log-loss on products that the fit did not see.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from mmcore.seeds import stream_seed

STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
NUM_FOLDS = 5
MAX_FOLDED = 20_000  # products; beyond, val alone judges: it is large, and five fits are slow
MAX_EXACT = 4_000  # products; more are fitted by `linear_many.py`
MAX_ITERATIONS = 200
SMALL_FIT = 5e7  # multiplications a pass, up to which one thread is quickest
UNSEEN_LOGIT = -12.0  # of a class without a product to learn from
_TOLERANCE = 1e-4  # largest gradient of the mean loss at the end
_RANK_TOLERANCE = 1e-6  # of the largest eigenvalue; smaller ones are rounding

Features = np.ndarray | sparse.csr_array
Fold = tuple[np.ndarray, np.ndarray]  # rows to fit on, rows to judge


@dataclass(frozen=True)
class LinearStart:
    """What an earlier classifier leaves to the next one, over the same features and classes."""

    weights: np.ndarray  # (D, K) float32; 0 where a feature or class is new
    bias: np.ndarray  # (K,) float32
    strength: float | None  # None: not known


@dataclass(frozen=True)
class LinearFit:
    """A fitted classifier, and what folds that did not see a product say about it."""

    weights: np.ndarray  # (D, K) float32
    bias: np.ndarray  # (K,) float32
    strength: float
    out_of_fold: np.ndarray  # (N, K) float32 log-probabilities; 0 where no fold judged
    log_loss: float  # of the judged ones, mean


def make_folds(
    labels: np.ndarray, groups: Sequence[str], is_val: np.ndarray, seed: int
) -> list[Fold]:
    """Return folds in which near-copies (equal groups) are never on both sides.

    Args:
        labels: (N,) class ids.
        groups: N group ids.
        is_val: (N,) bool; beyond MAX_FOLDED products these are the only ones judged.
    """
    rows = np.arange(len(labels))
    if len(labels) > MAX_FOLDED and is_val.any() and not is_val.all():
        return [(rows[~is_val], rows[is_val])]
    # a very small shop: no class may be larger than the folds are many
    largest = int(np.bincount(labels).max(initial=0))
    count = min(NUM_FOLDS, len(set(groups)), largest)
    if count < 2:
        return []
    draw = stream_seed(seed, "folds") % 2**32
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=draw)
    with warnings.catch_warnings():
        # classes smaller than the number of folds are usual here
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(splitter.split(labels, labels, np.asarray(groups)))


def fit_linear(
    features: Features,
    labels: np.ndarray,
    num_classes: int,
    folds: Sequence[Fold],
    tick: Callable[[], None] = lambda: None,
    start: LinearStart | None = None,
) -> LinearFit:
    """Return the classifier fitted on all rows, with the strength that judged best.

    For up to MAX_EXACT rows: its cost grows with the square of their number, and faster.

    Args:
        features: (N, D), scaled so that a row's length is about 1.
        labels: (N,) class ids from 0 to K - 1.
        folds: from `make_folds`; without any the middle strength is taken.
        tick: called at each iteration; may raise to stop the fit.
        start: of an earlier classifier: its strength is kept, and the fit on all rows begins with
            its weights. The folds don't: those weights have seen what a fold is to judge.
    """
    # inside a product threads pay only for large matrices; for small ones they wait for each other,
    # most of all on a machine that has other work
    is_small = len(labels) * min(features.shape) * num_classes < SMALL_FIT
    with threadpool_limits(1 if is_small else None, "blas"):
        return _fit(features, labels, num_classes, folds, tick, start)


def _fit(
    features: Features,
    labels: np.ndarray,
    num_classes: int,
    folds: Sequence[Fold],
    tick: Callable[[], None],
    start: LinearStart | None,
) -> LinearFit:
    space = _Space(features)
    strengths = (start.strength,) if start and start.strength else STRENGTHS
    judge = _Judge(space, labels, num_classes, folds, tick)
    if folds:
        with threadpool_limits(1 if len(folds) > 1 else None, "blas"):  # each has a thread
            best = lowest(judge.judged, strengths)
    else:
        nothing = np.zeros((len(labels), num_classes), np.float32)
        best = Judged(strengths[len(strengths) // 2], np.inf, nothing)
    first = np.vstack([space.forth(start.weights), start.bias]) if start else None
    found = _minimise(space.rows(slice(None)), labels, num_classes, best.strength, first, tick)
    weights, bias = space.back(found[:-1]), found[-1].copy()
    bias[np.bincount(labels, minlength=num_classes) == 0] = UNSEEN_LOGIT
    return LinearFit(
        weights.astype(np.float32),
        bias.astype(np.float32),
        best.strength,
        best.log_probs,
        best.log_loss,
    )


@dataclass(frozen=True)
class Judged:
    """What folds say of a strength."""

    strength: float
    log_loss: float
    log_probs: np.ndarray  # (N, K) float32


def lowest(judged: Callable[[float], Judged], strengths: Sequence[float]) -> Judged:
    """Return what has the lowest loss, which has one valley over the strengths.

    From the middle upwards, and where that is uphill at once, downwards.
    """
    middle = len(strengths) // 2
    first = best = judged(strengths[middle])
    for way in (strengths[middle + 1 :], strengths[:middle][::-1]):
        for strength in way:
            found = judged(strength)
            if found.log_loss >= best.log_loss:
                break
            best = found
        if best is not first:
            break
    return best


class _Judge:
    """Fits on folds, each from where its fit of the strength before ended, side by side.

    One thread a fold: the products of matrices let go of the interpreter's lock.
    """

    def __init__(
        self,
        space: "_Space",
        labels: np.ndarray,
        num_classes: int,
        folds: Sequence[Fold],
        tick: Callable[[], None],
    ) -> None:
        self._space, self._labels, self._num_classes = space, labels, num_classes
        self._folds, self._tick = folds, tick
        self._starts: list[np.ndarray | None] = [None] * len(folds)

    def judged(self, strength: float) -> Judged:
        labels, places = self._labels, range(len(self._folds))
        log_probs = np.zeros((len(labels), self._num_classes), np.float32)
        with ThreadPoolExecutor(min(len(self._folds), os.cpu_count() or 1)) as pool:
            found = list(pool.map(lambda place: self._fold(place, strength), places))
        for (_, rows), judged in zip(self._folds, found, strict=True):
            log_probs[rows] = judged
        rows = np.concatenate([judged for _, judged in self._folds])
        return Judged(strength, -float(log_probs[rows, labels[rows]].mean()), log_probs)

    def _fold(self, place: int, strength: float) -> np.ndarray:
        """Return the log-probabilities of the products that a fold judges."""
        fit_rows, rows = self._folds[place]
        points, known = self._space.rows(fit_rows), self._labels[fit_rows]
        start = self._starts[place]
        found = _minimise(points, known, self._num_classes, strength, start, self._tick)
        self._starts[place] = found
        return _log_probs(self._space.rows(rows), found, known)


class _Space:
    """The features, or where there are more of them than rows, their equal in fewer dimensions.

    A fit's weights are a sum of rows, so it is enough to know the rows' products with each other:
    fits in the coordinates of the Gram matrix's eigenvectors are the same fits, much faster.
    """

    def __init__(self, features: Features) -> None:
        self._features = features
        self._axes: np.ndarray | None = None
        self._points: Features = features
        num_rows, width = features.shape
        if width <= num_rows:
            return
        gram = features @ features.T
        gram = gram.toarray() if sparse.issparse(gram) else gram
        values, vectors = eigh(gram.astype(np.float64))
        kept = values > values.max() * _RANK_TOLERANCE
        self._axes = vectors[:, kept] / np.sqrt(values[kept])
        self._points = (gram @ self._axes).astype(np.float32)

    def rows(self, rows: np.ndarray | slice) -> Features:
        return self._points[rows]

    def forth(self, weights: np.ndarray) -> np.ndarray:
        """Return weights over the points from (D, K) weights over the features."""
        return weights if self._axes is None else self._axes.T @ (self._features @ weights)

    def back(self, weights: np.ndarray) -> np.ndarray:
        """Return (D, K) weights over the features from weights over the points."""
        return weights if self._axes is None else self._features.T @ (self._axes @ weights)


def _minimise(
    points: Features,
    labels: np.ndarray,
    num_classes: int,
    strength: float,
    start: np.ndarray | None,
    tick: Callable[[], None],
) -> np.ndarray:
    """Return (D + 1, K) weights, the last row the bias."""
    num_rows, width = points.shape
    transposed = points.T.tocsr() if sparse.issparse(points) else points.T
    rows, pull = np.arange(num_rows), 1 / (strength * num_rows)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        tick()
        both = flat.reshape(width + 1, num_classes)
        weights = both[:-1].astype(points.dtype)
        log_probs = log_softmax(points @ weights + both[-1], axis=1)
        wrong = np.exp(log_probs)
        value = -log_probs[rows, labels].mean() + pull / 2 * float((both[:-1] ** 2).sum())
        wrong[rows, labels] -= 1
        wrong /= num_rows
        gradient = np.empty_like(both)
        gradient[:-1] = transposed @ wrong.astype(points.dtype) + pull * both[:-1]
        gradient[-1] = wrong.sum(axis=0)
        return float(value), gradient.ravel()

    if start is None:
        start = np.zeros((width + 1, num_classes))
    options = {"maxiter": MAX_ITERATIONS, "gtol": _TOLERANCE, "ftol": 1e-10}
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(width + 1, num_classes)


def _log_probs(points: Features, found: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return (N, K) float32 log-probabilities; classes that were not fitted are put far away."""
    logits = points @ found[:-1].astype(points.dtype) + found[-1]
    logits[:, np.bincount(seen, minlength=logits.shape[1]) == 0] = UNSEEN_LOGIT
    return log_softmax(logits, axis=1).astype(np.float32)
