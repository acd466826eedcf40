"""Rows of n-grams turned round and kept on disk: for each n-gram, the products that have it.

To compare one text with a hundred thousand, only the lists of its own n-grams are read, some 2% of
all. A file holds one segment of the products and is mapped into memory, where the system may let
go of it again. It is one array of int32:

  N, D, indptr (D + 1), products (nnz), weights (nnz, float32 bit for bit)
"""

from pathlib import Path

import numpy as np
from scipy import sparse

from mmcore.workspace import write_atomically

_HEAD = 2


def write_segment(path: Path, rows: sparse.csr_array) -> None:
    """Write (N, D) float32 rows of unit length, turned round: the whole file or none.

    Raises:
        OSError: if it can't be written.
    """
    turned = sparse.csr_array(rows.T)  # (D, N)
    parts = (turned.indptr, turned.indices, turned.data.astype(np.float32).view(np.int32))
    numbers = np.concatenate([np.array(rows.shape), *parts]).astype(np.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: np.save(file, numbers, allow_pickle=False))


class Segment:
    """One segment of the products, to be held to a text."""

    def __init__(self, path: Path) -> None:
        """Map a file that `write_segment` wrote.

        Raises:
            OSError: if it is gone.
            ValueError: if it is no segment.
        """
        numbers = np.load(path, mmap_mode="r", allow_pickle=False)
        self.num_products, width = (int(number) for number in numbers[:_HEAD])
        first = _HEAD + width + 1
        indptr = np.array(numbers[_HEAD:first])
        last = first + int(indptr[-1])
        if len(numbers) != 2 * last - first:
            raise ValueError(f"{path} is cut off at {len(numbers):,} numbers")
        weights = numbers[last:].view(np.float32)
        shape = (width, self.num_products)
        self._turned = sparse.csr_array((weights, numbers[first:last], indptr), shape=shape)

    def likeness(self, text: sparse.csr_array) -> np.ndarray:
        """Return the cosines (N,) between the segment's products and one (1, D) row."""
        return self._turned[text.indices].T @ text.data
