"""Linear classifiers over fixed features, fitted block by block and judged out of fold.

Multinomial logistic regression by L-BFGS, until the loss hardly falls any more: on catalogues of
1,000, 3,000 and 5,000 products the log-loss of what a fit hadn't seen was at most 2% above that of
a fit to the last digit, mostly below it (today's script, `benchmarks/linear_fit.py`, holds it to
scikit-learn's). Its one constant, the
strength C (as in scikit-learn: the weight of the data against the weights' squares), is chosen by
the log-loss on products that the fit did not see. Nothing is copied, whatever the folds: rows that
a fit doesn't learn from weigh nothing.

N rows, D features, K classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from mmcore.lbfgs import Limits, minimise
from mmcore.linear_folds import Fold
from mmcore.row_blocks import Block, RowBlocks
from mmcore.threads import on_one_core

STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
LIMITS = Limits(max_iterations=60, tolerance=3e-4)
JUDGED_BY_ALL = 4_000  # products, up to which all folds judge a strength; of more, one is enough
MANY_WEIGHTS = 10_000_000  # D * K, beyond which five folds' weights at once would be too much
SMALL_FIT = 5e7  # multiplications a pass, up to which one thread is quickest
UNSEEN_LOGIT = -12.0  # of a class without a product to learn from
# of the mean loss by a class's logits: p (1 - p), which lies between 0 and a quarter
_CURVATURE = 0.05


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


def fit_linear(
    rows: "LinearRows",
    learnt: np.ndarray,
    folds: Sequence[Fold],
    start: LinearStart | None = None,
) -> LinearFit:
    """Return the classifier fitted on some rows, with the strength that judged best.

    Args:
        learnt: numbers of the rows to learn from; the others may hold anything.
        folds: from `make_folds`, in numbers of the rows; without any the middle strength is taken.
        start: of an earlier classifier: its strength is kept, and the fit on all rows begins with
            its weights. The folds don't: those weights have seen what a fold is to judge.
    """
    # inside a product threads pay only for large matrices; for small ones they wait for each other,
    # most of all on a machine that has other work
    with threadpool_limits(1 if rows.cost < SMALL_FIT else None, "blas"):
        with on_one_core(rows.is_dense):  # PyTorch adds up the few weights between BLAS's products
            return _fit(rows, learnt, folds, start)


def _fit(
    rows: "LinearRows", learnt: np.ndarray, folds: Sequence[Fold], start: LinearStart | None
) -> LinearFit:
    strengths = (start.strength,) if start and start.strength else STRENGTHS
    best, first = Judged(strengths[len(strengths) // 2], np.inf, rows.nothing()), None
    if folds:
        is_small = len(learnt) <= JUDGED_BY_ALL and rows.num_weights <= MANY_WEIGHTS
        num_judges = len(folds) if is_small else 1
        judge = _Judge(rows, folds[:num_judges])
        best, first = lowest(judge.judged, strengths), judge.starts[0]
        if others := folds[num_judges:]:
            log_probs = best.log_probs
            for fold in others:
                # from where another fold's fit ended, it would have seen what it is to judge
                log_probs = log_probs + _Judge(rows, [fold]).judged(best.strength).log_probs
            best = Judged(best.strength, rows.log_loss(log_probs, _judged_rows(folds)), log_probs)
    if start:
        first = np.vstack([start.weights, start.bias]).astype(np.float32)
    both = rows.fit(learnt, best.strength, first)
    return LinearFit(both[:-1], both[-1], best.strength, best.log_probs, best.log_loss)


def _judged_rows(folds: Sequence[Fold]) -> np.ndarray:
    return np.concatenate([judged for _, judged in folds])


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
    """Fits on folds, each time from where the fold's fit of the strength before ended."""

    def __init__(self, rows: "LinearRows", folds: Sequence[Fold]) -> None:
        self._rows, self._folds = rows, folds
        self.starts: list[np.ndarray | None] = [None] * len(folds)

    def judged(self, strength: float) -> Judged:
        log_probs = self._rows.nothing()
        for place, (fit_on, judge_on) in enumerate(self._folds):
            both = self._rows.fit(fit_on, strength, self.starts[place])
            self.starts[place] = both
            log_probs += self._rows.log_probs(both, judge_on)
        return Judged(
            strength, self._rows.log_loss(log_probs, _judged_rows(self._folds)), log_probs
        )


class LinearRows:
    """Fits classifiers on any of N rows, and tells what they say of all."""

    def __init__(
        self,
        rows: RowBlocks,
        labels: np.ndarray,
        num_classes: int,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Bind rows to their labels.

        Args:
            labels: (N,) class ids; of rows that no fit learns from, any number.
            tick: called at each step; may raise to stop the fit.
        """
        self._blocks, self._width = rows.blocks, rows.width
        self._rows, self._labels, self._num_classes = rows, labels, num_classes
        self._tick = tick

    def fit(
        self, learnt: np.ndarray, strength: float, start: np.ndarray | None = None
    ) -> np.ndarray:
        """Return (D + 1, K) float32 weights, the last row the bias.

        Args:
            learnt: numbers of the rows to learn from.
            strength: weight of the data against the weights' squares.
            start: weights to begin with.
        """
        is_learnt = np.zeros(len(self._labels), bool)
        is_learnt[learnt] = True
        pull = 1 / (strength * len(learnt))
        if start is None:
            start = np.zeros((self._width + 1, self._num_classes), np.float32)
        else:  # a class without a product there may have some here
            start = np.vstack([start[:-1], np.where(start[-1] == UNSEEN_LOGIT, 0, start[-1])])
        of_weights = self._rows.preconditioner(_CURVATURE, pull)

        def precondition(gradient: np.ndarray) -> np.ndarray:
            way = np.empty_like(gradient)
            way[:-1], way[-1] = of_weights(gradient[:-1]), gradient[-1] / np.float32(_CURVATURE)
            return way

        def objective(both: np.ndarray) -> tuple[float, np.ndarray]:
            self._tick()
            value, gradient = self._loss(both, is_learnt, len(learnt))
            weights = torch.from_numpy(both[:-1])
            torch.from_numpy(gradient[:-1]).add_(weights, alpha=pull)
            return value + pull / 2 * float(weights.square().sum()), gradient

        both = minimise(objective, start, precondition, LIMITS)
        is_unseen = np.bincount(self._labels[learnt], minlength=self._num_classes) == 0
        both[:-1, is_unseen], both[-1, is_unseen] = 0, UNSEEN_LOGIT
        return both

    @property
    def is_dense(self) -> bool:
        return self._rows.is_dense

    @property
    def num_weights(self) -> int:
        """Return D * K."""
        return self._width * self._num_classes

    @property
    def cost(self) -> float:
        """Return about how many multiplications a pass over all rows takes."""
        return self._rows.num_entries * self._num_classes

    def nothing(self) -> np.ndarray:
        """Return (N, K) zeros: what nobody has said."""
        return np.zeros((len(self._labels), self._num_classes), np.float32)

    def log_loss(self, log_probs: np.ndarray, judged: np.ndarray) -> float:
        """Return the mean loss of some rows."""
        return -float(log_probs[judged, self._labels[judged]].mean())

    def log_probs(self, both: np.ndarray, judged: np.ndarray) -> np.ndarray:
        """Return (N, K) float32 of log-probabilities, 0 for rows that are not to be judged.

        Args:
            both: (D + 1, K) weights and bias.
            judged: numbers of the rows.
        """
        found = self.nothing()
        is_judged = np.zeros(len(self._labels), bool)
        is_judged[judged] = True

        for block in self._blocks:
            if is_judged[block.rows].any():
                logits = block.read().times(both[:-1]) + both[-1]
                found[block.rows] = log_softmax(logits, axis=1)
        found[~is_judged] = 0
        return found

    def _loss(
        self, both: np.ndarray, is_learnt: np.ndarray, num_learnt: int
    ) -> tuple[float, np.ndarray]:
        """Return the mean loss of the rows to learn from, and its (D + 1, K) gradient."""
        total, gradient = 0.0, np.zeros_like(both)
        for block in self._blocks:
            rows = is_learnt[block.rows]
            if not rows.any():
                continue
            matrix = block.read()
            value, wrong = self._wrong(matrix.times(both[:-1]) + both[-1], block, rows)
            total += value
            wrong /= num_learnt
            gradient[:-1] += matrix.transposed_times(wrong)
            gradient[-1] += wrong.sum(axis=0)
        return total / num_learnt, gradient

    def _wrong(
        self, logits: np.ndarray, block: Block, is_learnt: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Return the sum of the losses of a block, and (n, K) probabilities minus the truth."""
        log_probs = log_softmax(logits, axis=1)
        rows = np.flatnonzero(is_learnt)
        truth = self._labels[block.rows][rows]
        value = -float(log_probs[rows, truth].sum(dtype=np.float64))
        wrong = np.exp(log_probs)
        wrong[rows, truth] -= 1
        wrong[~is_learnt] = 0
        return value, wrong
