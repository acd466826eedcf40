"""A network as two ONNX graphs: photos to features, and everything else to logits.

Two, because most backbones are frozen and shared by many models, and because features that are
cached needn't be computed again. Sparse n-grams stay outside: their linear head is one gather and
one sum over a few hundred of 300,000 rows, which a graph would only pad.
"""

import torch
from torch import Tensor, nn

from mmcore.backbones import FEATURE_DIM
from mmcore.combiner import Pattern, patterns
from mmcore.config import linear_source
from mmcore.extractors import export_backbone
from mmcore.fusion import FusionClassifier
from mmcore.onnx_graphs import SAMPLE_ROWS, export
from mmcore.text import TEXT_LENGTH
from mmcore.towers import ImageTower, TextTower

HEADS_FILE, BACKBONE_FILE = "model.onnx", "backbone.onnx"  # in a model folder


def input_name(modality: str) -> str:
    return f"input:{modality}"


def present_name(modality: str) -> str:
    return f"present:{modality}"


def head_name(source: str) -> str:
    return f"head:{source}"


def fused_name(pattern: Pattern) -> str:
    return f"fused:{'+'.join(pattern)}"


def graphs_of(model: FusionClassifier) -> dict[str, bytes]:
    """Return the graphs of a network on the CPU by file name; without photos there is but one."""
    graphs = {HEADS_FILE: export_heads(model)}
    if model.image_tower is not None:
        graphs[BACKBONE_FILE] = export_backbone(model.image_tower.backbone)
    return graphs


def export_heads(model: FusionClassifier) -> bytes:
    """Return the graph from each modality's input and its mask to all logits.

    Inputs, by modality in the network's order, first `input:NAME`: token ids (B, 60) int64, photo
    features (B, 1280) or columns (B, F) float32; then `present:NAME` (B,) bool. Outputs, (B, K)
    each: `head:SOURCE` of the towers and of the dense linear heads, `fused:A+B` of every choice of
    modalities, of which what isn't present counts as missing.
    """
    graph = _Heads(model)
    inputs = [_sample(tower) for tower in model.towers.values()]
    masks = [torch.ones(SAMPLE_ROWS, dtype=torch.bool) for _ in inputs]
    names = [*map(input_name, model.names), *map(present_name, model.names)]
    return export(graph, (*inputs, *masks), names, graph.outputs)


class _Heads(nn.Module):
    def __init__(self, model: FusionClassifier) -> None:
        super().__init__()
        self.model = model
        self.patterns = patterns(model.names)
        self.dense = [name for name, head in model.linear.items() if not head.is_sparse]
        sources = [*model.names, *map(linear_source, self.dense)]
        self.outputs = [*map(head_name, sources), *map(fused_name, self.patterns)]

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        names = self.model.names
        inputs = dict(zip(names, given[: len(names)], strict=True))
        present = dict(zip(names, given[len(names) :], strict=True))
        embeddings = self.model.embed(inputs, present)
        logits = list(self.model.head_logits(embeddings).values())
        logits += [self.model.linear[name](inputs[name]) for name in self.dense]
        for pattern in self.patterns:
            seen = {n: has if n in pattern else torch.zeros_like(has) for n, has in present.items()}
            logits.append(self.model.fuse(embeddings, seen))
        return tuple(logits)


def _sample(tower: nn.Module) -> Tensor:
    if isinstance(tower, TextTower):
        return torch.ones(SAMPLE_ROWS, TEXT_LENGTH, dtype=torch.int64)
    width = FEATURE_DIM if isinstance(tower, ImageTower) else tower.project[0].in_features
    return torch.zeros(SAMPLE_ROWS, width)
