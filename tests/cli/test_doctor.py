"""doctor: each thing that may be wrong is found, named and has its advice."""

import json
import shutil

import pytest

from mmcore.cli.app import main
from mmcore.services import finding, health_machine, health_workspace


def examined(capsys, home, code: int) -> dict[str, dict]:
    """Return doctor's findings by what was looked at; the last one of a kind."""
    assert main(["doctor", "--home", str(home), "--json"]) == code
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report["ok"] is (code == 0)
    assert captured.err.startswith("error: ") == (code == 1)
    assert len(captured.err.splitlines()) == code
    for row in report["findings"]:
        assert row["advice"] or row["state"] == "ok", row
    return {row["what"]: row for row in report["findings"]}


def test_a_good_workspace(trained, capsys):
    found = examined(capsys, trained, 0)
    for what in (
        *("Python", "torch", "pillow", "torch and torchvision", "photo decoding", "workspace"),
        *("disk", "catalogue", "photos", "model", "weights of efficientnet_lite0"),
    ):
        assert found[what]["state"] == "ok", what
    assert {f"weights of {name}" for name in ("mobilenet_v2", "efficientnet_b0")} <= set(found)
    assert {"device"} <= set(found) and "left over" not in found


def test_a_workspace_that_is_not_there_yet(home, capsys):
    found = examined(capsys, home, 0)
    assert found["workspace"]["state"] == found["catalogue"]["state"] == "note"
    assert not home.exists()


def test_models_that_is_a_file(trained, capsys):
    shutil.rmtree(trained / "models")
    (trained / "models").write_text("")
    found = examined(capsys, trained, 1)
    assert "must be a folder" in found["workspace"]["found"]
    assert found["models"]["state"] == "problem"
    assert main(["predict", "--title", "a", "--home", str(trained)]) == 1
    assert f"{trained / 'models'} can't be read" in capsys.readouterr().err
    assert main(["train", "--epochs1", "1", "--home", str(trained)]) == 1
    assert f"({trained / 'models'})" in capsys.readouterr().err


def test_a_copied_model_folder(trained, capsys):
    shutil.copytree(trained / "models" / "m1", trained / "models" / "m2")
    found = examined(capsys, trained, 1)
    assert "belongs to model 'm1'" in found["model"]["found"]
    assert main(["predict", "--title", "piscine", "--home", str(trained), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "m1"
    assert main(["predict", "--title", "a", "--home", str(trained), "--model", "m2"]) == 1
    assert "the folder was copied or renamed" in capsys.readouterr().err
    shutil.rmtree(trained / "models" / "m1")
    assert main(["predict", "--title", "a", "--home", str(trained)]) == 1
    assert "no readable model (1 damaged)" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"created_at": None}, {"name": 7}, {"surprise": 1}])
def test_a_manifest_of_odd_values(trained, capsys, change):
    path = trained / "models" / "m1" / "MANIFEST.json"
    manifest = json.loads(path.read_text())
    manifest.pop("checksum", None)  # it has been altered on purpose
    path.write_text(json.dumps({**manifest, **change}))
    assert "MANIFEST.json can't be read" in examined(capsys, trained, 1)["model"]["found"]


def test_an_unreadable_model_folder(trained, capsys, monkeypatch):
    from pathlib import Path

    real = Path.is_file

    def is_file(path):
        if path.parent.name == "m1":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert "Permission denied" in examined(capsys, trained, 1)["model"]["found"]


def test_runs_and_leftovers(trained, capsys, monkeypatch):
    (trained / "runs" / "stopped").mkdir(parents=True)
    (trained / "runs" / "stopped" / "run.json").write_text("{}")
    (trained / "runs" / "never").mkdir()
    (trained / "models" / f".m3.{'ab' * 8}").mkdir()
    (trained / f".catalogue.parquet.{'0' * 16}").write_text("")
    (trained / "photos" / "ab").mkdir(parents=True)
    (trained / "photos" / "ab" / f".abc.{'0' * 16}").write_text("")
    (trained / "backups" / f".2026-01-01.rayon.{'0' * 16}").mkdir(parents=True)
    monkeypatch.setattr(health_workspace.tempfile, "gettempdir", lambda: str(trained))
    assert main(["doctor", "--home", str(trained)]) == 0
    printed = capsys.readouterr().out
    assert "stopped has not ended - python -m mmcore train --resume stopped" in printed
    assert "never never began" in printed and "4 unfinished: " in printed


def test_a_full_disk_and_a_workspace_that_cannot_be_written(trained, capsys, monkeypatch):
    usage = shutil.disk_usage(trained)._replace(free=10**8)
    monkeypatch.setattr(health_workspace.shutil, "disk_usage", lambda _: usage)

    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(health_workspace.tempfile, "TemporaryFile", refuse)
    found = examined(capsys, trained, 1)
    assert found["disk"]["state"] == "problem" and "0.1 GB free" in found["disk"]["found"]
    assert "Read-only file system" in found["workspace"]["found"]


def test_packages_of_another_version_or_none(home, capsys, monkeypatch, tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("torch>=99.1,<100\nnosuchpackage>=1,<2\nrich>=1.0,<=999.0\n")
    monkeypatch.setattr(health_machine, "REQUIREMENTS", path)
    found = examined(capsys, home, 1)
    assert found["torch"]["state"] == "note" and "tried with >=99.1,<100" in found["torch"]["found"]
    assert found["nosuchpackage"]["found"] == "not installed"
    assert found["rich"]["state"] == "ok"


@pytest.mark.parametrize(
    ("version", "numbers"), [("2.14.1+cu130", (2, 14, 1)), ("3.0rc1", (3,)), ("1.0", (1,))]
)
def test_versions_are_compared_by_number(version, numbers):
    assert health_machine._numbers(version) == numbers


def test_a_photo_format_that_pillow_lacks(home, capsys, monkeypatch):
    from PIL import Image

    Image.init()
    monkeypatch.delitem(Image.SAVE, "WEBP")
    found = examined(capsys, home, 1)["photo decoding"]
    assert "WEBP" in found["found"] and "pillow" in found["advice"]


def test_what_stops_one_check_does_not_stop_the_others(trained, capsys, monkeypatch):
    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(health_workspace.shutil, "disk_usage", fail)
    found = examined(capsys, trained, 1)
    assert "Input/output error" in found["disk"]["found"] and found["model"]["state"] == "ok"


def test_an_error_without_a_remedy_still_gets_advice():
    assert finding.problem("x", OSError("odd")).advice
