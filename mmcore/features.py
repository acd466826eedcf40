"""Frozen-backbone features, computed once a photo and kept for every later epoch and run.

A cache is one folder for one set of backbone weights and one preprocessing:

  features.f16   (rows, 1280) float16, appended
  keys.bin       32 bytes a row: the photo's content hash, appended after its features

A crash between the two appends leaves surplus features, which the next writer cuts off.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from mmcore.backbones import FEATURE_DIM, Backbone, fingerprint
from mmcore.errors import WorkspaceError
from mmcore.extractors import Extractor
from mmcore.images import PREPROCESS_VERSION
from mmcore.pixels import PhotoReader

_ROW_BYTES = FEATURE_DIM * 2
_KEY_BYTES = 32
_LARGEST = float(np.finfo(np.float16).max)  # an infinite feature would spoil every batch it is in


@dataclass(frozen=True)
class FeatureResult:
    """How far the feature cache has come."""

    done: int
    total: int
    num_unreadable: int


class FeatureCache:
    """The features of one frozen backbone, by photo key (sha256 in hex)."""

    def __init__(self, folder: Path) -> None:
        """Open the cache in `folder`, which is made where there is none.

        Raises:
            OSError: if it can't be made or read.
        """
        self.folder = folder
        self._features = folder / "features.f16"
        self._keys = folder / "keys.bin"
        self._lock = FileLock(str(folder / "lock"))
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        self._rows = 0
        self._index: dict[str, int] = {}
        self._map = np.empty((0, FEATURE_DIM), np.float16)
        self._file = (0, 0)  # device and number of the keys file the index was read from

    def refresh(self) -> None:
        """Read what other processes have appended meanwhile, and no more than that."""
        self._make_files()
        keys = self._keys.stat()
        rows = self._rows_on_disk()
        if (keys.st_dev, keys.st_ino) != self._file or rows < self._rows:
            self._forget()  # somebody deleted the cache, as anybody may, and began another
            self._file = (keys.st_dev, keys.st_ino)
        with self._keys.open("rb") as file:
            file.seek(self._rows * _KEY_BYTES)
            raw = file.read((rows - self._rows) * _KEY_BYTES)
        for at in range(0, len(raw), _KEY_BYTES):
            self._index[raw[at : at + _KEY_BYTES].hex()] = self._rows
            self._rows += 1

    def _make_files(self) -> None:
        # not touched where they are: a workspace that may only be read can still be used
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in (self._features, self._keys):
            if not path.exists():
                path.touch()

    def _rows_on_disk(self) -> int:
        """Return the rows that are there in full; keys are written last."""
        keys = self._keys.stat().st_size // _KEY_BYTES
        return min(keys, self._features.stat().st_size // _ROW_BYTES)

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def __len__(self) -> int:
        return len(self._index)

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys that are not in the cache, in order; empty ones are no keys."""
        return sorted({key for key in keys if key and key not in self})

    def gather(self, keys: Sequence[str]) -> np.ndarray:
        """Return (N, 1280) float16; zeros for a key that is not in the cache."""
        rows = self.places(keys)
        found = np.zeros((len(rows), FEATURE_DIM), dtype=np.float16)
        found[rows >= 0] = self.mapped()[rows[rows >= 0]]
        return found

    def places(self, keys: Sequence[str]) -> np.ndarray:
        """Return (N,) int64, the row of each key in `mapped`; -1 where it is not in the cache."""
        return np.array([self._index.get(key, -1) for key in keys], dtype=np.int64)

    def mapped(self) -> np.ndarray:
        """Return (rows, 1280) float16, read from the disk where they are looked at."""
        if len(self._map) < self._rows:
            shape = (self._rows, FEATURE_DIM)
            # what is written to it stays in memory: torch takes no array that can't be written to
            self._map = np.memmap(self._features, np.float16, "c", shape=shape)
        return self._map

    def append(self, keys: Sequence[str], features: np.ndarray) -> None:
        """Add (N, 1280) features under their keys, durably enough for a cache.

        Raises:
            OSError: if they can't be written; those that were there before still are.
        """
        with self._lock:
            self.refresh()
            new = {key: i for i, key in enumerate(keys) if key not in self._index}
            if not new:
                return
            rows = np.clip(features[list(new.values())], -_LARGEST, _LARGEST).astype(np.float16)
            try:
                _write_at(self._features, self._rows * _ROW_BYTES, rows.tobytes())
                _write_at(self._keys, self._rows * _KEY_BYTES, bytes.fromhex("".join(new)))
            except OSError:
                self._cut_surplus()
                raise
            self.refresh()

    def _cut_surplus(self) -> None:
        """Give the room of half-written rows back; never one that a reader may have mapped."""
        rows = self._rows_on_disk()
        for path, width in ((self._features, _ROW_BYTES), (self._keys, _KEY_BYTES)):
            with contextlib.suppress(OSError):
                os.truncate(path, rows * width)


def _write_at(path: Path, place: int, data: bytes) -> None:
    """Write at a place in a file, over what a crash may have left there."""
    with path.open("r+b") as file:
        file.truncate(place)
        file.seek(place)
        file.write(data)


def open_cache(root: Path, backbone: Backbone) -> FeatureCache:
    """Return the cache under `root` that belongs to a backbone's exact weights.

    Raises:
        WorkspaceError: if it can't be made or read.
    """
    name = f"{fingerprint(backbone)}-pixels{PREPROCESS_VERSION}"
    folder = root / "features" / name
    try:
        return FeatureCache(folder)
    except OSError as error:
        raise WorkspaceError(
            f"the cache of photo features in {folder} can't be used: {error.strerror or error}; "
            "make the folder readable and writable, or delete it: it is filled again"
        ) from error


def fill_cache(
    cache: FeatureCache,
    extractor: Extractor,
    reader: PhotoReader,
    missing: Sequence[str],
) -> Iterator[FeatureResult]:
    """Compute and keep the features of photos, yielding after each batch.

    The order is that of the keys, so a run that was killed goes on with the very same batches.

    Args:
        missing: keys of photos, as `FeatureCache.missing` gives them.

    Raises:
        WorkspaceError: if they can't be kept; those kept before stay, and another call goes on.
    """
    unreadable = 0
    size = extractor.batch_size
    batches = [missing[i : i + size] for i in range(0, len(missing), size)]
    done = 0
    found = extractor.stream(reader, batches)
    for batch, (features, is_readable) in zip(batches, found, strict=True):
        if is_readable.any():
            kept = [key for key, ok in zip(batch, is_readable, strict=True) if ok]
            try:
                cache.append(kept, features[is_readable])
            except OSError as error:
                raise _not_kept(cache.folder, error, len(missing) - done) from error
        unreadable += int((~is_readable).sum())
        done += len(batch)
        yield FeatureResult(done, len(missing), unreadable)


def _not_kept(folder: Path, error: OSError, num_left: int) -> WorkspaceError:
    return WorkspaceError(
        f"photo features can't be kept in {folder}: {error.strerror or error}; {num_left:,} photos "
        f"are left to do, which takes {num_left * _ROW_BYTES / 1e6:.1f} MB there; free some space, "
        "make the folder writable or choose another workspace with --home DIR; those done so far "
        "are kept, and the next training goes on with the others"
    )
