"""How much of a difference between two models is luck of the test products: a paired bootstrap.

Whole groups of near-copies are drawn, with replacement: a product and its copies are one piece of
evidence. Both models are scored on the very same draws, so what is common to them cancels out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_DRAWS_A_PASS = 4_000_000  # group counts in memory at once: 32 MB


@dataclass(frozen=True)
class PairedAnswers:
    """What two models say about the same N labelled products, in C classes.

    Attributes:
        labels: (N,) ids from 0 to C - 1.
        before, after: (N,) ids; -1 where a model has no answer, which is wrong.
        groups: (N,) anything that is equal for near-copies.
    """

    labels: np.ndarray
    before: np.ndarray
    after: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True)
class Interval:
    """A score and where it would lie on other test products of the same kind."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedScores:
    """Macro-F1 of two models and of their difference (after minus before)."""

    before: Interval
    after: Interval
    difference: Interval
    num_products: int
    num_groups: int


def paired_macro_f1(
    answers: PairedAnswers,
    draws: np.random.Generator,
    resamples: int = 1_000,
    confidence: float = 0.95,
) -> PairedScores:
    """Return macro-F1 before and after, and their difference, with percentile intervals.

    Args:
        answers: of at least one product.
        draws: the stream that resampling takes its numbers from.
    """
    groups, places = np.unique(answers.groups, return_inverse=True)
    num_classes = int(max(answers.labels.max(), answers.before.max(), answers.after.max())) + 1
    tallies = [
        _tally(answers.labels, predicted, places, (len(groups), num_classes))
        for predicted in (answers.before, answers.after)
    ]
    once = np.ones((1, len(groups)))
    before, after = (_macro_f1(once, tally)[0] for tally in tallies)
    scores = np.concatenate(
        [
            np.stack([_macro_f1(counts, tally) for tally in tallies])
            for counts in _resampled(draws, len(groups), resamples)
        ],
        axis=1,
    )  # (2, resamples)
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]

    def interval(value: float, drawn: np.ndarray) -> Interval:
        low, high = np.quantile(drawn, ends)
        return Interval(float(value), float(low), float(high))

    return PairedScores(
        interval(before, scores[0]),
        interval(after, scores[1]),
        interval(after - before, scores[1] - scores[0]),
        len(answers.labels),
        len(groups),
    )


def _tally(
    labels: np.ndarray, predicted: np.ndarray, places: np.ndarray, shape: tuple[int, int]
) -> "tuple[csr_matrix, csr_matrix, csr_matrix]":
    """Return what each group adds to (right, predicted, labelled) of each class, (G, C) each."""
    from scipy.sparse import csr_matrix  # a quarter of a second that screens do without

    has_answer, is_right = predicted >= 0, predicted == labels

    def counted(rows: np.ndarray, columns: np.ndarray) -> csr_matrix:
        return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)

    return (
        counted(places[is_right], labels[is_right]),
        counted(places[has_answer], predicted[has_answer]),
        counted(places, labels),
    )


def _macro_f1(counts: np.ndarray, tally: "tuple[csr_matrix, ...]") -> np.ndarray:
    """Return (R,) macro-F1 of R draws over the classes that occur among the labels drawn.

    Args:
        counts: (R, G), how often each group was drawn.
    """
    right, predicted, labelled = (counts @ part for part in tally)  # (R, C) each
    occurs = labelled > 0
    f1 = 2 * right / np.maximum(predicted + labelled, 1)
    return (f1 * occurs).sum(axis=1) / occurs.sum(axis=1)


def _resampled(draws: np.random.Generator, num_groups: int, resamples: int) -> Iterator[np.ndarray]:
    """Yield (R, G) counts of groups drawn with replacement, `resamples` rows in all."""
    size = max(1, _DRAWS_A_PASS // num_groups)
    for start in range(0, resamples, size):
        num = min(size, resamples - start)
        drawn = draws.integers(0, num_groups, (num, num_groups))
        drawn += np.arange(num)[:, None] * num_groups
        counts = np.bincount(drawn.ravel(), minlength=num * num_groups)
        yield counts.reshape(num, num_groups).astype(np.float64)
