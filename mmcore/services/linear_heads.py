"""Linear heads of a run: fitted on train and val together, judged on folds they did not see.

The network needs val to stop by; a linear head doesn't: its one constant is chosen on folds. So it
learns from a third more products, and says of each what it would say of a new one.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from scipy import sparse

from mmcore.batches import EncodedProducts, concatenate
from mmcore.config import linear_source
from mmcore.fusion import FusionClassifier
from mmcore.linear import LinearHead
from mmcore.linear_fit import LinearFit, LinearRows, LinearStart, fit_linear
from mmcore.linear_folds import make_folds
from mmcore.row_blocks import DenseBlocks, RowBlocks, SparseBlocks
from mmcore.services.assembly import Assembly
from mmcore.services.stopping import stop_if_asked
from mmcore.views import FoldDecisions

PIECE = 4_096  # products whose features are in memory at once


@dataclass(frozen=True)
class LinearResult:
    """One linear head has been fitted."""

    modality: str
    done: int
    total: int
    strength: float
    log_loss: float  # on folds that it did not see


class DenseFeatures(Protocol):
    """(N, D) float32, perhaps read only when they are asked for; an array is some."""

    shape: tuple[int, int]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class LinearData:
    """What the linear heads learn from.

    Attributes:
        products: of train and val, without n-grams.
        is_val: (N,) bool.
        groups: N group ids.
        ngrams: text modality -> sparse rows, of train, then of val: together they would be a copy.
        dense: modality -> ((N, D) features, (N,) bool: the product has them), e.g. of photos.
        starts: modality -> what an earlier head of the same features leaves to this one.
    """

    products: EncodedProducts
    is_val: np.ndarray
    groups: Sequence[str]
    ngrams: Mapping[str, Sequence[sparse.csr_array]]
    dense: Mapping[str, tuple[DenseFeatures, np.ndarray]]
    starts: Mapping[str, LinearStart] = field(default_factory=dict)


def fit_linear_heads(
    parts: Assembly, best_phase: int, should_stop: Callable[[], bool]
) -> "Generator[LinearResult, None, LinearHeads | None]":
    """Yield after each linear head that was fitted beside a trained network and put into it.

    The generator's result is all of them, None where the configuration has none.

    Args:
        best_phase: the phase, from 0, whose weights the network ended with.

    Raises:
        TrainingInterrupted: if asked to stop.
    """
    if not parts.config.model.linear_heads:
        return None
    heads = LinearHeads(_linear_data(parts, best_phase), len(parts.codes), parts.config.seed)
    yield from heads.fit(lambda: stop_if_asked(should_stop, "while it fitted heads"))
    heads.put_into(parts.model, parts.device)
    return heads


def _linear_data(parts: Assembly, best_phase: int) -> LinearData:
    model, sides = parts.config.model, [parts.products["train"], parts.products["val"]]
    learnt = concatenate([replace(side, ngrams={}) for side in sides])
    ngrams = {name: [side.ngrams[name] for side in sides] for name in sides[0].ngrams}
    dense = {
        m.name: (learnt.inputs[m.name], learnt.present[m.name])
        for m in model.modalities
        if m.kind == "tabular"
    }
    phases = parts.config.phases[: best_phase + 1]
    is_tuned = parts.inherited.has_tuned_backbone or any(
        p.train_backbone and p.epochs for p in phases
    )
    if parts.images.backbone and not is_tuned:
        # features of a backbone tuned on train would flatter themselves there
        dense[model.image_name] = parts.images.features(learnt)
    is_val = np.repeat([False, True], [len(side) for side in sides])
    groups = list(parts.selection.learnt["group_id"])
    return LinearData(learnt, is_val, groups, ngrams, dense, parts.inherited.linear_starts)


class LinearHeads:
    """Fits the heads of one run, one after the other."""

    def __init__(self, data: LinearData, num_classes: int, seed: int) -> None:
        self.heads: dict[str, LinearHead] = {}
        self.unseen: dict[str, np.ndarray] = {}  # source -> (N, K), see LinearFit.out_of_fold
        self._data = data
        self._num_classes = num_classes
        self._seed = seed

    def fit(self, tick: Callable[[], None]) -> Iterator[LinearResult]:
        """Fit every head there is something to fit on, yielding after each.

        Args:
            tick: called often; may raise to stop.
        """
        products, names = self._data.products, self._names()
        for done, name in enumerate(names, start=1):
            is_sparse = name in self._data.ngrams
            has = products.present[name] if is_sparse else self._data.dense[name][1]
            rows = np.flatnonzero(has & (products.labels >= 0))
            if len(set(products.labels[rows])) < 2:
                continue  # nothing to tell apart
            head = self._empty_head(name)
            found = self._fit_one(name, head, rows, tick)
            head.strength = found.strength
            head.weight.copy_(torch.from_numpy(found.weights))
            head.bias.copy_(torch.from_numpy(found.bias))
            self.unseen[linear_source(name)] = found.out_of_fold
            self.heads[name] = head
            yield LinearResult(name, done, len(names), found.strength, found.log_loss)

    def put_into(self, model: FusionClassifier, device: torch.device) -> None:
        """Give the network its heads."""
        for name, head in self.heads.items():
            model.linear[name] = head.to(device)

    def of_folds(self) -> FoldDecisions:
        """Return what every head said of products it had not seen, for the combiner."""
        return FoldDecisions(self._data.products.labels, self.unseen)

    def of_val(self) -> dict[str, np.ndarray]:
        """Return source -> (V, K) log-probabilities of the val products by folds without them."""
        return {source: rows[self._data.is_val] for source, rows in self.unseen.items()}

    def _names(self) -> list[str]:
        ngrams = [name for name, parts in self._data.ngrams.items() if parts[0].shape[1]]
        return [*ngrams, *self._data.dense]

    def _empty_head(self, name: str) -> LinearHead:
        is_sparse = name in self._data.ngrams
        is_table = not is_sparse and name in self._data.products.inputs
        features = self._data.ngrams[name][0] if is_sparse else self._data.dense[name][0]
        return LinearHead(features.shape[1], self._num_classes, is_sparse, is_unit=not is_table)

    def _fit_one(
        self, name: str, head: LinearHead, rows: np.ndarray, tick: Callable[[], None]
    ) -> LinearFit:
        """Return a head's weights, and what folds said of all products: 0 where they said nothing.

        Args:
            rows: numbers of the products to learn from.
        """
        labels = self._data.products.labels
        groups = [self._data.groups[row] for row in rows]
        folds = make_folds(labels[rows], groups, self._data.is_val[rows], self._seed)
        start = self._data.starts.get(name)
        if not head.is_sparse:
            head.fit_scale(_Pieces(self._data.dense[name][0], rows))
        everyones = [(rows[fit], rows[judged]) for fit, judged in folds]
        fitted = LinearRows(self._blocks(name, head), labels, self._num_classes, tick)
        return fit_linear(fitted, rows, everyones, start)

    def _blocks(self, name: str, head: LinearHead) -> RowBlocks:
        """Return the features of all products as their head sees them."""
        if head.is_sparse:
            return SparseBlocks(self._data.ngrams[name])
        features, has = self._data.dense[name]

        def scaled(rows: slice) -> np.ndarray:
            return head.scaled(torch.from_numpy(features[rows])).numpy()

        return DenseBlocks(*features.shape, scaled, has)


@dataclass(frozen=True)
class _Pieces:
    """Some rows of features, a few thousand at a time, again and again."""

    features: DenseFeatures
    rows: np.ndarray

    def __iter__(self) -> Iterator[torch.Tensor]:
        for start in range(0, len(self.rows), PIECE):
            yield torch.from_numpy(self.features[self.rows[start : start + PIECE]])
