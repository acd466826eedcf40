"""A network as two ONNX graphs: photos to features, and everything else to logits.

Two, because most backbones are frozen and shared by many models, and because features that are
cached needn't be computed again. Sparse n-grams stay outside: their linear head is one gather and
one sum over a few hundred of 300,000 rows, which a graph would only pad.

The exporter is PyTorch's older one: it takes a tenth of the newer one's time and needs no further
package; `tests/test_onnx.py` holds its numbers to PyTorch's.
"""

import io
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcore.backbones import FEATURE_DIM, Backbone
from mmcore.combiner import Pattern, patterns
from mmcore.config import linear_source
from mmcore.fusion import FusionClassifier
from mmcore.images import IMAGE_PX
from mmcore.text import TEXT_LENGTH
from mmcore.towers import ImageTower, TextTower

OPSET = 18
HEADS_FILE, BACKBONE_FILE = "model.onnx", "backbone.onnx"  # in a model folder
PIXELS, FEATURES = "pixels", "features"
_SAMPLE_ROWS = 2  # one would be taken for a constant


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


def export_backbone(backbone: Backbone) -> bytes:
    """Return the graph `pixels` (B, 224, 224, 3) uint8 -> `features` (B, 1280) float32."""
    pixels = torch.zeros(_SAMPLE_ROWS, IMAGE_PX, IMAGE_PX, 3, dtype=torch.uint8)
    return _export(_Photos(backbone), (pixels,), [PIXELS], [FEATURES])


def export_heads(model: FusionClassifier) -> bytes:
    """Return the graph from each modality's input and its mask to all logits.

    Inputs, by modality in the network's order, first `input:NAME`: token ids (B, 60) int64, photo
    features (B, 1280) or columns (B, F) float32; then `present:NAME` (B,) bool. Outputs, (B, K)
    each: `head:SOURCE` of the towers and of the dense linear heads, `fused:A+B` of every choice of
    modalities, of which what isn't present counts as missing.
    """
    graph = _Heads(model)
    inputs = [_sample(tower) for tower in model.towers.values()]
    masks = [torch.ones(_SAMPLE_ROWS, dtype=torch.bool) for _ in inputs]
    names = [*map(input_name, model.names), *map(present_name, model.names)]
    return _export(graph, (*inputs, *masks), names, graph.outputs)


class _Photos(nn.Module):
    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, pixels: Tensor) -> Tensor:
        return self.backbone((pixels.float() / 127.5 - 1).permute(0, 3, 1, 2)).mean(dim=(2, 3))


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
        return torch.ones(_SAMPLE_ROWS, TEXT_LENGTH, dtype=torch.int64)
    width = FEATURE_DIM if isinstance(tower, ImageTower) else tower.project[0].in_features
    return torch.zeros(_SAMPLE_ROWS, width)


def _export(
    graph: nn.Module, sample: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> bytes:
    modes = {module: module.training for module in graph.modules()}
    target = io.BytesIO()
    graph.eval()
    with torch.inference_mode(), warnings.catch_warnings():
        # that there is a newer exporter, and that shapes are traced
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            sample,
            target,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in (*inputs, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    for module, was_training in modes.items():  # a frozen backbone has another mode than the rest
        module.training = was_training
    return target.getvalue()
