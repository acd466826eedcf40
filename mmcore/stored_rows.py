"""Sparse rows in a file instead of in memory: of 85,000 long texts they are more than a gigabyte.

The file has no name and is gone with its rows, even after a crash. The operating system keeps in
memory what is at work of it, and gives that up where memory is short.
"""

import tempfile
from collections.abc import Iterable
from typing import IO

import numpy as np
from scipy import sparse

from mmcore.errors import TrainingDataError, WorkspaceError

MAX_ENTRIES = 2**31 - 1  # of rows in one file: the texts of about a million products


def stored_rows(pieces: Iterable[sparse.csr_matrix], width: int) -> sparse.csr_array:
    """Return the rows of all pieces, one below the other, as (N, width) float32.

    Raises:
        WorkspaceError: if there is no room for them, or no folder for such files.
        TrainingDataError: if they have more than MAX_ENTRIES.
    """
    lengths: list[np.ndarray] = []
    written = 0
    try:
        files = [tempfile.TemporaryFile() for _ in range(2)]
    except OSError as error:
        raise _no_room(error, written) from error
    with files[0] as ids, files[1] as values:
        try:
            for piece in pieces:
                ids.write(piece.indices.astype(np.int32, copy=False).data)
                values.write(piece.data.astype(np.float32, copy=False).data)
                lengths.append(np.diff(piece.indptr))
                written += piece.nnz
            ids.flush()
            values.flush()
        except OSError as error:
            raise _no_room(error, written) from error
        if written > MAX_ENTRIES:
            raise TrainingDataError(
                f"the texts hold {written:,} n-grams, {MAX_ENTRIES:,} is the limit of what is "
                "learnt by linear models; train on fewer products"
            )
        # the mappings keep the files alive
        arrays = (_mapped(values, np.float32, written), _mapped(ids, np.int32, written))
    # SciPy wants one kind of number for both, and would copy the ids to have it
    starts = np.concatenate([[0], *lengths]).cumsum(dtype=np.int32)
    return sparse.csr_array((*arrays, starts), shape=(len(starts) - 1, width))


def _mapped(file: IO[bytes], kind: type, length: int) -> np.ndarray:
    # "c": nothing writes to them, but PyTorch warns of memory it may not write to
    return np.memmap(file, kind, "c", shape=length) if length else np.zeros(0, kind)


def _no_room(error: OSError, written: int) -> WorkspaceError:
    return WorkspaceError(
        f"n-grams of the texts can't be kept in {tempfile.gettempdir()}: "
        f"{error.strerror or error}, after {8 * written / 1e6:,.0f} MB; free some space there, or "
        "set TMPDIR to a folder on a disk with more"
    )
