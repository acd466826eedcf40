"""The catalogue file: what is saved is loaded, and nothing else is taken for one."""

import pandas as pd
import pytest

from mmcore.catalog import products as products_module
from mmcore.catalog.products import (
    BASE_COLUMNS,
    Catalogue,
    ClassName,
    load_catalogue,
    make_frame,
    name_classes,
    order_codes,
    save_catalogue,
)
from mmcore.errors import WorkspaceError


@pytest.fixture
def catalogue() -> Catalogue:
    frame = make_frame(
        [
            ("1", "été", "", "ab" * 32, "10", "g", "train", "0f" * 8, "12,90"),
            ("2", "a\nb", "=1+1", "", "", "h", "test", "", ""),
        ],
        ["prix"],
    )
    return Catalogue(frame, (ClassName("10", "Livres", "Books"),), "csv", frozenset({"2"}))


def test_what_is_saved_is_loaded(tmp_path, catalogue):
    path = tmp_path / "catalogue.parquet"
    save_catalogue(catalogue, path)
    loaded = load_catalogue(path)
    pd.testing.assert_frame_equal(loaded.products, catalogue.products)
    assert (loaded.classes, loaded.source) == (catalogue.classes, "csv")
    assert loaded.given_splits == {"2"}
    assert loaded.class_codes == ("10",) and loaded.extra_columns == ("prix",)


def test_an_empty_frame_has_text_columns():
    frame = make_frame([], ["prix"])
    assert tuple(frame.columns) == (*BASE_COLUMNS, "prix")
    assert {str(dtype) for dtype in frame.dtypes} == {"str"}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["2583", "10", "1140", "10"], ["10", "1140", "2583"]),
        (["10", "9", "-1", "09"], ["-1", "09", "9", "10"]),
        (["10", "9", "livre"], ["10", "9", "livre"]),
        (["b", "a"], ["a", "b"]),
        ([], []),
    ],
)
def test_integer_codes_are_in_numerical_order(codes, expected):
    assert order_codes(codes) == expected


def test_a_class_without_a_known_name_is_shown_as_it_is():
    books = ClassName("10", "Livres", "Books")
    assert name_classes(["40", "10"], {"10": books}) == (books, ClassName("40", "40", "40"))


def test_no_catalogue_yet_says_how_to_get_one(tmp_path):
    with pytest.raises(WorkspaceError, match="no catalogue yet; run `python -m mmcore import csv"):
        load_catalogue(tmp_path / "catalogue.parquet")


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "folder"])
def test_a_damaged_file_says_what_to_do(tmp_path, catalogue, damage):
    path = tmp_path / "catalogue.parquet"
    save_catalogue(catalogue, path)
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes({"cut": data[:-9], "text": b"id,title\n" * 9, "empty": b""}[damage])
    with pytest.raises(WorkspaceError, match="catalogue.parquet can't be read.*--replace`, or put"):
        load_catalogue(path)


def test_another_programs_parquet_file_is_no_catalogue(tmp_path, catalogue):
    path = tmp_path / "catalogue.parquet"
    catalogue.products.to_parquet(path)
    with pytest.raises(WorkspaceError, match="isn't a catalogue written by Rayon.*import again"):
        load_catalogue(path)


def test_a_later_format_is_refused(tmp_path, catalogue, monkeypatch):
    path = tmp_path / "catalogue.parquet"
    monkeypatch.setattr(products_module, "_FORMAT", 2)
    save_catalogue(catalogue, path)
    monkeypatch.undo()
    with pytest.raises(WorkspaceError, match="its format is 2, this version reads 1"):
        load_catalogue(path)


def test_missing_values_may_not_be_nan(tmp_path, catalogue):
    broken = catalogue.products.assign(title=pd.Series(["a", None], dtype="str"))
    with pytest.raises(ValueError, match="column 'title' holds NaN; write missing values as ''"):
        save_catalogue(Catalogue(broken, (), "csv"), tmp_path / "c.parquet")


def test_a_full_disk_leaves_the_old_catalogue(tmp_path, catalogue, monkeypatch):
    path = tmp_path / "catalogue.parquet"
    save_catalogue(catalogue, path)
    before = path.read_bytes()

    def fail(table, file, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(products_module.pq, "write_table", fail)
    with pytest.raises(WorkspaceError, match="No space left.*old one is untouched; free some disk"):
        save_catalogue(catalogue, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
