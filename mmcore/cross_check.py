"""Labels checked by models that haven't seen them.

A network learns its wrong labels by heart: on a drawn catalogue with 4% planted wrong labels the
towers opposed all of those on products they hadn't been trained on, and 7% of the others. So the
labelled products are split into folds, and each is judged by linear models fitted on the other
folds: of n-grams of the text, and of frozen features of the photo. That takes seconds, not a
training run, and finds them among all products alike (`benchmarks/suspects.py`).

N products, K classes, D features. A class id is -1 without a label.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from mmcore.linear_fit import LIMITS, LinearRows
from mmcore.ngrams import counted_by_word
from mmcore.row_blocks import SparseBlocks
from mmcore.scoring import suspicions
from mmcore.stored_rows import stored_rows

FOLDS = 5
MIN_OF_CLASS = 3  # products that the other folds must have of a class to know what it looks like
CHUNK = 4_096  # photos whose features are in memory at once
TEXT_CHUNK = 1_024  # texts a step: what somebody waits for who wants it to stop
RIDGE = 0.3  # on features of length 1
SHARPNESS = 10.0  # from ridge scores, about 0 to 1, to logits
NUM_WORDS = 60  # of a text that count, as in the text tower
NUM_HASHED = 2**18  # n-grams of words, and as many of letters, that are told apart
MAX_WEIGHTS = 2e7  # of them all times the classes: 80 MB, of which a fit holds some copies
STRENGTH = 10.0  # of the text model, see `linear_fit.py`


class PhotoFeatures(Protocol):
    """Where the frozen features of photos come from; `features.FeatureCache` is one."""

    def __contains__(self, key: str) -> bool: ...

    def gather(self, keys: Sequence[str]) -> np.ndarray:
        """Return (N, D)."""


@dataclass(frozen=True)
class Checked:
    """The products whose labels are checked, N of each.

    Attributes:
        photos: keys into the features; one that isn't there counts as no photo.
        labels: (N,) class ids, -1 where there is none.
        groups: near-copies have one group; they share a fold, or a copy would give it away.
    """

    titles: Sequence[str]
    descriptions: Sequence[str]
    photos: Sequence[str]
    labels: np.ndarray
    groups: Sequence[str]


class Steps:
    """Counts the work that is done, a step of a second or so at a time.

    Whoever watches may raise an error between two steps: nothing is kept of the check then.
    """

    def __init__(self, watch: Callable[[int, int], None] = lambda done, total: None) -> None:
        self._watch, self._done, self._total = watch, 0, 0

    def expect(self, units: int) -> None:
        """Take in how much there is to do."""
        self._total += units

    def through(self, rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
        """Yield the rows in pieces, telling before each how far the whole has come."""
        for start in range(0, len(rows), size):
            self._watch(self._done, self._total)
            piece = rows[start : start + size]
            yield piece
            self._done += len(piece)

    @contextmanager
    def up_to(self, times: int, units: int) -> Iterator[Callable[[], None]]:
        """Yield what is to be called before each of so many equal steps, or of fewer."""
        most = self._done + times * units

        def step() -> None:
            self._watch(self._done, self._total)
            self._done = min(self._done + units, most)

        yield step
        self._done = most

    def end(self) -> None:
        """Tell that all is done."""
        self._watch(self._total, self._total)


def cross_checked_suspicions(
    products: Checked, features: PhotoFeatures | None = None, steps: Steps | None = None
) -> np.ndarray:
    """Return (N,) suspicion of each label, from 0 to 1, as `scoring.suspicions` reckons it.

    A label that the other folds hardly know (fewer than MIN_OF_CLASS products) isn't suspect.

    Args:
        features: None where there are none of any photo.
        steps: tells how far it is, and may stop it.
    """
    labels, steps = products.labels, steps or Steps()
    folds = np.unique(np.asarray(products.groups, dtype=str), return_inverse=True)[1] % FOLDS
    pairs = zip(products.titles, products.descriptions, strict=True)
    texts = [_shortened(*pair) for pair in pairs]
    photos = products.photos
    has_text = np.array([bool(text) for text in texts], dtype=bool)
    has_image = np.array([features is not None and key in features for key in photos], dtype=bool)
    of_text, of_photo = np.where(has_text, labels, -1), np.where(has_image, labels, -1)
    steps.expect(2 * int((of_photo >= 0).sum()))
    num_classes = int(labels.max(initial=-1)) + 1
    text = held_out_by_text(texts, of_text, folds, num_classes, steps)
    image = np.zeros_like(text)
    if has_image.any():
        gather = _Gather(features, photos, steps)
        image = held_out_by_photo(gather, of_photo, folds, num_classes)
    steps.end()
    judged = np.where(_is_known_elsewhere(labels, folds), labels, -1)
    return suspicions(text, image, judged, has_text, has_image)


def held_out_by_text(
    texts: Sequence[str], labels: np.ndarray, folds: np.ndarray, num_classes: int, steps: Steps
) -> np.ndarray:
    """Return (N, K) probabilities from models of the other folds; 0 where the label is -1."""
    probs = np.zeros((len(texts), num_classes))
    splits = list(_splits(labels, folds))
    steps.expect(len(texts) + sum(LIMITS.max_iterations * len(fit) for fit, _ in splits))
    blocks = SparseBlocks([_ngrams(texts, steps, _num_hashed(num_classes))])
    for fit, judged in splits:
        with steps.up_to(LIMITS.max_iterations, len(fit)) as step:
            rows = LinearRows(blocks, labels, num_classes, step)
            log_probs = rows.log_probs(rows.fit(fit, STRENGTH), judged)
        probs[judged] = np.exp(log_probs[judged])
    return probs


def held_out_by_photo(
    gather: "_Gather", labels: np.ndarray, folds: np.ndarray, num_classes: int
) -> np.ndarray:
    """Return (N, K) probabilities by ridge regression on the other folds' features.

    What the regression needs of a set of products adds up over them, so that of the other folds is
    that of all products minus the fold's own, and the features are read twice, in chunks.
    """
    known = np.flatnonzero(labels >= 0)
    if not len(known):
        return np.zeros((len(labels), num_classes))
    sums = [_Sums.empty(gather.width(known[0]), num_classes) for _ in range(FOLDS)]
    for fold in range(FOLDS):
        for chunk, rows in gather.chunks(known[folds[known] == fold]):
            sums[fold].add(rows, labels[chunk])
    probs = np.zeros((len(labels), num_classes))
    for fold in range(FOLDS):
        weights = _Sums.of_others(sums, fold).solved()
        for chunk, rows in gather.chunks(known[folds[known] == fold]):
            probs[chunk] = softmax(SHARPNESS * (rows @ weights), axis=1)
    return probs


class _Gather:
    """Reads the features of photos in steps."""

    def __init__(self, features: PhotoFeatures, photos: Sequence[str], steps: Steps) -> None:
        self._features, self._photos, self._steps = features, photos, steps

    def chunks(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (products, their (n, D + 1) features of length 1, and a 1 for the constant)."""
        for chunk in self._steps.through(rows, CHUNK):
            found = self._features.gather([self._photos[i] for i in chunk]).astype(np.float32)
            found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
            yield chunk, np.hstack([found, np.ones((len(chunk), 1), np.float32)])

    def width(self, product: int) -> int:
        return self._features.gather([self._photos[product]]).shape[1] + 1


class _Sums:
    """What ridge regression needs to know of some products."""

    def __init__(self, gram: np.ndarray, hits: np.ndarray) -> None:
        self.gram, self.hits = gram, hits  # (D, D), (D, K)

    @classmethod
    def empty(cls, width: int, num_classes: int) -> "_Sums":
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


def _splits(labels: np.ndarray, folds: np.ndarray):
    """Yield (rows to fit on, rows to judge) of each fold that can be judged by others."""
    for fold in range(FOLDS):
        fit = np.flatnonzero((labels >= 0) & (folds != fold))
        judged = np.flatnonzero((labels >= 0) & (folds == fold))
        if len(judged) and len(np.unique(labels[fit])) > 1:
            yield fit, judged


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


def _num_hashed(num_classes: int) -> int:
    """Return how many n-grams are told apart where there are so many classes."""
    most = MAX_WEIGHTS / max(1, num_classes) / 2
    return min(NUM_HASHED, 2 ** int(np.log2(max(2, most))))


def _ngrams(texts: Sequence[str], steps: Steps, num_hashed: int = NUM_HASHED) -> sparse.csr_array:
    """Return (N, D) float32 of hashed n-grams of words and of letters, each of length 1.

    D counts the n-grams that occur: of a small shop a few of all there may be.
    """
    places = np.full(2 * num_hashed, -1, np.int32)  # of those seen so far

    def pieces() -> Iterator[sparse.csr_matrix]:
        for rows in steps.through(np.arange(len(texts)), TEXT_CHUNK):
            piece = _hashed([texts[i] for i in rows], num_hashed)
            new = np.unique(piece.indices[places[piece.indices] < 0])
            places[new] = places.max() + 1 + np.arange(len(new))
            piece.indices = places[piece.indices]
            yield piece

    rows = stored_rows(pieces(), len(places))
    shape = (len(texts), max(1, int(places.max()) + 1))
    return sparse.csr_array((rows.data, rows.indices, rows.indptr), shape=shape)


def _hashed(texts: Sequence[str], num_hashed: int) -> sparse.csr_matrix:
    """Return (n, 2 * num_hashed): n-grams of words beside those of letters."""
    shared = {"n_features": num_hashed, "norm": None, "dtype": np.float32}
    words = HashingVectorizer(ngram_range=(1, 2), **shared)
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)
    counted = (words.transform(texts), counted_by_word(letters, texts))
    parts = [normalize(rows, copy=False) for rows in counted]
    return sparse.hstack(parts, format="csr", dtype=np.float32)
