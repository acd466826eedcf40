"""The labels a model learnt from, in numbers."""

import pytest

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.products import Catalogue, make_frame
from mmcore.catalog.snapshot import keep_snapshot, snapshot_path
from mmcore.errors import NotFoundError, WorkspaceError
from mmcore.services.snapshots import snapshot_numbers
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def kept(workspace):
    """Return the hash of a snapshot of three labelled products; a fourth has no label."""
    rows = [
        ("1", "a", "", "", "10", "g", "train", "", ""),
        ("2", "b", "", "", "40", "h", "train", "", ""),
        ("3", "c", "", "", "40", "i", "test", "", ""),
        ("4", "d", "", "", "", "j", "val", "", ""),
    ]
    classes = (ClassName("10", "Livres", "Books"), ClassName("40", "Jeux", "Games"))
    catalogue = Catalogue(make_frame(rows, ["prix"]), classes, "csv", frozenset())
    return keep_snapshot(catalogue, workspace.snapshots)


def test_a_snapshot_is_counted_by_split_and_class(workspace, kept):
    found = snapshot_numbers(workspace, kept)
    assert (found.hash, found.num_products, found.num_classes) == (kept, 3, 2)
    assert found.by_split == {"train": 2, "val": 0, "test": 1}, "an empty split is shown, too"
    assert list(found.by_class.items()) == [("40", 2), ("10", 1)], "the largest first"
    assert found.num_bytes == snapshot_path(workspace.snapshots, kept).stat().st_size


def test_a_snapshot_that_is_gone_says_where_it_was_looked_for(workspace):
    with pytest.raises(NotFoundError, match="abababababab are not in .*put it back from a backup"):
        snapshot_numbers(workspace, "ab" * 32)


def test_a_model_without_a_snapshot_is_told_so(workspace):
    with pytest.raises(NotFoundError):
        snapshot_numbers(workspace, "")


def test_a_snapshot_that_is_damaged_says_so(workspace, kept):
    path = snapshot_path(workspace.snapshots, kept)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(WorkspaceError, match="can't be read: .*put it back from a backup"):
        snapshot_numbers(workspace, kept)
