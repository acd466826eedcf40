"""What a new network takes over from an earlier one: word by word, class by class.

The towers' layers are the same in both; only the rows of the last layers belong to classes, which
may have come, gone or changed places since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from mmcore.encoders import Encoder, TextEncoder
from mmcore.fusion import FusionClassifier
from mmcore.linear import LinearHead
from mmcore.linear_fit import LinearStart
from mmcore.text import VOCABULARY_WORDS, Vocabulary, build_vocabulary


@dataclass(frozen=True)
class KeptClasses:
    """The classes that both networks tell apart, and where each has them.

    Attributes:
        old, new: (S,) class ids of the same classes.
        num_new: K of the new network.
    """

    old: np.ndarray
    new: np.ndarray
    num_new: int


def kept_classes(old_codes: Sequence[str], new_codes: Sequence[str]) -> KeptClasses:
    """Return which classes stay, by their codes: places and names may have changed."""
    places = {code: i for i, code in enumerate(old_codes)}
    pairs = [(places[code], i) for i, code in enumerate(new_codes) if code in places]
    old, new = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return KeptClasses(old, new, len(new_codes))


def carry_encoder(old: Encoder, train: pd.DataFrame) -> Encoder:
    """Return the earlier encoder: what a network has learnt holds for its inputs alone.

    A vocabulary with room left is extended by the words that are new in the train texts: known
    words keep their ids, and the embedding rows of the others were never trained.
    """
    if not isinstance(old, TextEncoder):
        return old
    words = old.vocabulary.words
    found = build_vocabulary(text for column in old.columns for text in train[column]).words
    added = [word for word in found if word not in old.vocabulary.ids]
    vocabulary = Vocabulary((*words, *added[: max(0, VOCABULARY_WORDS - len(words))]))
    return replace(old, vocabulary=vocabulary, ngrams=None)  # n-grams are counted anew


@torch.no_grad()
def carry_weights(old: FusionClassifier, new: FusionClassifier, kept: KeptClasses) -> None:
    """Put the earlier network's weights into a new one; rows of new classes stay as drawn.

    Args:
        old, new: networks of the same modalities; linear heads are not looked at.
    """
    own = set(new.state_dict()) - _class_names(new)
    new.load_state_dict({k: t for k, t in old.state_dict().items() if k in own}, strict=False)
    for before, after in zip(_class_layers(old), _class_layers(new), strict=True):
        after.weight[kept.new] = before.weight[kept.old]
        after.bias[kept.new] = before.bias[kept.old]


def _class_layers(model: FusionClassifier) -> list[nn.Linear]:
    """Return the layers whose rows are classes."""
    return [*model.heads.values(), model.fusion[-1]]


def _class_names(model: FusionClassifier) -> set[str]:
    layers = {id(layer) for layer in _class_layers(model)}
    found = [name for name, module in model.named_modules() if id(module) in layers]
    return {f"{name}.{kind}" for name in found for kind in ("weight", "bias")}


def linear_starts(
    old: FusionClassifier,
    old_encoders: Mapping[str, Encoder],
    new_encoders: Mapping[str, Encoder],
    kept: KeptClasses,
) -> dict[str, LinearStart]:
    """Return modality -> what the fit of its linear head begins with."""
    starts = {}
    for name, head in dict(old.linear.items()).items():
        if not head.is_sparse:
            rows = np.arange(len(head.weight))
            starts[name] = _linear_start(head, rows, rows, len(rows), kept)
            continue
        before, after = old_encoders[name].ngrams.hashes, new_encoders[name].ngrams.hashes
        _, from_rows, to_rows = np.intersect1d(before, after, True, return_indices=True)
        starts[name] = _linear_start(head, from_rows, to_rows, len(after), kept)
    return starts


def _linear_start(
    head: LinearHead, from_rows: np.ndarray, to_rows: np.ndarray, width: int, kept: KeptClasses
) -> LinearStart:
    """Return a head's weights with features and classes in their new places, 0 where new."""
    weights = np.zeros((width, kept.num_new), np.float32)
    weights[np.ix_(to_rows, kept.new)] = head.weight.cpu().numpy()[np.ix_(from_rows, kept.old)]
    bias = np.zeros(kept.num_new, np.float32)
    bias[kept.new] = head.bias.cpu().numpy()[kept.old]
    return LinearStart(weights, bias, head.strength)
