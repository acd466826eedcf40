"""Linear heads of a run: fitted on train and val together, judged on folds they did not see.

The network needs val to stop by; a linear head doesn't: its one constant is chosen on folds. So it
learns from a third more products, and says of each what it would say of a new one.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from mmcore.batches import EncodedProducts, concatenate
from mmcore.config import linear_source
from mmcore.fusion import FusionClassifier
from mmcore.linear import LinearHead
from mmcore.linear_fit import Features, LinearFit, LinearStart, fit_linear, make_folds
from mmcore.services.assembly import Assembly
from mmcore.services.stopping import stop_if_asked
from mmcore.views import FoldDecisions


@dataclass(frozen=True)
class LinearResult:
    """One linear head has been fitted."""

    modality: str
    done: int
    total: int
    strength: float
    log_loss: float  # on folds that it did not see


@dataclass(frozen=True)
class LinearData:
    """What the linear heads learn from.

    Attributes:
        products: of train and val.
        is_val: (N,) bool.
        groups: N group ids.
        dense: modality -> ((N, D) features, (N,) bool: the product has them), e.g. of photos.
        starts: modality -> what an earlier head of the same features leaves to this one.
    """

    products: EncodedProducts
    is_val: np.ndarray
    groups: Sequence[str]
    dense: Mapping[str, tuple[np.ndarray, np.ndarray]]
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
    learnt = concatenate(sides)
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
    return LinearData(learnt, is_val, groups, dense, parts.inherited.linear_starts)


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
            is_sparse = name in products.ngrams
            has = products.present[name] if is_sparse else self._data.dense[name][1]
            rows = np.flatnonzero(has & (products.labels >= 0))
            if len(set(products.labels[rows])) < 2:
                continue  # nothing to tell apart
            features = products.ngrams[name] if is_sparse else self._data.dense[name][0]
            is_table = not is_sparse and name in products.inputs
            width = features.shape[1]
            head = LinearHead(width, self._num_classes, is_sparse, is_unit=not is_table)
            found = self._fit_one(name, head, features[rows], rows, tick)
            self.unseen[linear_source(name)] = self._spread(found.out_of_fold, rows)
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
        ngrams = [n for n, rows in self._data.products.ngrams.items() if rows.shape[1]]
        return [*ngrams, *self._data.dense]

    def _fit_one(
        self,
        name: str,
        head: LinearHead,
        features: Features,
        rows: np.ndarray,
        tick: Callable[[], None],
    ) -> LinearFit:
        if not head.is_sparse:
            dense = torch.from_numpy(features)
            head.fit_scale(dense)
            features = head.scaled(dense).numpy()
        labels = self._data.products.labels[rows]
        groups = [self._data.groups[row] for row in rows]
        folds = make_folds(labels, groups, self._data.is_val[rows], self._seed)
        start = self._data.starts.get(name)
        found = fit_linear(features, labels, self._num_classes, folds, tick, start)
        head.strength = found.strength
        head.weight.copy_(torch.from_numpy(found.weights))
        head.bias.copy_(torch.from_numpy(found.bias))
        return found

    def _spread(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        spread = np.zeros((len(self._data.products), self._num_classes), np.float32)
        spread[rows] = values
        return spread
