"""Frozen-backbone features, computed once a photo and kept for every later epoch and run.

A cache is one folder for one set of backbone weights and one preprocessing:

  features.f16   (rows, 1280) float16, appended
  keys.bin       32 bytes a row: the photo's content hash, appended after its features

A crash between the two appends leaves surplus features, which the next writer cuts off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from mmcore.backbones import FEATURE_DIM, Backbone, fingerprint
from mmcore.images import PREPROCESS_VERSION
from mmcore.pixels import PhotoReader, photos_a_pass, to_tensor

_ROW_BYTES = FEATURE_DIM * 2
_KEY_BYTES = 32


@dataclass(frozen=True)
class FeatureResult:
    """How far the feature cache has come."""

    done: int
    total: int
    num_unreadable: int


class FeatureCache:
    """The features of one frozen backbone, by photo key (sha256 in hex)."""

    def __init__(self, folder: Path) -> None:
        """Open the cache in `folder`, which is made where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        self._features = folder / "features.f16"
        self._keys = folder / "keys.bin"
        self._lock = FileLock(str(folder / "lock"))
        self._features.touch()
        self._keys.touch()
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have appended meanwhile."""
        raw = self._keys.read_bytes()
        features = self._features.stat().st_size // _ROW_BYTES
        self._rows = min(len(raw) // _KEY_BYTES, features)
        keys = (raw[i * _KEY_BYTES : (i + 1) * _KEY_BYTES].hex() for i in range(self._rows))
        self._index = {key: row for row, key in enumerate(keys)}
        self._map = (
            np.memmap(self._features, np.float16, "r", shape=(self._rows, FEATURE_DIM))
            if self._rows
            else np.empty((0, FEATURE_DIM), np.float16)
        )

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def __len__(self) -> int:
        return len(self._index)

    def gather(self, keys: Sequence[str]) -> np.ndarray:
        """Return (N, 1280) float16; zeros for a key that is not in the cache."""
        rows = np.array([self._index.get(key, -1) for key in keys], dtype=np.int64)
        found = np.zeros((len(rows), FEATURE_DIM), dtype=np.float16)
        found[rows >= 0] = self._map[rows[rows >= 0]]
        return found

    def append(self, keys: Sequence[str], features: np.ndarray) -> None:
        """Add (N, 1280) features under their keys, durably enough for a cache."""
        if not len(keys):
            return
        with self._lock:
            self.refresh()
            with self._features.open("r+b") as file:
                file.truncate(self._rows * _ROW_BYTES)
                file.seek(0, 2)
                file.write(np.ascontiguousarray(features, dtype=np.float16).tobytes())
            with self._keys.open("r+b") as file:
                file.truncate(self._rows * _KEY_BYTES)
                file.seek(0, 2)
                file.write(b"".join(bytes.fromhex(key) for key in keys))
            self.refresh()


def open_cache(root: Path, backbone: Backbone) -> FeatureCache:
    """Return the cache under `root` that belongs to a backbone's exact weights."""
    name = f"{fingerprint(backbone)}-pixels{PREPROCESS_VERSION}"
    return FeatureCache(root / "features" / name)


def fill_cache(
    cache: FeatureCache,
    backbone: Backbone,
    reader: PhotoReader,
    keys: Sequence[str],
    device: torch.device,
) -> Iterator[FeatureResult]:
    """Compute and keep the features of photos that the cache lacks, yielding after each batch.

    The order is that of the keys, so a run that was killed goes on with the very same batches.

    Args:
        keys: photo keys; empty ones (no photo) are passed over.
    """
    missing = sorted({key for key in keys if key and key not in cache})
    backbone.eval().to(device, memory_format=torch.channels_last)
    unreadable = 0
    size = photos_a_pass(device)
    batches = [missing[i : i + size] for i in range(0, len(missing), size)]
    done = 0
    for batch, (pixels, is_readable) in zip(batches, reader.stream(batches), strict=True):
        if is_readable.any():
            features = backbone_features(backbone, pixels[is_readable], device)
            kept = [key for key, ok in zip(batch, is_readable, strict=True) if ok]
            cache.append(kept, features)
        unreadable += int((~is_readable).sum())
        done += len(batch)
        yield FeatureResult(done, len(missing), unreadable)


@torch.inference_mode()
def backbone_features(backbone: Backbone, pixels: np.ndarray, device: torch.device) -> np.ndarray:
    """Return (N, 1280) float32 pooled features of (N, 224, 224, 3) uint8 pixels."""
    return backbone(to_tensor(pixels, device)).mean(dim=(2, 3)).float().cpu().numpy()
