"""What the val products say of a network in training: its loss, and the macro-F1 of each view."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from mmcore.batches import BatchReader
from mmcore.config import FUSED, RunConfig
from mmcore.fusion import FusionClassifier
from mmcore.losses import total_loss
from mmcore.metrics import macro_f1


@dataclass(frozen=True)
class Validation:
    """The judgement of one epoch."""

    loss: float | None  # None where there are no val products
    macro_f1: dict[str, float]  # view -> score over the products that have it

    @property
    def is_usable(self) -> bool:
        """Return False where the network's answers are no numbers: their order means nothing."""
        return self.loss is None or bool(np.isfinite(self.loss))


@torch.inference_mode()
def validate(
    model: FusionClassifier, reader: BatchReader, head_weight: float, before_batch: Callable
) -> Validation:
    """Return what the products of a reader say; the model is left in evaluation mode.

    Args:
        head_weight: of the heads' loss, as in training.
        before_batch: called without arguments; may raise to stop.
    """
    if not len(reader.products):
        return Validation(None, {})
    losses: list[float] = []
    seen: dict[str, list[np.ndarray]] = {}
    model.eval()
    for batch in reader.all_in_order():
        before_batch()
        logits = model(batch.inputs, batch.present)
        losses += [float(total_loss(logits, batch, head_weight))] * len(batch)
        for view, rows in logits.items():
            has = batch.present.get(view)
            pairs = torch.stack([batch.labels, rows.argmax(dim=1)], dim=1)
            pairs = pairs if has is None else pairs[has]
            seen.setdefault(view, []).append(pairs.cpu().numpy())
    pooled = {view: np.concatenate(pairs) for view, pairs in seen.items()}
    scores = {v: macro_f1(p[:, 0], p[:, 1]) for v, p in pooled.items() if len(p)}
    return Validation(float(np.mean(losses)), scores)


def selection_score(scores: dict[str, float], config: RunConfig) -> float:
    """Return what the best epoch is chosen by.

    A model whose decisions are fused afterwards needs every head good, so their mean counts;
    otherwise the fused answer alone does.
    """
    if not config.use_combiner:
        return scores[FUSED]
    return float(np.mean(list(scores.values())))
