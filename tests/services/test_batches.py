"""Uploaded catalogues: kept, checked, predicted beside the screen, browsed, added, forgotten."""

import io
import json
import threading
import time
import zipfile
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
import torch

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.errors import CatalogueError, ConfigError, NotFoundError, RefusedError
from mmcore.runtime import Runtime
from mmcore.services import batches
from mmcore.services.batch_adding import BatchPart, add_to_catalogue
from mmcore.services.batch_check import check_batch, remarks_file, require_usable
from mmcore.services.batch_product import batch_product
from mmcore.services.batch_result import (
    BatchRow,
    ResultFilter,
    read_result,
    rows_shown,
    table_file,
)
from mmcore.services.batch_run import BatchRun, unfinished_batch
from mmcore.services.batch_upload import Upload, create_batch
from mmcore.services.batches import (
    KEPT_DAYS,
    Batch,
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
from mmcore.store.products import CatalogueFacts, write_facts
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
        ([("a.csv", TABLE), ("b.zip", b"no ZIP")], "^b.zip is neither a folder nor a ZIP"),
        ([("a.csv", "one\n1\n")], "^a.csv has a single column"),
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
    lines = remarks_file(found.rows()).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("line,product_id") and lines[1].startswith("4,")


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
    run = BatchRun(batch, lambda: Runtime(artifact, torch.device("cpu"), 1))
    run.wait(60)
    return read_batch(workspace, batch.id)


def test_it_is_predicted_beside_the_screen(done):
    assert (done.state, done.model, done.num_predicted) == ("done", "m1", 2)
    first, second = read_result(done)
    assert (first.product_id, first.title, first.image) == ("a1", "Livre d'été", "a.jpg")
    assert first.predicted in ("10", "2583") and 0.5 <= first.probability <= 1


def test_it_can_be_cancelled_and_keeps_nothing(batch, artifact, workspace):
    go = threading.Event()

    def load():
        go.wait(30)
        return Runtime(artifact, torch.device("cpu"), 1)

    run = BatchRun(batch, load)
    assert run.is_running
    run.cancel()
    go.set()
    run.wait(60)
    found = read_batch(workspace, batch.id)
    assert found.state == "cancelled" and "cancelled before it began" in found.error
    assert not found.result.exists()


def slow(artifact, seen: list[int], cancel):
    """Return a model that has itself cancelled with its second piece."""

    class Slow(Runtime):
        def stream(self, pieces):
            for found in super().stream(pieces):
                seen.append(len(found))
                if len(seen) == 2:
                    cancel()
                yield found

    return Slow(artifact, torch.device("cpu"), 1)


def cancelled_midway(batch, workspace, artifact) -> Batch:
    """Return a batch of 200 products, cancelled when 128 of them were predicted."""
    table = "".join(f"p{i};Livre;;\n" for i in range(200))
    batch.source.write_text("ref;titre;texte;photo\n" + table)
    runs, started = [], threading.Event()

    def load():
        started.wait(30)
        return slow(artifact, [], runs[0].cancel)

    runs.append(BatchRun(batch, load))
    started.set()
    runs[0].wait(60)
    return read_batch(workspace, batch.id)


def test_cancelled_on_the_way_what_was_predicted_before_stays(done, artifact, workspace):
    before = done.result.read_bytes()
    found = cancelled_midway(done, workspace, artifact)
    assert found.state == "done" and "was cancelled" in found.error
    assert found.result.read_bytes() == before and found.num_predicted == 2
    kept = unfinished_batch(found)
    assert (kept.model, kept.num_done, kept.total) == ("m1", 128, 200)


def test_the_same_model_goes_on_another_begins_anew(batch, artifact, workspace):
    left = cancelled_midway(batch, workspace, artifact)
    assert left.state == "cancelled" and not left.result.exists()
    part = left.result.with_name("result.parquet.part")
    half = part.read_bytes()
    for name, num_asked in (("m1", [64, 8]), ("m2", [64, 64, 64, 8])):
        part.write_bytes(half)
        other = replace(artifact, manifest=replace(artifact.manifest, name=name))
        seen: list[int] = []
        BatchRun(left, lambda o=other, s=seen: slow(o, s, lambda: None)).wait(60)
        found = read_batch(workspace, batch.id)
        assert (found.state, found.error, found.model) == ("done", "", name)
        assert seen == num_asked and len(read_result(found)) == found.num_predicted == 200
        assert unfinished_batch(found) is None


def test_other_columns_drop_what_is_unfinished(batch, artifact, workspace):
    left = cancelled_midway(batch, workspace, artifact)
    assert unfinished_batch(map_columns(left, CsvColumns("ref", "texte"))) is None


def test_a_batch_that_is_deleted_while_it_runs_stays_deleted(batch, artifact, workspace):
    def load():
        delete_batch(workspace, batch.id)
        raise ConfigError("too late")

    BatchRun(batch, load).wait(60)
    assert not batch.folder.exists() and list_batches(workspace) == []


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
    assert list(csv["title"]) == ["Livre d'été", "Piscine"]
    book = pd.read_excel(io.BytesIO(table_file(done, "xlsx")), dtype=str)
    assert book["problems"][0] == "'=HYPERLINK(1)"
    raw = pd.read_parquet(io.BytesIO(table_file(done, "parquet")))
    assert raw["problems"][0] == "=HYPERLINK(1)" and list(raw.columns[:2]) == [
        "product_id",
        "title",
    ]
    with pytest.raises(ConfigError, match="'pdf'.*csv, xlsx, parquet"):
        table_file(done, "pdf")


def test_a_workbook_takes_no_control_characters(workspace, artifact):
    batch = create_batch(workspace, [upload("a.csv", "ref;titre\na;Livre\x0b rouge\n")], NOW)
    BatchRun(batch, lambda: Runtime(artifact, torch.device("cpu"), 1)).wait(60)
    book = pd.read_excel(io.BytesIO(table_file(read_batch(workspace, batch.id), "xlsx")), dtype=str)
    assert book["title"][0] == "Livre rouge"


def test_filters_choose_the_doubtful_and_the_disagreeing():
    sure = BatchRow("a", "", "", "", "10", "", 0.9, "10", "10", "")
    apart = BatchRow("b", "", "", "", "10", "", 0.9, "10", "40", "")
    blind = BatchRow("c", "", "", "", "40", "", 0.5, "40", "", "")
    rows = (sure, apart, blind)

    def chosen(**parts):
        return [row.product_id for row in rows if ResultFilter(**parts).takes(row)]

    assert chosen(below=0.7) == ["c"] and chosen(only_disagreeing=True) == ["b"]
    assert chosen(predicted="10") == ["a", "b"] and chosen() == ["a", "b", "c"]
    wanted = ResultFilter()
    assert [r.product_id for r in rows_shown(rows, wanted, "least sure first")] == ["c", "a", "b"]
    assert [r.product_id for r in rows_shown(rows, wanted)] == ["a", "b", "c"]
    with pytest.raises(ConfigError, match="'price'.*least sure first"):
        rows_shown(rows, wanted, "price")


def test_confidence_is_a_word():
    def word(probability, below, predicted="10"):
        row = BatchRow("a", "", "", "", predicted, "", probability, "10", "40", "")
        return row.confidence(below)

    assert [word(p, 0.7) for p in (0.69, 0.7, 0.89, 0.9)] == ["doubtful", "fair", "fair", "sure"]
    assert word(0.92, 0.95) == "doubtful" and word(0.95, 0.95) == "sure"
    assert word(0.0, 0.7, "") == "no answer"
    sure = BatchRow("a", "", "", "", "10", "", 0.99, "10", "40", "")
    assert sure.is_doubtful(0.7), "text and photo differ: a person should look"


def test_a_product_of_a_batch_is_found_by_itself(batch, workspace, make_photo):
    found = batch_product(workspace, batch.id, "a2")
    assert (found.title, found.description) == ("Piscine", "")
    assert found.photo == make_photo(seed=1)
    with pytest.raises(NotFoundError, match="été.csv has no product 'a9'"):
        batch_product(workspace, batch.id, "a9")


def test_more_products_than_a_screen_holds_are_refused(batch, monkeypatch):
    monkeypatch.setattr(batches, "MAX_PRODUCTS", 1)
    with pytest.raises(CatalogueError, match="été.csv has more than 1 products.*predict-batch"):
        check_batch(batch)


def test_all_or_a_part_of_it_goes_into_the_catalogue(done, workspace):
    settings = Settings(home=workspace.home, device="cpu", decode_threads=1)
    with opened_store(workspace, settings) as store:
        lead = ensure_actor(store, "lena", "lead", NOW)
        anna = ensure_actor(store, "anna", "annotator", NOW)
        with pytest.raises(RefusedError):
            add_to_catalogue(store, anna, workspace, BatchPart(done), NOW)
        some = BatchPart(done, frozenset({"a2"}))
        report = add_to_catalogue(store, lead, workspace, some, NOW)
        assert report.num_added == 1 and product_detail(store, "a2").photo
        assert {path.name for path in done.folder.iterdir()} == {
            *("source.csv", "photos.zip", "batch.json", "result.parquet")
        }
        report = add_to_catalogue(store, lead, workspace, BatchPart(done), NOW + 1)
        assert (report.num_added, report.num_unchanged) == (1, 1)
        assert product_detail(store, "a1").label is None, "a prediction is no label"
    assert json.loads((done.folder / "batch.json").read_text())["state"] == "done"
    found = read_batch(workspace, done.id)
    assert (found.num_added, found.added_at) == (2, NOW + 1)


def test_a_part_keeps_classes_groups_splits_and_further_columns(workspace):
    table = 'ref,titre,categorie,groupe,split,prix\na1,"Un; deux",10,g,test,3\na2,x,40,,train,4\n'
    batch = create_batch(workspace, [upload("a.csv", table)], NOW)
    settings = Settings(home=workspace.home, device="cpu", decode_threads=1)
    with opened_store(workspace, settings) as store:
        lead = ensure_actor(store, "lena", "lead", NOW)
        add_to_catalogue(store, lead, workspace, BatchPart(batch, frozenset({"a1"})), NOW)
        found = product_detail(store, "a1")
    assert (found.title, found.label.code, found.split) == ("Un; deux", "10", "test")
    assert found.extra == {"prix": "3"}


def test_real_products_stay_out_of_a_drawn_catalogue(workspace, batch):
    settings = Settings(home=workspace.home, device="cpu", decode_threads=1)
    with opened_store(workspace, settings) as store:
        lead = ensure_actor(store, "lena", "lead", NOW)
        with store.writing() as session:
            write_facts(session, CatalogueFacts("drawn"))
        with pytest.raises(CatalogueError, match="a model must not learn from both"):
            add_to_catalogue(store, lead, workspace, BatchPart(batch), NOW)
        drawn = create_batch(workspace, [upload("d.csv", "ref;titre;_drawn\nd1;x;drawn\n")], NOW)
        assert add_to_catalogue(store, lead, workspace, BatchPart(drawn), NOW).num_added == 1
