"""Uploaded catalogues: kept, checked, predicted beside the screen, browsed, added, forgotten."""

import io
import json
import time
import zipfile

import openpyxl
import pandas as pd
import pytest
import torch

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.errors import CatalogueError, ConfigError, NotFoundError, RefusedError
from mmcore.runtime import TorchRuntime
from mmcore.services.batch_check import check_batch, require_usable
from mmcore.services.batch_result import (
    BatchRow,
    ResultFilter,
    add_to_catalogue,
    read_result,
    table_file,
)
from mmcore.services.batch_run import BatchRun
from mmcore.services.batches import (
    KEPT_DAYS,
    Upload,
    create_batch,
    delete_batch,
    forget_old,
    list_batches,
    map_columns,
    read_batch,
)
from mmcore.services.browse import product_detail
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.settings import Settings
from mmcore.workspace import Workspace

NOW = 1_800_000_000.0
TABLE = "ref;titre;texte;photo\na1;Livre d'été;Roman;a.jpg\na2;Piscine;;b.jpg\n;sans id;;\n"


def upload(name: str, content: str | bytes) -> Upload:
    data = content.encode() if isinstance(content, str) else content
    return Upload(name, io.BytesIO(data))


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def batch(workspace, make_photo):
    photos = [upload("a.jpg", make_photo()), upload("dossier/b.jpg", make_photo(seed=1))]
    return create_batch(workspace, [upload("été.csv", TABLE), *photos], NOW)


def test_a_table_and_its_photos_are_kept_and_found_again(workspace, batch):
    found = read_batch(workspace, batch.id)
    assert found == batch and found.name == "été.csv"
    assert found.columns == CsvColumns("ref", "titre", "texte", "photo")
    with zipfile.ZipFile(found.photos) as archive:
        assert archive.namelist() == ["a.jpg", "dossier/b.jpg"]
    assert [b.id for b in list_batches(workspace)] == [batch.id]


def test_a_workbook_is_read_as_people_see_it(workspace):
    book = openpyxl.Workbook()
    book.active.append(["id", "title", "price"])
    book.active.append([12.0, "Livre", 3.5])
    book.active.append([None, None, None])
    file = io.BytesIO()
    book.save(file)
    batch = create_batch(workspace, [upload("shop.xlsx", file.getvalue())], NOW)
    assert batch.source.read_text().splitlines() == ["id,title,price", "12,Livre,3.5"]
    assert batch.columns.product_id == "id" and batch.photos is None


@pytest.mark.parametrize(
    ("uploads", "told"),
    [
        ([("a.csv", TABLE), ("b.csv", TABLE)], "one table is needed.*a.csv, b.csv"),
        ([("a.jpg", b"x")], "one table is needed.*none"),
        ([("a.csv", TABLE), ("a.zip", b"x"), ("b.zip", b"x")], "2 ZIP archives and 0 photos"),
        ([("a.xlsx", b"no workbook")], "a.xlsx is no Excel workbook"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(workspace, uploads, told):
    with pytest.raises(CatalogueError, match=told):
        create_batch(workspace, [upload(*pair) for pair in uploads], NOW)
    assert list(workspace.batches.iterdir()) == []


def test_names_that_mean_harm_become_no_paths(workspace, make_photo):
    bad = upload("../../evil.jpg", make_photo())
    batch = create_batch(workspace, [upload("a.csv", TABLE), bad], NOW)
    inside = {path.name for path in workspace.home.rglob("*.jpg")}
    assert not inside and not (workspace.home.parent / "evil.jpg").exists()
    assert check_batch(batch).num_lost_photos == 2


@pytest.mark.parametrize("name", ["../models", "nobody", "", "a/b"])
def test_an_address_that_is_none_is_told(workspace, name):
    with pytest.raises(NotFoundError, match="there is no batch|can't be read"):
        read_batch(workspace, name)


def test_the_check_names_rows_and_lost_photos(batch):
    found = check_batch(batch)
    assert (found.num_products, found.num_left_out, found.num_named_photos) == (2, 1, 2)
    assert found.num_lost_photos == 0 and [row.product_id for row in found.first] == ["a1", "a2"]
    assert "4" in str(found.rows()[0]["line"])


def test_a_table_without_a_usable_row_says_why(workspace):
    batch = create_batch(workspace, [upload("a.csv", "ref;titre\n;x\n")], NOW)
    with pytest.raises(CatalogueError, match="no row can be used: line 2"):
        require_usable(check_batch(batch))


def test_other_columns_make_it_new_again(batch, workspace):
    batch.result.write_bytes(b"old")
    found = map_columns(batch, CsvColumns("ref", "texte"))
    assert read_batch(workspace, batch.id) == found
    assert found.state == "new" and not found.result.exists()


def test_it_goes_when_told_or_when_old(workspace, batch):
    assert forget_old(workspace, time.time()) == 0
    assert forget_old(workspace, time.time() + (KEPT_DAYS + 1) * 86_400) == 1
    with pytest.raises(NotFoundError):
        read_batch(workspace, batch.id)
    other = create_batch(workspace, [upload("a.csv", TABLE)], NOW)
    delete_batch(workspace, other.id)
    assert list_batches(workspace) == []


@pytest.fixture
def done(batch, artifact, workspace):
    run = BatchRun(batch, lambda: TorchRuntime(artifact, torch.device("cpu"), 1))
    run.wait(60)
    return read_batch(workspace, batch.id)


def test_it_is_predicted_beside_the_screen(done):
    assert (done.state, done.model, done.num_predicted) == ("done", "m1", 2)
    first, second = read_result(done)
    assert (first.product_id, first.title, first.image) == ("a1", "Livre d'été", "a.jpg")
    assert first.predicted in ("10", "2583") and 0.5 <= first.probability <= 1


def test_it_can_be_cancelled_and_keeps_nothing(batch, artifact, workspace):
    import threading

    go = threading.Event()

    def load():
        go.wait(30)
        return TorchRuntime(artifact, torch.device("cpu"), 1)

    run = BatchRun(batch, load)
    assert run.is_running
    run.cancel()
    go.set()
    run.wait(60)
    found = read_batch(workspace, batch.id)
    assert found.state == "cancelled" and "nothing of it was kept" in found.error
    assert not found.result.exists()


def test_a_refusal_is_kept_with_the_batch(batch, workspace):
    def load():
        raise ConfigError("no such model; choose another")

    BatchRun(batch, load).wait(60)
    found = read_batch(workspace, batch.id)
    assert (found.state, found.error) == ("failed", "no such model; choose another")


def test_files_are_tables_that_no_spreadsheet_runs(done):
    table = pd.read_parquet(done.result)
    table.loc[0, "problems"] = "=HYPERLINK(1)"
    table.to_parquet(done.result)
    csv = pd.read_csv(io.BytesIO(table_file(done, "csv")), dtype=str)
    assert csv["problems"][0] == "'=HYPERLINK(1)" and list(csv["product_id"]) == ["a1", "a2"]
    book = pd.read_excel(io.BytesIO(table_file(done, "xlsx")), dtype=str)
    assert book["problems"][0] == "'=HYPERLINK(1)"
    assert table_file(done, "parquet") == done.result.read_bytes()


def test_filters_choose_the_doubtful_and_the_disagreeing():
    sure = BatchRow("a", "", "", "", "10", "", 0.9, "10", "10", "")
    apart = BatchRow("b", "", "", "", "10", "", 0.9, "10", "40", "")
    blind = BatchRow("c", "", "", "", "40", "", 0.5, "40", "", "")
    rows = (sure, apart, blind)

    def chosen(**parts):
        return [row.product_id for row in rows if ResultFilter(**parts).takes(row)]

    assert chosen(below=0.7) == ["c"] and chosen(only_disagreeing=True) == ["b"]
    assert chosen(predicted="10") == ["a", "b"] and chosen() == ["a", "b", "c"]


def test_all_or_a_part_of_it_goes_into_the_catalogue(done, workspace):
    settings = Settings(home=workspace.home, device="cpu", decode_threads=1)
    with opened_store(workspace, settings) as store:
        lead = ensure_actor(store, "lena", "lead", NOW)
        anna = ensure_actor(store, "anna", "annotator", NOW)
        with pytest.raises(RefusedError):
            add_to_catalogue(store, anna, workspace, done, NOW)
        report = add_to_catalogue(store, lead, workspace, done, NOW, ["a2"])
        assert report.num_added == 1 and product_detail(store, "a2").photo
        report = add_to_catalogue(store, lead, workspace, done, NOW)
        assert (report.num_added, report.num_unchanged) == (1, 1)
        assert product_detail(store, "a1").label is None, "a prediction is no label"
    assert json.loads((done.folder / "batch.json").read_text())["state"] == "done"
