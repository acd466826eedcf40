"""Labels checked by models that haven't seen them.

A network learns its wrong labels by heart: on a drawn catalogue with 4% planted wrong labels the
towers opposed all of those on products they hadn't been trained on, and 7% of the others. So the
labelled products are split into folds, and each is judged by linear models fitted on the other
folds: of n-grams of the text, and of frozen features of the photo. That takes seconds, not a
training run, and finds them among all products alike (`benchmarks/suspects.py`).

N products, K classes, D features. A class id is -1 without a label.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

from mmcore.scoring import suspicions

FOLDS = 5
MIN_OF_CLASS = 3  # products that the other folds must have of a class to know what it looks like
CHUNK = 4_096  # photos whose features are in memory at once
RIDGE = 0.3  # on features of length 1
SHARPNESS = 10.0  # from ridge scores, about 0 to 1, to logits
NUM_WORDS = 60  # of a text that count, as in the text tower
NUM_HASHED = 2**18
DECAY = 1e-5  # of the text model's weights


class PhotoFeatures(Protocol):
    """Where the frozen features of photos come from; `features.FeatureCache` is one."""

    def __contains__(self, key: str) -> bool: ...

    def gather(self, keys: Sequence[str]) -> np.ndarray:
        """Return (N, D)."""


def cross_checked_suspicions(
    titles: Sequence[str],
    descriptions: Sequence[str],
    photos: Sequence[str],
    labels: np.ndarray,
    groups: Sequence[str],
    features: PhotoFeatures | None = None,
) -> np.ndarray:
    """Return (N,) suspicion of each label, from 0 to 1, as `scoring.suspicions` reckons it.

    A label that the other folds hardly know (fewer than MIN_OF_CLASS products) isn't suspect.

    Args:
        photos: keys into `features`; one that isn't there counts as no photo.
        labels: (N,) class ids, -1 where there is none.
        groups: near-copies have one group; they share a fold, or a copy would give it away.
        features: None where there are none of any photo.
    """
    folds = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1] % FOLDS
    texts = [_shortened(*pair) for pair in zip(titles, descriptions, strict=True)]
    has_text = np.array([bool(text) for text in texts], dtype=bool)
    has_image = np.array([features is not None and key in features for key in photos], dtype=bool)
    num_classes = int(labels.max(initial=-1)) + 1
    text = held_out_by_text(texts, np.where(has_text, labels, -1), folds, num_classes)
    image = np.zeros_like(text)
    if has_image.any():
        of_photo = np.where(has_image, labels, -1)
        image = held_out_by_photo(photos, features, of_photo, folds, num_classes)
    judged = np.where(_is_known_elsewhere(labels, folds), labels, -1)
    return suspicions(text, image, judged, has_text, has_image)


def held_out_by_text(
    texts: Sequence[str], labels: np.ndarray, folds: np.ndarray, num_classes: int
) -> np.ndarray:
    """Return (N, K) probabilities from models of the other folds; 0 where the label is -1."""
    probs = np.zeros((len(texts), num_classes))
    rows = _ngrams(texts)
    for fit, judged in _splits(labels, folds):
        # few passes are enough of many products
        epochs = int(np.clip(1e6 / len(fit), 5, 20))
        model = SGDClassifier(
            loss="log_loss", alpha=DECAY, max_iter=epochs, tol=None, random_state=0
        )
        model.fit(rows[fit], labels[fit])
        probs[np.ix_(judged, model.classes_)] = _two_or_more(model.predict_proba(rows[judged]))
    return probs


def held_out_by_photo(
    photos: Sequence[str],
    features: PhotoFeatures,
    labels: np.ndarray,
    folds: np.ndarray,
    num_classes: int,
) -> np.ndarray:
    """Return (N, K) probabilities from models of the other folds; 0 where the label is -1.

    Ridge regression onto the classes: its sums add up over products, so each fold's model is that
    of all products minus the fold's own, and the features are read twice, in chunks.
    """
    known = np.flatnonzero(labels >= 0)
    if not len(known):
        return np.zeros((len(photos), num_classes))
    sums = [_Sums.empty(features, photos[known[0]], num_classes) for _ in range(FOLDS)]
    for fold in range(FOLDS):
        for chunk in _chunks(known[folds[known] == fold]):
            sums[fold].add(_unit(features, photos, chunk), labels[chunk])
    probs = np.zeros((len(photos), num_classes))
    for fold in range(FOLDS):
        weights = _Sums.of_others(sums, fold).solved()
        for chunk in _chunks(known[folds[known] == fold]):
            scores = _unit(features, photos, chunk) @ weights
            probs[chunk] = softmax(SHARPNESS * scores, axis=1)
    return probs


class _Sums:
    """What ridge regression needs to know of some products."""

    def __init__(self, gram: np.ndarray, hits: np.ndarray) -> None:
        self.gram, self.hits = gram, hits  # (D, D), (D, K)

    @classmethod
    def empty(cls, features: PhotoFeatures, photo: str, num_classes: int) -> "_Sums":
        width = features.gather([photo]).shape[1] + 1
        return cls(np.zeros((width, width)), np.zeros((width, num_classes)))

    @classmethod
    def of_others(cls, sums: Sequence["_Sums"], fold: int) -> "_Sums":
        others = [part for i, part in enumerate(sums) if i != fold]
        return cls(sum(part.gram for part in others), sum(part.hits for part in others))

    def add(self, rows: np.ndarray, labels: np.ndarray) -> None:
        self.gram += rows.T @ rows
        self.hits += rows.T @ np.eye(self.hits.shape[1], dtype=rows.dtype)[labels]

    def solved(self) -> np.ndarray:
        return np.linalg.solve(self.gram + RIDGE * np.eye(len(self.gram)), self.hits)


def _unit(features: PhotoFeatures, photos: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Return (n, D + 1) features of length 1, and a 1 for the constant."""
    found = features.gather([photos[i] for i in rows]).astype(np.float32)
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
    return np.hstack([found, np.ones((len(rows), 1), np.float32)])


def _splits(labels: np.ndarray, folds: np.ndarray):
    """Yield (rows to fit on, rows to judge) of each fold that can be judged by others."""
    for fold in range(FOLDS):
        fit = np.flatnonzero((labels >= 0) & (folds != fold))
        judged = np.flatnonzero((labels >= 0) & (folds == fold))
        if len(judged) and len(np.unique(labels[fit])) > 1:
            yield fit, judged


def _two_or_more(probs: np.ndarray) -> np.ndarray:
    """Return probabilities that are finite: a text that no class wants fits all alike."""
    return np.where(np.isfinite(probs), probs, 1 / probs.shape[1])


def _is_known_elsewhere(labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return (N,) True where the other folds have enough products of a product's class."""
    if not (labels >= 0).any():
        return np.zeros(len(labels), dtype=bool)
    counts = np.zeros((labels.max() + 1, FOLDS), dtype=int)
    np.add.at(counts, (labels[labels >= 0], folds[labels >= 0]), 1)
    elsewhere = counts.sum(axis=1, keepdims=True) - counts
    return (labels >= 0) & (elsewhere[labels, folds] >= MIN_OF_CLASS)


def _shortened(title: str, description: str) -> str:
    return " ".join(f"{title} {description}".lower().split()[:NUM_WORDS])


def _ngrams(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return (N, D) hashed n-grams of words and of letters."""
    words = HashingVectorizer(ngram_range=(1, 2), n_features=NUM_HASHED, dtype=np.float32)
    letters = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=NUM_HASHED, dtype=np.float32
    )
    both = [model.transform(texts) for model in (words, letters)] if len(texts) else []
    return sparse.hstack(both, format="csr") if both else sparse.csr_matrix((0, 1))


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
