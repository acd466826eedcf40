"""Rows in a file are the rows they were, and no room for them is told in words."""

import io
import tempfile

import numpy as np
import pytest
from scipy import sparse

from mmcore import stored_rows as stored
from mmcore.errors import TrainingDataError, WorkspaceError
from mmcore.row_blocks import _bags
from mmcore.stored_rows import stored_rows

WIDTH = 12


def piece(num_rows, seed):
    made = sparse.random(num_rows, WIDTH, density=0.3, random_state=seed, format="csr")
    return made.astype(np.float32)


def test_pieces_lie_one_below_the_other():
    pieces = [piece(3, 0), piece(0, 1), piece(5, 2), sparse.csr_matrix((2, WIDTH), dtype="f4")]
    found = stored_rows(iter(pieces), WIDTH)
    assert found.dtype == np.float32 and found.shape == (10, WIDTH)
    assert np.array_equal(found.toarray(), sparse.vstack(pieces).toarray())
    assert np.array_equal(found[[4, 1]].toarray(), sparse.vstack(pieces).tocsr()[[4, 1]].toarray())


def test_rows_and_what_is_made_of_them_are_not_copied_into_memory():
    rows = stored_rows([piece(4, 0), piece(3, 1)], WIDTH)
    for array in (rows.data, rows.indices):
        assert not array.flags.owndata and array.dtype.itemsize == 4
    part = _bags(rows, 2, 6)
    assert np.shares_memory(part.values.numpy(), rows.data)
    assert np.shares_memory(part.ids.numpy(), rows.indices)
    assert part.times(np.eye(WIDTH, dtype=np.float32)) == pytest.approx(rows.toarray()[2:6])


def test_no_entry_at_all():
    assert stored_rows([sparse.csr_matrix((2, WIDTH), dtype="f4")], WIDTH).nnz == 0


def test_nothing_is_left_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = stored_rows([piece(4, 0)], WIDTH)
    assert list(tmp_path.iterdir()) == [] and rows.nnz


def test_no_room(monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(WorkspaceError, match="No space left on device.*TMPDIR"):
        stored_rows([piece(4, 0)], WIDTH)


def test_more_entries_than_can_be_counted(monkeypatch):
    monkeypatch.setattr(stored, "MAX_ENTRIES", 3)
    with pytest.raises(TrainingDataError, match="n-grams, 3 is the limit.*train on fewer products"):
        stored_rows([piece(4, 0)], WIDTH)
