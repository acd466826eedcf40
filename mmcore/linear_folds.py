"""Folds of labelled products: each judges what was fitted on the others."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from mmcore.seeds import stream_seed

NUM_FOLDS = 5
MAX_FOLDED = 20_000  # products; beyond, val alone judges: it is large, and five fits are slow

Fold = tuple[np.ndarray, np.ndarray]  # rows to fit on, rows to judge


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
