"""Which products a person should look at first: pure functions over probabilities.

Every score is one number a product, larger = look sooner, except the margin (smaller = less sure).
All lie between 0 and 1, whatever the number of classes, so that screens may show them side by
side. N products, K classes.
"""

import numpy as np

# one tower alone is half the evidence: both must be a good deal surer to rank behind it
LONE_TOWER_WEIGHT = 0.5


def margins(probs: np.ndarray) -> np.ndarray:
    """Return (N,) first minus second probability: 0 is undecided, 1 is sure.

    Args:
        probs: (N, K), rows summing to 1; a model of one class is always sure.
    """
    if probs.shape[1] < 2:
        return np.ones(len(probs))
    second, first = np.partition(probs.astype(np.float64), -2, axis=1)[:, -2:].T
    return np.clip(first - second, 0.0, 1.0)


def entropies(probs: np.ndarray) -> np.ndarray:
    """Return (N,) entropy over its largest possible value: 0 is sure, 1 knows nothing.

    Args:
        probs: (N, K), rows summing to 1.
    """
    if probs.shape[1] < 2:
        return np.zeros(len(probs))
    return np.clip(_nats(probs) / np.log(probs.shape[1]), 0.0, 1.0)


def disagreements(text: np.ndarray, image: np.ndarray, has_both: np.ndarray) -> np.ndarray:
    """Return (N,) Jensen-Shannon divergence in bits between two towers' answers.

    0 where they say the same, 1 where both are sure of different classes; two towers that are both
    unsure differ little, however different their first guesses: they don't contradict each other.

    Args:
        text, image: (N, K), rows summing to 1; a row of a missing modality may hold zeros.
        has_both: (N,) bool; without both there is nothing to compare: 0.
    """
    text, image = text.astype(np.float64), image.astype(np.float64)
    bits = (_nats((text + image) / 2) - (_nats(text) + _nats(image)) / 2) / np.log(2)
    return np.where(has_both, np.clip(bits, 0.0, 1.0), 0.0)


def suspicions(
    text: np.ndarray,
    image: np.ndarray,
    labels: np.ndarray,
    has_text: np.ndarray,
    has_image: np.ndarray,
) -> np.ndarray:
    """Return (N,) how confidently the towers oppose the label that a product has.

    A tower opposes by how much more it believes in its best other class than in the label. Both
    towers must oppose: the weaker of the two counts, so one that finds the label right clears it.
    A product with one modality counts LONE_TOWER_WEIGHT of what that one says.

    Args:
        text, image: (N, K), rows summing to 1; a row of a missing modality may hold zeros.
        labels: (N,) class ids, -1 without a label (or with one the model doesn't know): 0.
        has_text, has_image: (N,) bool, which modalities a product has.
    """
    by_text, by_image = _oppositions(text, labels), _oppositions(image, labels)
    lone = LONE_TOWER_WEIGHT * np.where(has_text, by_text, np.where(has_image, by_image, 0.0))
    both = np.minimum(by_text, by_image)
    return np.where(labels >= 0, np.where(has_text & has_image, both, lone), 0.0)


def _oppositions(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return (N,) p(best other class) - p(label), 0 where the label is the best class."""
    rows = np.arange(len(probs))
    probs = probs.astype(np.float64)
    of_label = probs[rows, labels]
    # the label itself may be the best class; the difference is 0 then
    return np.clip(probs.max(axis=1, initial=0.0) - of_label, 0.0, 1.0)


def _nats(probs: np.ndarray) -> np.ndarray:
    """Return (N,) entropy in nats; 0 log 0 is 0."""
    probs = probs.astype(np.float64)
    return -(probs * np.log(probs, out=np.zeros_like(probs), where=probs > 0)).sum(axis=1)
