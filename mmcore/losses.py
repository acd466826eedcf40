"""What a training step minimises, and what it hides from the fusion."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmcore.batches import Batch
from mmcore.config import FUSED


def total_loss(logits: Mapping[str, Tensor], batch: Batch, head_weight: float) -> Tensor:
    """Return the fused cross-entropy plus the weighted mean of the heads'.

    A head answers only for products that have its modality.

    Args:
        logits: view -> (B, K).
        head_weight: of the heads' mean loss; 0 leaves the heads untrained.
    """
    loss = cross_entropy(logits[FUSED], batch.labels)
    heads = [
        cross_entropy(logits[name][has], batch.labels[has])
        for name, has in batch.present.items()
        if bool(has.any())
    ]
    if heads and head_weight:
        loss = loss + head_weight * torch.stack(heads).mean()
    return loss


def drop_modalities(
    present: Mapping[str, Tensor], share: float, draw: np.random.Generator
) -> dict[str, Tensor]:
    """Return `present` with one modality taken from a share of the products that have several.

    Args:
        present: name -> (B,) bool.
        share: of the products, 0 to 1.
        draw: the stream of this very step.
    """
    names = list(present)
    has = torch.stack([present[name] for name in names], dim=1).cpu().numpy()  # (B, M)
    # one number a product says whether, a second which; both are always drawn, so that a
    # product's fate doesn't depend on its neighbours
    is_hit = (draw.random(len(has)) < share) & (has.sum(axis=1) > 1)
    victim = np.where(has, draw.random(has.shape), -1.0).argmax(axis=1)
    kept = has.copy()
    kept[is_hit, victim[is_hit]] = False
    device = present[names[0]].device
    return {name: torch.from_numpy(kept[:, i]).to(device) for i, name in enumerate(names)}
