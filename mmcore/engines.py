"""Who computes a network's logits: PyTorch, or ONNX Runtime on a CPU. One interface.

On two CPU cores ONNX Runtime takes less than half of PyTorch's time for a backbone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from mmcore.batches import Batch
from mmcore.combiner import Pattern, patterns
from mmcore.config import linear_source
from mmcore.extractors import Extractor, OnnxExtractor, TorchExtractor
from mmcore.fusion import FusionClassifier
from mmcore.onnx_export import (
    BACKBONE_FILE,
    HEADS_FILE,
    fused_name,
    graphs_of,
    head_name,
    input_name,
    present_name,
)
from mmcore.onnx_graphs import session


@dataclass(frozen=True)
class Logits:
    """What a network says of one batch, (B, K) each."""

    heads: dict[str, np.ndarray]  # source -> logits
    fused: dict[Pattern, np.ndarray]


class Engine(Protocol):
    """Computes logits of batches whose photos are features, as its extractor computes them."""

    names: tuple[str, ...]
    num_classes: int
    sources: tuple[str, ...]
    extractor: Extractor | None  # of photo features, where the network looks at photos

    def logits(self, batch: Batch) -> Logits: ...


class TorchEngine:
    """PyTorch, on whatever device the network is on."""

    def __init__(self, model: FusionClassifier) -> None:
        self.model = model.eval()
        tower, device = model.image_tower, next(model.parameters()).device
        self.extractor = TorchExtractor(tower.backbone, device) if tower else None
        self.names, self.num_classes = model.names, model.num_classes
        self.sources = (*model.names, *map(linear_source, model.linear))

    @torch.inference_mode()
    def logits(self, batch: Batch) -> Logits:
        model = self.model
        pooled = model.pooled(batch.inputs)
        embeddings = model.embed(pooled, batch.present)
        heads = model.head_logits(embeddings) | model.linear_logits(pooled, batch.ngrams)
        fused = {}
        for pattern in patterns(model.names):
            seen = {
                name: has if name in pattern else torch.zeros_like(has)
                for name, has in batch.present.items()
            }
            fused[pattern] = model.fuse(embeddings, seen)
        return Logits(_arrays(heads), _arrays(fused))


class OnnxEngine:
    """ONNX Runtime on the CPU."""

    def __init__(self, model: FusionClassifier, graphs: Mapping[str, bytes], threads: int) -> None:
        """Load the graphs; the network itself is asked for its sparse heads alone.

        Args:
            graphs: file name -> ONNX, from `graphs_of` or a model folder.
        """
        self._model = model.eval()
        self.names, self.num_classes = model.names, model.num_classes
        self.sources = (*model.names, *map(linear_source, model.linear))
        self._heads = session(graphs[HEADS_FILE], threads)
        has_photos = BACKBONE_FILE in graphs
        self.extractor = OnnxExtractor(graphs[BACKBONE_FILE]) if has_photos else None

    @torch.inference_mode()
    def logits(self, batch: Batch) -> Logits:
        given = {input_name(name): rows.numpy() for name, rows in batch.inputs.items()}
        given |= {present_name(name): has.numpy() for name, has in batch.present.items()}
        names = [output.name for output in self._heads.get_outputs()]
        found = dict(zip(names, self._heads.run(names, given), strict=True))
        sparse = {
            linear_source(name): head(batch.ngrams[name]).numpy()
            for name, head in self._model.linear.items()
            if head.is_sparse
        }
        heads = {s: found[head_name(s)] for s in self.sources if s not in sparse}
        fused = {p: found[fused_name(p)] for p in patterns(self.names)}
        return Logits(heads | sparse, fused)


def engine_of(
    model: FusionClassifier, device: torch.device, graphs: Mapping[str, bytes] | None = None
) -> Engine:
    """Return what computes a network's logits quickest on the device it is on.

    Args:
        graphs: of this very network, where they are at hand.
    """
    if device.type == "cpu":
        return OnnxEngine(model, graphs or graphs_of(model), torch.get_num_threads())
    return TorchEngine(model)


def _arrays(logits: Mapping) -> dict:
    return {key: rows.float().cpu().numpy() for key, rows in logits.items()}
