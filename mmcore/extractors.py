"""A frozen backbone's features of photos: by ONNX Runtime on a CPU, by PyTorch elsewhere.

On a CPU each photo goes through the backbone alone, on one core, in the thread that decoded it: its
maps stay in that core's cache, and no thread waits for another. That is quicker than batches over
which all cores work together, and several times as quick as PyTorch (`benchmarks/prediction.py`).
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from mmcore.backbones import FEATURE_DIM, Backbone
from mmcore.fixed_padding import fix_padding
from mmcore.images import IMAGE_PX
from mmcore.onnx_graphs import SAMPLE_ROWS, export, session
from mmcore.pixels import PhotoReader, photos_a_pass, to_tensor

PIXELS, FEATURES = "pixels", "features"
_BATCH = 32  # photos between two reports of progress

FeatureBatch = tuple[np.ndarray, np.ndarray]  # (N, 1280) float32, (N,) bool: photo is readable


class Extractor(Protocol):
    """Computes pooled features of photos."""

    batch_size: int  # photos that suit one pass

    def begin(self, reader: PhotoReader, keys: Sequence[str]) -> None:
        """Start on photos that are going to be asked for."""

    def stream(
        self, reader: PhotoReader, batches: Iterable[Sequence[str]]
    ) -> Iterator[FeatureBatch]:
        """Yield the features of each batch of photo keys, working ahead."""

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """Return (N, 1280) float32 features of (N, 224, 224, 3) uint8 pixels."""


class TorchExtractor:
    """A backbone under PyTorch, on whatever device: a batch at a time."""

    def __init__(self, backbone: Backbone, device: torch.device) -> None:
        self._backbone = backbone.eval().to(device, memory_format=torch.channels_last)
        self._device = device
        self.batch_size = photos_a_pass(device)

    def begin(self, reader: PhotoReader, keys: Sequence[str]) -> None:
        reader.begin(keys)

    def stream(
        self, reader: PhotoReader, batches: Iterable[Sequence[str]]
    ) -> Iterator[FeatureBatch]:
        for pixels, is_readable in reader.stream(batches):
            features = np.zeros((len(pixels), FEATURE_DIM), np.float32)
            if is_readable.any():
                features[is_readable] = self.features(pixels[is_readable])
            yield features, is_readable

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        maps = self._backbone(to_tensor(pixels, self._device))
        return maps.mean(dim=(2, 3)).float().cpu().numpy()


class OnnxExtractor:
    """A backbone's graph under ONNX Runtime: a photo at a time, by the threads of its reader."""

    blank = np.zeros(FEATURE_DIM, np.float32)

    def __init__(self, graph: bytes) -> None:
        """Load what `export_backbone` returned."""
        self._session = session(graph, threads=1)
        self.batch_size = _BATCH

    def begin(self, reader: PhotoReader, keys: Sequence[str]) -> None:
        reader.begin(keys, self)

    def stream(
        self, reader: PhotoReader, batches: Iterable[Sequence[str]]
    ) -> Iterator[FeatureBatch]:
        return reader.stream(batches, self)

    def of_photo(self, pixels: np.ndarray) -> np.ndarray:
        """Return (1280,) float32 features of (224, 224, 3) uint8 pixels."""
        return self.features(pixels[None])[0]

    def features(self, pixels: np.ndarray) -> np.ndarray:
        return self._session.run([FEATURES], {PIXELS: pixels})[0]


def extractor_of(backbone: Backbone, device: torch.device) -> Extractor:
    """Return what computes a backbone's features quickest on a device."""
    if device.type == "cpu":
        return OnnxExtractor(export_backbone(backbone))
    return TorchExtractor(backbone, device)


def export_backbone(backbone: Backbone) -> bytes:
    """Return the graph `pixels` (B, 224, 224, 3) uint8 -> `features` (B, 1280) float32."""
    # a copy: the network itself may lie on a GPU
    photos = _Photos(copy.deepcopy(backbone).cpu().eval())
    fix_padding(photos.body, IMAGE_PX)
    pixels = torch.zeros(SAMPLE_ROWS, IMAGE_PX, IMAGE_PX, 3, dtype=torch.uint8)
    return export(photos, (pixels,), [PIXELS], [FEATURES])


class _Photos(nn.Module):
    """Bytes to pooled features; what is done to a pixel before the network is one convolution.

    As sums and products over three channels it took ONNX Runtime a third of the time of a network
    in integers, whose maps have their channels last.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        backbone.build()
        self.body = backbone.body
        self.normalise = nn.Conv2d(3, 3, 1)
        scale, shift = backbone.scale.flatten(), backbone.shift.flatten()  # of pixels in [-1, 1]
        with torch.no_grad():
            self.normalise.weight.copy_(torch.diag(scale / 127.5)[:, :, None, None])
            self.normalise.bias.copy_(shift - scale)

    def forward(self, pixels: Tensor) -> Tensor:
        photos = self.normalise(pixels.permute(0, 3, 1, 2).float())
        return self.body(photos).mean(dim=(2, 3))
