"""How alike photos are: cosines of their features less the mean, straight from the feature cache.

The cache's file is mapped and read in pieces that fit into the processor's own cache, so that a
hundred thousand photos (256 MB) cost no memory of the process and some 20 ms a question.
"""

import numpy as np
import torch

from mmcore.features import FeatureCache

PIECE = 1024  # photos at once: 5 MB as float32
SHARE_READ_WHOLE = 0.5  # of the cache's photos; to pick them out takes longer than to read all
SMALLEST = 1e-6  # length of features that differ from the mean


class PhotoLikeness:
    """The photos of a catalogue that have features, to be held to another one."""

    def __init__(self, cache: FeatureCache, keys: list[str]) -> None:
        """Find the photos in the cache, their mean and how far each is from it.

        Args:
            keys: N photo keys, "" without a photo; several products may have the same one.
        """
        places = cache.places(keys)
        self.has = places >= 0  # (N,) bool
        self._cache = cache
        self._mapped = torch.from_numpy(cache.mapped())
        used, of_product = np.unique(places[self.has], return_inverse=True)
        if len(used) >= SHARE_READ_WHOLE * len(self._mapped):
            self._used, self._num, self._of_product = None, len(self._mapped), places[self.has]
        else:
            self._used, self._num = torch.from_numpy(used), len(used)
            self._of_product = of_product
        self._measure()

    def _measure(self) -> None:
        counts = torch.from_numpy(np.bincount(self._of_product, minlength=self._num)).double()
        total = torch.zeros(self._mapped.shape[1], dtype=torch.float64)
        for at, rows in self._pieces():
            total += counts[at : at + len(rows)] @ rows.double()
        self._mean = (total / counts.sum().clamp(min=1)).float()
        self._lengths = torch.zeros(self._num)
        for at, rows in self._pieces():
            self._lengths[at : at + len(rows)] = (rows - self._mean).norm(dim=1)
        self._lengths.clamp_(min=SMALLEST)

    def _pieces(self):
        """Yield (number of the first, float32 features) of pieces of the photos."""
        for at in range(0, self._num, PIECE):
            if self._used is None:
                rows = self._mapped[at : at + PIECE]
            else:
                rows = self._mapped[self._used[at : at + PIECE]]
            yield at, rows.float()

    def features_of(self, key: str) -> np.ndarray | None:
        """Return the features (F,) of a photo, None where the cache has none."""
        return self._cache.gather([key])[0] if key in self._cache else None

    def likeness(self, features: np.ndarray) -> np.ndarray:
        """Return (N,) cosines with a photo's features (F,), at least 0; 0 without features."""
        wanted = torch.from_numpy(np.asarray(features, np.float32)) - self._mean
        wanted /= wanted.norm().clamp(min=SMALLEST)
        found = torch.empty(self._num)
        for at, rows in self._pieces():
            torch.mv(rows, wanted, out=found[at : at + len(rows)])
        found = ((found - self._mean @ wanted) / self._lengths).clamp_(0, 1)
        spread = np.zeros(len(self.has), np.float32)
        spread[self.has] = found.numpy()[self._of_product]
        return spread
