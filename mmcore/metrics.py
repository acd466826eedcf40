"""How good predictions are: pure functions over arrays. N products, K classes.

scikit-learn is imported by the functions: it takes half a second, and screens that only name these
measures do without.
"""

from dataclasses import dataclass

import numpy as np

ECE_BINS = 15


@dataclass(frozen=True)
class ClassScore:
    """One class's row of the report."""

    label: str
    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True)
class Scores:
    """Scores of one view (text, image, fused, ...) on one split."""

    n: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    ece: float

    def to_json(self) -> dict:
        return {
            "macro_f1": self.macro_f1,
            "weighted_f1": self.weighted_f1,
            "accuracy": self.accuracy,
            "ece": self.ece,
            "n": self.n,
        }


def score(labels: np.ndarray, probs: np.ndarray) -> Scores:
    """Return the scores of probabilities against labels.

    Args:
        labels: (N,) class ids, N >= 1.
        probs: (N, K), rows summing to 1.
    """
    from sklearn.metrics import accuracy_score, f1_score

    predicted = probs.argmax(axis=1)
    return Scores(
        n=len(labels),
        accuracy=float(accuracy_score(labels, predicted)),
        macro_f1=macro_f1(labels, predicted),
        weighted_f1=float(f1_score(labels, predicted, average="weighted", zero_division=0)),
        ece=expected_calibration_error(labels, probs),
    )


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean F1 over the classes that occur among the labels.

    A class without a product in this split can't be right and would count as 0. scikit-learn's
    answer, in a thirtieth of the time: an epoch of training asks several times.

    Args:
        labels: (N,) class ids, N >= 1.
        predicted: (N,) class ids.
    """
    # a prediction may be a class that no label has, or none at all (-1)
    codes, ids = np.unique(np.stack([labels, predicted]), return_inverse=True)
    asked, given = ids.reshape(2, -1)
    counts = [np.bincount(i, minlength=len(codes)) for i in (asked, given, asked[asked == given])]
    present = counts[0] > 0
    return float((2 * counts[2][present] / (counts[0] + counts[1])[present]).mean())


def expected_calibration_error(
    labels: np.ndarray, probs: np.ndarray, bins: int = ECE_BINS
) -> float:
    """Return the mean gap between confidence and accuracy, 0 (honest) to 1.

    Equal-width bins of the top probability, weighted by their products
    (Guo et al. 2017, https://arxiv.org/abs/1706.04599).
    """
    confidence = probs.max(axis=1).astype(np.float64)
    is_right = probs.argmax(axis=1) == labels
    # bins are (low, high]: a probability of exactly 1 belongs to the last one
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(places, weights=is_right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def class_report(labels: np.ndarray, predicted: np.ndarray, names: list[str]) -> list[ClassScore]:
    """Return a row a class, in class order; a class without products has n = 0."""
    from sklearn.metrics import precision_recall_fscore_support as class_scores

    ids = np.arange(len(names))
    rows = class_scores(labels, predicted, labels=ids, zero_division=0)
    return [
        ClassScore(name, float(p), float(r), float(f), int(n))
        for name, p, r, f, n in zip(names, *rows, strict=True)
    ]


def confusion(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Return (K, K) counts: row = label, column = predicted."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(labels, predicted, labels=np.arange(num_classes))
