"""The registry's folders: pruned, found, added, and which model answers."""

import pytest
from model_folders import damage, make_model
from registry_models import NOW, add_abc, add_job, fake_queue, in_production, stages
from sqlalchemy import func, select
from store_rows import add_predictions, add_products

from mmcore.errors import (
    ArtifactError,
    ConfigError,
    NotFoundError,
    RefusedError,
    StoreError,
)
from mmcore.holding import using
from mmcore.services import registry, registry_upkeep
from mmcore.services.models import model_folder, production_name
from mmcore.services.people import ensure_actor
from mmcore.services.registry_view import list_versions
from mmcore.settings import Settings
from mmcore.store.tables import ModelVersion, Prediction
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def lead(store):
    return ensure_actor(store, "lea", "lead", NOW)


@pytest.fixture(autouse=True)
def refreshed(monkeypatch):
    """Stand in for the queue, and keep what it was asked to refresh."""
    calls = []
    fake_queue(monkeypatch, calls)
    return calls


@pytest.fixture
def abc(store, workspace):
    return add_abc(store, workspace)


# -- pruning -------------------------------------------------------------------------------------


@pytest.fixture
def many(store, workspace, lead):
    """Eight models; m4 in production after m1, m2, m3."""
    for i in range(8):
        make_model(workspace, f"m{i}")
        registry.register_folder(store, workspace, f"m{i}", NOW + i)
    for name in ("m1", "m2", "m3", "m4"):
        registry.activate(store, lead, workspace, name, NOW + 50)
    return workspace


def folders(workspace):
    return sorted(p.name for p in workspace.models.glob("*"))


def test_pruning_keeps_production_the_way_back_and_the_newest(store, many, lead):
    done = registry_upkeep.prune(store, lead, many, keep=1)
    assert set(done.deleted) == {"m0", "m1", "m5", "m6"} and done.num_bytes > 0
    assert folders(many) == ["m2", "m3", "m4", "m7"]
    assert done.kept["m4"] == "in production" and "rollback" in done.kept["m3"]
    states = {v.name: v.folder for v in list_versions(store, many, check_files=True)}
    assert {n for n, s in states.items() if s == "pruned"} == set(done.deleted)
    assert registry_upkeep.compare_folders(store, many) == []
    with pytest.raises(ArtifactError, match="m1 was pruned"):
        registry.activate(store, lead, many, "m1", NOW)


def test_rolling_back_passes_over_the_pruned(store, many, lead):
    registry_upkeep.prune(store, lead, many, keep=0)
    names = [registry.rollback(store, lead, many, NOW + 60).name for _ in range(2)]
    assert names == ["m3", "m2"]
    with pytest.raises(RefusedError, match="no model before m2"):
        registry.rollback(store, lead, many, NOW + 61)


def test_a_model_that_is_read_or_judged_stays(store, many, lead):
    job = add_job(store)
    with store.writing() as session:
        session.scalar(select(ModelVersion).where(ModelVersion.name == "m5")).job_id = job
    with using(many.models / "m6"):
        done = registry_upkeep.prune(store, lead, many, keep=0)
    assert "job has not ended" in done.kept["m5"] and "reading" in done.kept["m6"]
    assert {"m5", "m6"} <= set(folders(many)) and "m7" in done.deleted
    assert "m6" in registry_upkeep.prune(store, lead, many, keep=0).deleted


def test_a_pruning_that_was_killed_is_finished_by_the_next(store, many, lead):
    with store.writing() as session:  # marked, and then the power went
        session.scalar(select(ModelVersion).where(ModelVersion.name == "m0")).is_pruned = True
    (many.models / ".pruned-m9-abcd").mkdir()
    assert [m.problem for m in registry_upkeep.compare_folders(store, many)] == [
        "pruned, but its folder is there",
        "unfinished or half deleted",
    ]
    registry_upkeep.prune(store, lead, many, keep=9)
    assert registry_upkeep.compare_folders(store, many) == []
    assert "m0" not in folders(many)


def test_a_negative_number_to_keep_is_refused(store, workspace, lead):
    with pytest.raises(ConfigError, match="keep is -1; it must be 0 or more"):
        registry_upkeep.prune(store, lead, workspace, -1)


# -- folders copied in, and which model answers -------------------------------------------------


def test_a_folder_copied_in_is_found_and_added(store, workspace, lead):
    make_model(workspace, "copied")
    (mismatch,) = registry_upkeep.compare_folders(store, workspace)
    assert (mismatch.name, mismatch.advice) == ("copied", "models add copied")
    registry_upkeep.add(store, lead, workspace, "copied", NOW)
    assert registry_upkeep.compare_folders(store, workspace) == []
    assert stages(store) == {"copied": "candidate"}
    damage(workspace.models / "copied")
    assert "altered" in registry_upkeep.compare_folders(store, workspace)[0].problem


def test_a_pruned_model_whose_folder_was_put_back_is_added_again(store, many, lead):
    registry_upkeep.prune(store, lead, many, keep=0)
    make_model(many, "m0")
    registry_upkeep.add(store, lead, many, "m0", NOW)
    registry.activate(store, lead, many, "m0", NOW)
    assert in_production(store) == ["m0"]


@pytest.mark.parametrize("name", ["nowhere", "../models", ".hidden", ""])
def test_only_folders_of_the_workspace_can_be_added(store, workspace, lead, name):
    with pytest.raises(NotFoundError, match="there is no folder"):
        registry_upkeep.add(store, lead, workspace, name, NOW)


def test_without_a_name_production_answers_else_the_newest(store, workspace, lead, abc):
    settings = Settings(workspace.home, "cpu", 1, database_url=store.url)
    newest = model_folder(workspace, settings, None).name
    assert newest in "abc" and production_name(workspace, settings) is None
    for name in "ab":
        registry.activate(store, lead, workspace, name, NOW)
        assert model_folder(workspace, settings, None).name == name
    assert model_folder(workspace, settings, "c").name == "c"


def test_a_workspace_without_a_database_opens_none(tmp_path):
    workspace = Workspace(tmp_path).create()
    assert production_name(workspace, Settings(tmp_path, "cpu", 1)) is None
    assert not workspace.database_file.exists()
    workspace.database_file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="which model is in production.*name one with --model"):
        production_name(workspace, Settings(tmp_path, "cpu", 1))


def test_predictions_of_a_pruned_model_go_with_it(store, many, lead):
    ids = add_products(store, 7)
    with store.reading() as session:
        versions = dict(session.execute(select(ModelVersion.name, ModelVersion.id)).all())
    for name in ("m0", "m4"):
        add_predictions(store, versions[name], ids)
    registry_upkeep.FORGET_ROWS, before = 3, registry_upkeep.FORGET_ROWS
    try:
        registry_upkeep.prune(store, lead, many, keep=0)
    finally:
        registry_upkeep.FORGET_ROWS = before
    with store.reading() as session:
        counts = select(Prediction.model_version_id, func.count()).group_by(
            Prediction.model_version_id
        )
        assert dict(session.execute(counts).all()) == {versions["m4"]: 7}
