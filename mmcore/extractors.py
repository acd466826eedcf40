"""A frozen backbone's features of photos: by ONNX Runtime on a CPU, by PyTorch elsewhere.

On two CPU cores ONNX Runtime computes two to four times as many photos a second as PyTorch
(`benchmarks/README.md`), the same numbers but for rounding.
"""

import copy
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from mmcore.backbones import Backbone
from mmcore.images import IMAGE_PX
from mmcore.onnx_graphs import SAMPLE_ROWS, export, session
from mmcore.pixels import photos_a_pass, to_tensor

PIXELS, FEATURES = "pixels", "features"


class Extractor(Protocol):
    """Computes features of photos; `batch_size` of them at once are quickest."""

    batch_size: int

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """Return (N, 1280) float32 pooled features of (N, 224, 224, 3) uint8 pixels."""


class TorchExtractor:
    """A backbone under PyTorch, on whatever device."""

    def __init__(self, backbone: Backbone, device: torch.device) -> None:
        self._backbone = backbone.eval().to(device, memory_format=torch.channels_last)
        self._device = device
        self.batch_size = photos_a_pass(device)

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        maps = self._backbone(to_tensor(pixels, self._device))
        return maps.mean(dim=(2, 3)).float().cpu().numpy()


class OnnxExtractor:
    """A backbone's graph under ONNX Runtime on the CPU."""

    def __init__(self, graph: bytes, threads: int) -> None:
        """Load what `export_backbone` returned; `threads` compute one batch together."""
        self._session = session(graph, threads)
        self.batch_size = photos_a_pass(torch.device("cpu"))

    def features(self, pixels: np.ndarray) -> np.ndarray:
        return self._session.run([FEATURES], {PIXELS: pixels})[0]


def extractor_of(backbone: Backbone, device: torch.device) -> Extractor:
    """Return what computes a backbone's features quickest on a device."""
    if device.type == "cpu":
        return OnnxExtractor(export_backbone(backbone), torch.get_num_threads())
    return TorchExtractor(backbone, device)


def export_backbone(backbone: Backbone) -> bytes:
    """Return the graph `pixels` (B, 224, 224, 3) uint8 -> `features` (B, 1280) float32."""
    # a copy: the network itself may lie on a GPU
    photos = _Photos(copy.deepcopy(backbone).cpu())
    pixels = torch.zeros(SAMPLE_ROWS, IMAGE_PX, IMAGE_PX, 3, dtype=torch.uint8)
    return export(photos, (pixels,), [PIXELS], [FEATURES])


class _Photos(nn.Module):
    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, pixels: Tensor) -> Tensor:
        return self.backbone((pixels.float() / 127.5 - 1).permute(0, 3, 1, 2)).mean(dim=(2, 3))
