"""The Models screen's buttons that change which model answers, with real folders behind them."""

import sys
from pathlib import Path

import pytest
from page_texts import texts, told
from sqlalchemy import select

from mmcore.jobs.local import LocalBackend
from mmcore.services.registry import register_folder
from mmcore.store.tables import ModelVersion, StageChange

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))  # helpers of the store's tests
from model_folders import damage, make_model  # noqa: E402


def button(app, label):
    return next(b for b in app.button if b.label.startswith(label))


def stages(shop):
    with shop.store.reading() as session:
        return dict(session.execute(select(ModelVersion.name, ModelVersion.stage)).all())


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    """No worker is started."""
    monkeypatch.setattr(LocalBackend, "wake", lambda self, now: False)


@pytest.fixture
def folders(app_shop):
    """Give m1, which answers, its folder and its turn, and put a candidate m2 beside it."""
    make_model(app_shop.workspace, "m1")
    turn = {"act": "activate", "stage_before": "candidate", "stage": "production"}
    with app_shop.store.writing() as session:
        session.add(StageChange(model_version_id=1, created_at=1.0, **turn))
        session.get(ModelVersion, 1).snapshot = "labels of m1"  # as its manifest says
    folder = make_model(app_shop.workspace, "m2", parent="m1")
    register_folder(app_shop.store, app_shop.workspace, "m2", 5.0)
    return folder


def test_a_lead_activates_a_version_and_goes_back(visit, app_shop, folders):
    app = visit("models_page", "lena", version="m2")
    button(app, "Activate m2").click().run()
    assert stages(app_shop)["m2"] == "production" and stages(app_shop)["m1"] != "production"
    assert any("m2 answers from now on; before it was m1" in t for t in told(app))
    button(app, "Roll back to m1").click().run()
    assert stages(app_shop)["m1"] == "production" and stages(app_shop)["m2"] != "production"
    assert any("Back to m1; before it was m2" in t for t in told(app))
    assert not app.exception


def test_who_switched_is_kept(visit, app_shop, folders):
    button(visit("models_page", "lena", version="m2"), "Activate m2").click().run()
    with app_shop.store.reading() as session:
        last = session.scalars(select(StageChange).order_by(StageChange.id.desc())).first()
        change = (last.act, last.annotator_id)
    assert change == ("activate", app_shop.people["lena"].id)


def test_a_screen_that_is_behind_switches_nothing(visit, app_shop, folders):
    make_model(app_shop.workspace, "m3")
    register_folder(app_shop.store, app_shop.workspace, "m3", 6.0)
    late = visit("models_page", "lena", version="m2")
    button(visit("models_page", "adam", version="m3"), "Activate m3").click().run()
    button(late, "Activate m2").click().run()
    assert stages(app_shop)["m3"] == "production", "lena saw m1 in production"
    assert any("m3" in toast for toast in told(late))


def test_a_damaged_folder_is_not_activated(visit, app_shop, folders):
    damage(folders)
    app = visit("models_page", "lena", version="m2")
    button(app, "Activate m2").click().run()
    assert stages(app_shop)["m1"] == "production"
    assert any("vocab.json" in toast for toast in told(app))


def test_the_files_of_a_version_are_held_to_their_checksums(visit, app_shop, folders):
    damage(folders)
    app = visit("models_page", "vera", version="m2")
    app.segmented_control(key="m.part").set_value("Files").run()
    app.toggle(key="m.check").set_value(True).run()
    table = next(t.value for t in app.dataframe if "sha256" in t.value)
    states = dict(zip(table["file"], table["state"], strict=True))
    assert states["vocab.json"] != states["config.json"] and not app.exception


def test_a_folder_whose_parts_do_not_fit_is_told_in_its_place(visit, app_shop, folders):
    app = visit("models_page", "vera", version="m2")  # its config.json is no JSON
    app.segmented_control(key="m.part").set_value("Training").run()
    assert app.error and "m2" in texts(app) and not app.exception
