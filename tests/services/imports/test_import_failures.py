"""Imports that fail, crash or meet another one: all or nothing."""

import pytest
from import_content import GOOD, HEADER, NOW, counts, everything, is_empty, products

from mmcore.errors import CatalogueError, RefusedError, StoreError, WorkspaceError
from mmcore.services import import_run
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.opening import open_store
from mmcore.services.people import ensure_actor
from mmcore.settings import read_settings

# --- all or nothing


def test_a_file_of_bad_rows_changes_nothing(shop, store):
    with pytest.raises(CatalogueError) as caught:
        shop(HEADER + ",a,,,c\n1,,,,c\n2,a\n3,b\n")
    message = str(caught.value)
    assert "none of the 4 rows" in message and "nothing was imported" in message
    assert "line 2: no product id" in message and "line 4: number of fields is 2" in message
    assert "line 5" not in message
    assert is_empty(store)


def test_drawn_and_real_products_dont_mix(shop, workspace, store):
    drawn = HEADER + "d1,a,,,c\n"
    shop(drawn, source="drawn")
    with pytest.raises(
        CatalogueError,
        match="holds 1 drawn products, and shop.csv has real ones.*"
        "--replace, or choose another workspace with --home",
    ):
        shop(HEADER + "1,a,,,c\n")
    report = shop(HEADER + "1,a,,,c\n", replace=True)
    assert report.totals.num_products == 1
    assert load_catalogue(store).source == "csv"
    with pytest.raises(CatalogueError, match="holds 1 real products, and shop.csv has drawn ones"):
        shop(drawn, source="drawn")


@pytest.mark.parametrize("part", ["settle_splits", "settle_queue"])
def test_a_crash_leaves_the_old_catalogue(part, shop, store, monkeypatch):
    shop(HEADER + "1,a,,,c\n")
    before = everything(store)

    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_run, part, fail)
    with pytest.raises(KeyboardInterrupt):
        shop(HEADER + "1,b,,,d\n2,b,,,c\n", replace=True)
    assert everything(store) == before


def test_a_damaged_database_is_told_of_and_left_alone(workspace):
    workspace.create()
    workspace.database_file.write_bytes(b"damaged" * 999)
    with pytest.raises(StoreError, match="isn't a database; restore the last backup"):
        open_store(workspace, read_settings(workspace.home))
    assert workspace.database_file.read_bytes() == b"damaged" * 999


def test_two_imports_at_once_both_go_in(shop, store, monkeypatch):
    compare, others = import_run.plan_import, iter([HEADER + "9,z,,,c\n", HEADER + "8,y,,,d\n"])

    def overtaken(*args):
        plan = compare(*args)
        if text := next(others, None):
            shop(text)  # another one compares and writes in between
        return plan

    monkeypatch.setattr(import_run, "plan_import", overtaken)
    report = shop(HEADER + "1,a,,,e\n")
    assert sorted(products(store).index) == ["1", "8", "9"]
    assert counts(report) == (1, 0, 0, 0) and report.totals.num_products == 3


def test_an_import_that_is_always_overtaken_gives_up(shop, store, monkeypatch):
    monkeypatch.setattr(import_run, "_write", lambda *args: None)
    with pytest.raises(CatalogueError, match="changed 5 times by others while shop.csv was.*again"):
        shop(HEADER + "1,a,,,c\n")
    assert is_empty(store)


def test_only_a_lead_may_import(shop, store):
    with pytest.raises(RefusedError, match="anna is annotator, this needs lead"):
        shop(HEADER + "1,a,,,c\n", actor=ensure_actor(store, "anna", "annotator", NOW))
    assert is_empty(store)


def test_a_full_disk_while_photos_are_stored(shop, store, monkeypatch):
    def fail(path, write):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmcore.photos.write_atomically", fail)
    with pytest.raises(WorkspaceError, match="can't be stored.*No space left.*free some disk"):
        shop(HEADER + "1,a,,a.jpg,c\n", {"a.jpg": GOOD})
    assert is_empty(store)
