"""The linear classifier of `linear_fit.py` for many products: the same optimum, blocks of rows.

Fitted until the loss hardly falls any more, and not to the last digit: on catalogues of 1,000,
3,000 and 5,000 products the log-loss of what a fit hadn't seen was at most 2% above that of an
exact one, mostly below it (`benchmarks/linear_many.py`). Nothing is copied, whatever the folds:
rows that a fit doesn't learn from weigh nothing.

N rows, D features, K classes.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.special import log_softmax

from mmcore.lbfgs import Limits, minimise
from mmcore.linear_fit import (
    STRENGTHS,
    UNSEEN_LOGIT,
    Fold,
    Judged,
    LinearFit,
    LinearStart,
    lowest,
)
from mmcore.row_blocks import Block, RowBlocks

LIMITS = Limits(max_iterations=60, tolerance=3e-4)
# of the mean loss by a class's logits: p (1 - p), which lies between 0 and a quarter
_CURVATURE = 0.05


def fit_many(
    rows: "ManyRows",
    learnt: np.ndarray,
    folds: Sequence[Fold],
    start: LinearStart | None = None,
) -> LinearFit:
    """Return the classifier fitted on many rows, with the strength that judged best on one fold.

    Of so many products one fold is as good a judge of the strength as all of them are.

    Args:
        learnt: numbers of the rows to learn from; the others may hold anything.
        folds: from `make_folds`, in numbers of the rows; without any the middle strength is taken.
        start: of an earlier classifier, as for `fit_linear`.
    """
    strengths = (start.strength,) if start and start.strength else STRENGTHS
    first = None
    if start:
        first = np.vstack([start.weights, start.bias]).astype(np.float32)
    best = Judged(strengths[len(strengths) // 2], np.inf, rows.nothing())
    if folds:
        judge = _FoldJudge(rows, folds[0])
        best = lowest(judge.judged, strengths)
        log_probs = best.log_probs
        for fold in folds[1:]:
            # from where the first fold's fit ended, it would have seen what it is to judge
            other = _FoldJudge(rows, fold).judged(best.strength)
            log_probs = log_probs + other.log_probs
        best = Judged(best.strength, rows.log_loss(log_probs, _judged_rows(folds)), log_probs)
        first = judge.last if first is None else first
    both = rows.fit(learnt, best.strength, first)
    return LinearFit(both[:-1], both[-1], best.strength, best.log_probs, best.log_loss)


def _judged_rows(folds: Sequence[Fold]) -> np.ndarray:
    return np.concatenate([judged for _, judged in folds])


class _FoldJudge:
    """Fits on one fold, each time from where the fit of the strength before ended."""

    def __init__(self, rows: "ManyRows", fold: Fold) -> None:
        self._rows = rows
        self._fit_on, self._judge_on = fold
        self.last: np.ndarray | None = None

    def judged(self, strength: float) -> Judged:
        self.last = self._rows.fit(self._fit_on, strength, self.last)
        log_probs = self._rows.log_probs(self.last, self._judge_on)
        return Judged(strength, self._rows.log_loss(log_probs, self._judge_on), log_probs)


class ManyRows:
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
            strength: weight of the data, see `linear_fit.py`.
            start: weights to begin with.
        """
        is_learnt = np.zeros(len(self._labels), bool)
        is_learnt[learnt] = True
        pull = 1 / (strength * len(learnt))
        if start is None:
            start = np.zeros((self._width + 1, self._num_classes), np.float32)
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
