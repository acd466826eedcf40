"""Batch through AppTest: uploads kept, columns mapped, results looked through, added, deleted."""

import io
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from page_texts import texts, told

from mmcore.errors import ConfigError
from mmcore.services import batch_journal
from mmcore.services.batch_pace import BatchProgress
from mmcore.services.batch_run import BatchRun
from mmcore.services.batch_upload import Upload, create_batch
from mmcore.services.batches import list_batches, read_batch, save_batch
from mmcore.services.prediction_table import columns_of
from mmcore.ui.batch import running as running_module

TABLE = (
    "ref;titre;texte;photo\nb1;Piscine **ronde**;;a.jpg\nb2;Livre;Roman;\nb3;Flou;;\n;sans id;;\n"
)
# id, fused, probability, text, image
SAID = (
    ("b1", "2583", 0.95, "2583", "10"),
    ("b2", "10", 0.8, "10", ""),
    ("b3", "40", 0.4, "40", ""),
)


@pytest.fixture
def batch(app_shop, make_photo):
    files = [
        Upload("été.csv", io.BytesIO(TABLE.encode())),
        Upload("a.jpg", io.BytesIO(make_photo())),
    ]
    return create_batch(app_shop.workspace, files, time.time())


@pytest.fixture
def done(batch):
    """Return the batch with an answer to each product, as a prediction writes it."""
    rows = [
        {"product_id": key, "predicted": code, "name_fr": f"nom {code}", "probability": p}
        | {"text": text, "image": image, "problems": ""}
        for key, code, p, text, image in SAID
    ]
    pd.DataFrame(rows).reindex(columns=columns_of(("text", "image"))).to_parquet(batch.result)
    return save_batch(replace(batch, state="done", model="m1", num_predicted=3))


def button(app, label):
    return next(found for found in app.button if label in found.label)


def test_without_an_upload_there_is_nothing_to_check(visit):
    app = visit("batch_page", "vera")
    assert "Up to 200,000 products" in texts(app) and button(app, "Keep and check").disabled


def test_files_are_kept_and_let_go_of(visit, app_shop, make_photo):
    app = visit("batch_page", "vera")
    app.file_uploader(key="x.table.0").upload("été.csv", TABLE.encode(), "text/csv").run()
    photos = app.file_uploader(key="x.photos.ZIP or files.0")
    photos.upload("a.jpg", make_photo(), "image/jpeg").run()
    button(app, "Keep and check").click().run()
    (kept,) = list_batches(app_shop.workspace)
    assert not app.exception and app.query_params["id"] == kept.id
    assert kept.name == "été.csv" and kept.photos is not None
    assert [m.value for m in app.metric] == ["3", "1", "1", "0"]
    button(app, "Another upload").click().run()
    assert app.file_uploader(key="x.table.1").value is None
    assert "not predicted yet" in texts(app)


def test_what_cannot_be_kept_is_told(visit, app_shop):
    app = visit("batch_page", "vera")
    app.file_uploader(key="x.table.0").upload("a.csv", b"nothing", "text/csv").run()
    button(app, "Keep and check").click().run()
    assert "a.csv has a single column" in texts(app) and list_batches(app_shop.workspace) == []


def test_columns_are_guessed_and_changed(visit, app_shop, batch):
    app = visit("batch_page", "vera", id=batch.id)
    box = app.selectbox(key=f"x.column.{batch.id}.title")
    assert box.value == "titre"
    box.select("texte").run()
    assert read_batch(app_shop.workspace, batch.id).columns.title == "texte"
    app.selectbox(key=f"x.column.{batch.id}.product_id").select_index(0).run()
    assert "no column is given as the product id" in texts(app)
    assert not any(b.label == "Predict" for b in app.button)


@pytest.mark.parametrize("name", ["nobody", "../models"])
def test_an_address_that_is_none_is_told(visit, name):
    app = visit("batch_page", "vera", id=name)
    assert "there is no batch" in texts(app) and not app.exception


def test_results_are_narrowed(visit, done):
    app = visit("batch_page", "vera", id=done.id)
    assert "3 of 3 products; 2 for a person to look at" in texts(app)
    app.pills(key="x.only").set_value(["doubtful"]).run()
    assert "1 of 3 products" in texts(app)
    app.slider(key="x.below").set_value(85).run()
    assert "2 of 3 products" in texts(app)
    app.pills(key="x.only").set_value(["doubtful", "disagreeing"]).run()
    assert "No product is meant by these filters" in texts(app)
    app.pills(key="x.only").set_value(["disagreeing"]).run()
    assert "1 of 3 products" in texts(app)
    app.selectbox(key="x.class").select("10").run()
    assert "No product is meant" in texts(app) and not app.exception


def test_the_way_back_from_a_product_finds_its_batch(visit, done):
    app = visit("batch_page", "vera", batch=done.id, row="b1")
    assert "3 products predicted by m1" in [h.value for h in app.subheader]
    assert app.query_params["id"] == done.id and "row" not in app.query_params


@pytest.mark.parametrize("person", ["vera", "anna"])
def test_adding_needs_a_lead(visit, done, person):
    app = visit("batch_page", person, id=done.id)
    for label in ("Add all 3", "Send 2 doubtful"):
        found = button(app, label)
        assert found.disabled and "needs the role lead" in found.help


def test_the_doubtful_go_to_the_queue_then_all_to_the_catalogue(visit, app_shop, done, no_worker):
    app = visit("batch_page", "lena", id=done.id)
    button(app, "Send 2 doubtful").click().run()
    assert not app.exception and not app.error
    assert "2 products went to the catalogue" in texts(app)
    assert app_shop.product("b1").photo and app_shop.product("b3").title == "Flou"
    button(app, "Add all 3").click().run()
    assert "3 products went to the catalogue" in texts(app)
    assert app_shop.product("b2").class_id is None, "a prediction is no label"
    assert any("1 added" in toast and "2 unchanged" in toast for toast in told(app))


def test_a_name_is_shown_as_it_is(visit, app_shop):
    files = [Upload("*a*_[b](c).csv", io.BytesIO(TABLE.encode()))]
    batch = create_batch(app_shop.workspace, files, time.time())
    app = visit("batch_page", "vera", id=batch.id)
    assert app.subheader[0].value == r"\*a\*\_\[b\]\(c\)\.csv"


def test_an_upload_is_deleted(visit, app_shop, batch):
    app = visit("batch_page", "vera")
    app.button(key=f"x.delete.{batch.id}").click().run()
    assert list_batches(app_shop.workspace) == [] and not app.exception
    assert "Uploads so far" not in [h.value for h in app.subheader]


def test_a_prediction_is_watched_cancelled_and_begun_again(visit, app_shop, batch, monkeypatch):
    go = threading.Event()

    def load():
        go.wait(30)
        raise ConfigError("the model is gone; choose another")

    run = BatchRun(batch, load)
    try:
        running_module.runs()[batch.id] = run
        app = visit("batch_page", "vera", id=batch.id)
        assert [b.label for b in app.button if b.key == "x.cancel"] == ["Cancel"]
        assert not any(b.label == "Predict" for b in app.button)
        app.button(key="x.cancel").click().run()
        assert run.is_cancelled and app.button(key="x.cancel").disabled
    finally:
        go.set()
        run.wait(30)
    monkeypatch.setattr(
        running_module, "usable_versions", lambda desk: [type("V", (), {"name": "m1", "stage": ""})]
    )
    app = visit("batch_page", "vera", id=batch.id)
    assert "the model is gone; choose another" in texts(app)
    assert any(b.label == "Predict" for b in app.button)
    assert batch.id not in running_module.runs(), "a run that has ended holds no model"


def test_pace_and_time_left_are_told():
    def told(at, is_cancelled=False):
        return running_module._told(SimpleNamespace(at=at, is_cancelled=is_cancelled))

    assert told(None) == "reading the table"
    assert told(BatchProgress(64, 192)) == "64 of 192 products"
    assert (
        told(BatchProgress(64, 192, 0, 32.0)) == "64 of 192 products, 32 a second, about 4 s left"
    )
    assert "being finished" in told(BatchProgress(64, 192), is_cancelled=True)


def test_what_is_kept_of_a_run_that_ended_is_told(visit, batch, monkeypatch):
    header = batch_journal.new_header({"model": {"name": "m_1"}}, 200)
    with (
        pytest.raises(KeyboardInterrupt),
        batch_journal.opened(batch.result, header, False) as kept,
    ):
        kept.add(batch_journal.KeptPiece([["b1"]], [], 64))
        raise KeyboardInterrupt
    version = SimpleNamespace(name="m1", stage="")
    monkeypatch.setattr(running_module, "usable_versions", lambda desk: [version])
    app = visit("batch_page", "vera", id=batch.id)
    (shown,) = [info.value for info in app.info if "another model begins anew" in info.value]
    assert shown.startswith("64 of 200 rows, predicted by m\\_1 since") and not app.exception


@pytest.fixture
def no_worker(monkeypatch):
    """Keep a job from starting a process."""
    monkeypatch.setattr("mmcore.jobs.local.LocalBackend.wake", lambda self, now: None)
