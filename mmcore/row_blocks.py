"""Feature rows in blocks that are read and multiplied one by one: there may be too many to copy.

N rows, D features, K classes. Sparse blocks are views of one matrix or several; dense ones are read
anew each time, so that only those at work are in memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import embedding_bag

from mmcore.stored_rows import stored_rows

SPARSE_ENTRIES = 1 << 25  # of one sparse block at most (but for a single row): 0.2 s of work
DENSE_ROWS = 4_096  # of one dense block: 21 MB of photo features
SAMPLE_ROWS = 8_192  # rows by which a dense preconditioner is reckoned

Precondition = Callable[[np.ndarray], np.ndarray]  # (D, K) -> (D, K)


class Matrix(Protocol):
    """The rows of one block."""

    def times(self, weights: np.ndarray) -> np.ndarray:
        """Return (n, K) from (D, K) float32."""

    def transposed_times(self, wrong: np.ndarray) -> np.ndarray:
        """Return (D, K) from (n, K) float32."""


class Block(Protocol):
    """Some rows that follow each other."""

    rows: slice  # of the N

    def read(self) -> Matrix: ...


class RowBlocks(Protocol):
    """All N rows."""

    blocks: Sequence[Block]
    width: int
    num_entries: int  # of all rows that aren't zero
    is_dense: bool  # multiplied by NumPy, otherwise by PyTorch

    def preconditioner(self, curvature: float, pull: float) -> Precondition:
        """Return what about divides (D, K) by curvature * X'X / N + pull, the Hessian."""


@dataclass(frozen=True)
class Bags:
    """A sparse matrix as PyTorch's bags: several times as quick as SciPy's product."""

    ids: torch.Tensor  # (E,) int32
    values: torch.Tensor  # (E,) float32
    starts: torch.Tensor  # (rows,) int32

    def times(self, others: np.ndarray) -> np.ndarray:
        """Return (rows, K) from (columns, K) float32."""
        table = torch.from_numpy(others)
        found = embedding_bag(
            self.ids, table, self.starts, mode="sum", per_sample_weights=self.values
        )
        return found.numpy()


def _bags(rows: sparse.csr_array, first: int, last: int) -> Bags:
    """Return some rows of a matrix, which share its memory."""
    begin, end = rows.indptr[first], rows.indptr[last]
    starts = (rows.indptr[first:last] - begin).astype(np.int32)
    ids = rows.indices[begin:end].astype(np.int32, copy=False)  # bags want both alike
    return Bags(*map(torch.from_numpy, (ids, rows.data[begin:end], starts)))


def _transposed(rows: sparse.csr_array, first: int, last: int) -> Bags:
    """Return the transpose of some rows of a matrix, in a file of its own."""
    found = stored_rows([rows[first:last].T.tocsr()], last - first)
    return _bags(found, 0, found.shape[0])


@dataclass(frozen=True)
class SparseBlock:
    """A view of a sparse matrix, and its transpose.

    By the transpose, a gradient is gathered from the few rows of a block instead of being scattered
    over all features, which a processor's cache can't hold: that took five times as long.
    """

    rows: slice
    matrix: Bags
    transposed: Bags

    def read(self) -> "SparseBlock":
        return self

    def times(self, weights: np.ndarray) -> np.ndarray:
        return self.matrix.times(weights)

    def transposed_times(self, wrong: np.ndarray) -> np.ndarray:
        return self.transposed.times(wrong)


class SparseBlocks:
    """Rows of one or several sparse matrices of the same features, in their order."""

    is_dense = False

    def __init__(self, parts: Sequence[sparse.csr_array]) -> None:
        self.width = parts[0].shape[1]
        self.num_entries = sum(part.nnz for part in parts)
        self.blocks: list[SparseBlock] = []
        start = 0
        for part in parts:
            for first, last in _ranges(part.indptr):
                bags = _bags(part, first, last), _transposed(part, first, last)
                self.blocks.append(SparseBlock(slice(start + first, start + last), *bags))
            start += part.shape[0]

    def preconditioner(self, curvature: float, pull: float) -> Precondition:
        # rare n-grams and frequent ones need steps of different lengths, but dividing by how
        # frequent each is took as many steps as dividing by nothing
        return lambda gradient: gradient / np.float32(curvature)


def _ranges(indptr: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first and the end of rows that together are not too many entries."""
    first, num_rows = 0, len(indptr) - 1
    while first < num_rows:
        last = int(np.searchsorted(indptr, indptr[first] + SPARSE_ENTRIES, side="right")) - 1
        last = min(num_rows, max(last, first + 1))
        yield first, last
        first = last


@dataclass(frozen=True)
class DenseMatrix:
    """Rows in memory."""

    features: np.ndarray  # (n, D) float32

    def times(self, weights: np.ndarray) -> np.ndarray:
        return self.features @ weights

    def transposed_times(self, wrong: np.ndarray) -> np.ndarray:
        return self.features.T @ wrong


@dataclass(frozen=True)
class DenseBlock:
    """Rows that are read when they are needed."""

    rows: slice
    reader: Callable[[slice], np.ndarray]  # rows -> (n, D) float32

    def read(self) -> DenseMatrix:
        return DenseMatrix(self.reader(self.rows))


class DenseBlocks:
    """Rows that a function reads."""

    is_dense = True

    def __init__(
        self,
        num_rows: int,
        width: int,
        reader: Callable[[slice], np.ndarray],
        has: np.ndarray | None = None,
    ) -> None:
        """Take the function that returns (n, D) float32 of a slice of rows.

        Args:
            has: (N,) bool: the row says anything; without, all do.
        """
        self._has = np.ones(num_rows, bool) if has is None else has
        self.width, self.num_entries = width, num_rows * width
        starts = range(0, num_rows, DENSE_ROWS)
        self.blocks = [DenseBlock(slice(i, min(i + DENSE_ROWS, num_rows)), reader) for i in starts]

    def preconditioner(self, curvature: float, pull: float) -> Precondition:
        rough = curvature * self._gram
        np.fill_diagonal(rough, rough.diagonal() + pull)
        inverse = np.linalg.inv(rough).astype(np.float32)
        return lambda gradient: inverse @ gradient

    @cached_property
    def _gram(self) -> np.ndarray:
        """Return (D, D), X'X / N as far as a sample of the rows tells it."""
        gram, seen = np.zeros((self.width, self.width)), 0
        for block in self.blocks[:: max(1, DENSE_ROWS * len(self.blocks) // SAMPLE_ROWS)]:
            features = block.read().features[self._has[block.rows]]
            gram += features.T @ features
            seen += len(features)
        return gram / max(1, seen)
