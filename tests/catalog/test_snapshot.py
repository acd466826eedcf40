"""Snapshots: the labelled products of a run, kept under their hash and read back exactly."""

import pandas as pd
import pytest

from mmcore.catalog import snapshot
from mmcore.catalog.class_names import ClassName
from mmcore.catalog.products import Catalogue, make_frame
from mmcore.catalog.snapshot import (
    keep_snapshot,
    load_snapshot,
    save_snapshot,
    snapshot_hash,
    snapshot_path,
)
from mmcore.errors import WorkspaceError


@pytest.fixture
def catalogue() -> Catalogue:
    frame = make_frame(
        [
            ("1", "été", "", "ab" * 32, "10", "g", "train", "0f" * 8, "12,90"),
            ("2", "a\nb", "=1+1", "", "", "h", "test", "", ""),
            ("3", "b", "", "", "10", "i", "test", "", ""),
        ],
        ["prix"],
    )
    return Catalogue(frame, (ClassName("10", "Livres", "Books"),), "csv", frozenset(("2", "3")))


def test_what_is_kept_is_loaded(tmp_path, catalogue):
    name = keep_snapshot(catalogue, tmp_path / "snapshots")
    path = snapshot_path(tmp_path / "snapshots", name)
    loaded = load_snapshot(path, name)
    labelled = catalogue.products.iloc[[0, 2]].reset_index(drop=True)
    pd.testing.assert_frame_equal(loaded.products, labelled)
    assert (loaded.classes, loaded.source) == (catalogue.classes, "csv")
    assert loaded.given_splits == {"3"} and loaded.extra_columns == ("prix",)
    assert snapshot_hash(loaded) == name == snapshot_hash(catalogue)
    before = path.stat().st_mtime_ns
    assert keep_snapshot(catalogue, tmp_path / "snapshots") == name
    assert path.stat().st_mtime_ns == before, "what is kept already isn't written again"


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "folder", "missing"])
def test_a_damaged_file_says_so(tmp_path, catalogue, damage):
    path = tmp_path / "s.parquet"
    save_snapshot(catalogue, path)
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"cut": data[:-9], "text": b"id,title\n" * 9, "empty": b""}[damage])
    with pytest.raises(WorkspaceError, match="s.parquet can't be read: .*train again"):
        load_snapshot(path)


def test_another_programs_parquet_file_is_no_snapshot(tmp_path, catalogue):
    path = tmp_path / "s.parquet"
    catalogue.products.to_parquet(path)
    with pytest.raises(WorkspaceError, match="isn't a snapshot written by Rayon.*train again"):
        load_snapshot(path)


def test_a_later_format_is_refused(tmp_path, catalogue, monkeypatch):
    path = tmp_path / "s.parquet"
    monkeypatch.setattr(snapshot, "_FORMAT", 2)
    save_snapshot(catalogue, path)
    monkeypatch.undo()
    with pytest.raises(WorkspaceError, match="its format is 2, this version reads 1"):
        load_snapshot(path)


def test_other_labels_than_the_hash_says_are_refused(tmp_path, catalogue):
    path = tmp_path / "s.parquet"
    save_snapshot(catalogue, path)
    with pytest.raises(WorkspaceError, match="holds other labels than those with hash abab.*copy"):
        load_snapshot(path, "ab" * 32)


def test_a_full_disk_leaves_no_part(tmp_path, catalogue, monkeypatch):
    def fail(table, file, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot.pq, "write_table", fail)
    with pytest.raises(WorkspaceError, match="can't be written: No space left.*free some disk"):
        save_snapshot(catalogue, tmp_path / "s.parquet")
    assert list(tmp_path.iterdir()) == []
