"""models, backup and restore as a person types them."""

import json
import sys
import types
from pathlib import Path

import pytest
from sqlalchemy import update

from mmcore.cli.app import main
from mmcore.services.opening import opened_store
from mmcore.services.registry import register_folder
from mmcore.settings import Settings
from mmcore.store.tables import ModelVersion
from mmcore.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))  # helpers of the store's tests
from model_folders import make_model  # noqa: E402
from store_rows import add_classes, add_predictions, add_products, add_version  # noqa: E402


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a workspace with three registered models; the queue is somebody else's."""
    monkeypatch.delenv("MMCORE_DATABASE_URL", raising=False)
    module = types.ModuleType("mmcore.services.queue")
    module.refresh = lambda *_: None
    monkeypatch.setitem(sys.modules, "mmcore.services.queue", module)
    monkeypatch.setattr(sys.modules["mmcore.services"], "queue", module, raising=False)
    workspace = Workspace(tmp_path / "home").create()
    with opened_store(workspace, Settings(workspace.home, "cpu", 1)) as store:
        for i, name in enumerate(("a", "b", "c")):
            make_model(workspace, name)
            register_folder(store, workspace, name, 1000.0 + i)
    return workspace.home


def run(capsys, home, *arguments):
    """Return what a command printed as JSON."""
    capsys.readouterr()
    assert main(["--home", str(home), *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def shown(capsys, home, *arguments):
    capsys.readouterr()
    assert main(["--home", str(home), *map(str, arguments)]) == 0
    return capsys.readouterr().out


def refused(capsys, home, *arguments):
    capsys.readouterr()
    assert main(["--home", str(home), *map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    return captured.err


def stages(capsys, home):
    return {m["name"]: m["stage"] for m in run(capsys, home, "models", "list")["models"]}


def test_a_model_is_activated_listed_shown_and_rolled_back(home, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # the table in whole, whatever terminal this is
    for name in ("a", "b"):
        done = run(capsys, home, "models", "activate", name, "--yes", "--reason", "try it")
    assert (done["name"], done["before"], done["has_changed"]) == ("b", "a", True)
    assert stages(capsys, home) == {"a": "archived", "b": "production", "c": "candidate"}
    history = shown(capsys, home, "models", "show", "b")
    assert "b: production" in history and "activate by local, now production: try it" in history
    table = shown(capsys, home, "models", "list")
    assert "production" in table and "0.500" in table
    assert run(capsys, home, "models", "rollback", "--yes")["name"] == "a"
    assert "no model before a" in refused(capsys, home, "models", "rollback", "--yes")


@pytest.fixture
def started(monkeypatch):
    """Return the workers that commands would have started."""
    names = []
    monkeypatch.setattr("mmcore.jobs.local.start_worker", lambda *arguments: names.append(1))
    return names


@pytest.fixture
def shop_file(tmp_path):
    file = tmp_path / "shop.csv"
    file.write_text("id,title,label\n1,chaise rouge,A\n2,table bleue,B\n")
    return file


def produce(home, name):
    with (
        opened_store(Workspace(home), Settings(home, "cpu", 1)) as store,
        store.writing() as session,
    ):
        version = ModelVersion.name == name
        session.execute(update(ModelVersion).where(version).values(stage="production"))


def test_new_products_are_predicted_on_demand(home, capsys, monkeypatch):
    from mmcore.services import predictions

    report = predictions.PredictionReport("a", 3, 1, 0.1, ())
    assert run(capsys, home, "models", "predict") == {}
    monkeypatch.setattr(predictions, "catch_up", lambda *_: report)
    assert run(capsys, home, "models", "predict")["num_predicted"] == 3
    text = shown(capsys, home, "models", "predict")
    assert "a predicted 3 products, 1 with nothing to go by" in text


def test_an_import_says_that_predictions_are_being_made(home, capsys, shop_file, started):
    assert main(["--home", str(home), "import", "csv", str(shop_file)]) == 0
    assert "predictions" not in capsys.readouterr().err and not started
    produce(home, "a")
    assert main(["--home", str(home), "import", "csv", str(shop_file)]) == 0
    said = capsys.readouterr().err
    assert "predictions of 2 products are being made for the queue (job 1)" in said and started
    job = run(capsys, home, "import", "csv", shop_file)["predictions"]
    assert job == {"job_id": 1, "is_new": False, "num_products": 2, "checks_labels": False}
    (listed,) = run(capsys, home, "jobs", "list")["jobs"]
    assert (listed["kind"], listed["state"], listed["who"]) == ("predict", "queued", "local")


def test_a_switch_is_followed_by_predictions_for_what_the_model_lacks(
    home, capsys, shop_file, started
):
    run(capsys, home, "import", "csv", shop_file)
    assert run(capsys, home, "models", "activate", "a", "--yes")["predictions"]["num_products"] == 2
    run(capsys, home, "models", "activate", "b", "--yes")
    back = run(capsys, home, "models", "rollback", "--yes")
    assert back["name"] == "a" and back["predictions"]["job_id"] == 1


def test_an_import_is_done_though_no_worker_can_be_started(home, capsys, shop_file, monkeypatch):
    def cannot(*arguments):
        raise OSError(11, "out of processes")

    monkeypatch.setattr("mmcore.jobs.local.start_worker", cannot)
    produce(home, "a")
    assert run(capsys, home, "import", "csv", shop_file)["num_added"] == 2
    assert [j["state"] for j in run(capsys, home, "jobs", "list")["jobs"]] == ["queued"]


def test_without_a_terminal_nothing_is_changed_unasked(home, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    for arguments in (("activate", "a"), ("rollback",), ("prune", "--keep", "0")):
        assert "say --yes" in refused(capsys, home, "models", *arguments)
    assert set(stages(capsys, home).values()) == {"candidate"}


def test_pruning_tells_what_went_and_what_stayed(home, capsys):
    run(capsys, home, "models", "activate", "a", "--yes")
    done = run(capsys, home, "models", "prune", "--keep", "1", "--yes")
    assert done["deleted"] == ["b"] and set(done["kept"]) == {"a", "c"}
    assert "kept a: in production" in shown(capsys, home, "models", "prune", "--yes")


def test_a_copied_folder_is_noticed_and_added(home, capsys):
    make_model(Workspace(home), "copied")
    (found,) = run(capsys, home, "models", "list", "--check")["mismatches"]
    assert found["advice"] == "models add copied"
    run(capsys, home, "models", "add", "copied")
    assert stages(capsys, home)["copied"] == "candidate"
    assert "there is no folder 'x'" in refused(capsys, home, "models", "add", "x")


def test_comparing_shows_checks_and_changed_products(home, capsys):
    with opened_store(Workspace(home), Settings(home, "cpu", 1)) as store:
        ids = list(add_classes(store).values())
        products = add_products(store, 30)
        old, new = (
            add_version(store, name, stage=stage, created_at=2000.0)
            for name, stage in (("old", "production"), ("new", "candidate"))
        )
        add_predictions(store, old, products)
        add_predictions(store, new, products, fused_class_id=lambda i: ids[i % 3])
    result = run(capsys, home, "models", "compare", "--products", "2")
    assert (result["model"], result["against"], result["passed"]) == ("new", "old", True)
    assert result["changes"]["fused"] == {
        "fixed": 20,
        "broken": 0,
        "changed_wrong": 0,
        "same": 10,
        "changed": 0,
        "unchanged": 0,
    }
    assert [p["outcome"] for p in result["products"]] == ["fixed", "fixed"]
    text = shown(capsys, home, "models", "compare", "new")
    assert "above old's" in text and "passed" in text and "titre 1" in text


def test_a_backup_is_made_checked_and_restored(home, capsys, tmp_path):
    path = tmp_path / "shop.rayon"
    made = run(capsys, home, "backup", path)
    assert made["counts"]["model versions"] == 3 and made["bytes"] == path.stat().st_size
    assert "exists; choose another name" in refused(capsys, home, "backup", path)
    assert run(capsys, home, "restore", path, "--check")["restored"] is False
    assert "isn't empty" in refused(capsys, home, "restore", path)
    other = tmp_path / "other"
    assert "3 model versions" in shown(capsys, other, "restore", path)
    assert stages(capsys, other) == stages(capsys, home)
    again = run(capsys, other, "restore", path, "--replace", "--yes")
    assert again["kept"].startswith(str(other))
    path.write_bytes(path.read_bytes()[:-10])
    assert "its end is missing" in refused(capsys, home, "restore", path, "--check")


def test_a_trained_model_is_registered(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MMCORE_OFFLINE", "1")
    rows = [
        f"p{i},{('piscine', 'livre')[i % 2]} {i},{('1', '2')[i % 2]},"
        f"{('train', 'train', 'train', 'val', 'test')[i % 5]}"
        for i in range(60)
    ]
    source = tmp_path / "shop.csv"
    source.write_text("\n".join(["id,title,label,split", *rows]))
    home = tmp_path / "home"
    shown(capsys, home, "import", "csv", source)
    shown(capsys, home, "train", "--epochs1", "1", "--name", "m1")
    (model,) = run(capsys, home, "models", "list", "--check")["models"]
    assert (model["name"], model["stage"], model["folder"]) == ("m1", "candidate", "present")
    assert model["scores"]["fused"]["n"] > 0
