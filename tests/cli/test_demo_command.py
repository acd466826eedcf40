"""demo: drawn once, the same again, and whole after it was killed at any point."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_shop import refused, rows, write_csv

from mmcore.cli import learn
from mmcore.cli.app import main
from mmcore.config import RunChoices
from mmcore.services import demo

HERE = Path(__file__).parent


def draw_quickly(folder: Path, **_) -> Path:
    """Return the small shop in the layout of the drawn catalogue, without a photo."""
    (folder / "images").mkdir()
    products = [
        {
            **{"product_id": row["ref"], "title": row["titre"], "description": row["texte"]},
            **{"image": "", "label": row["cat"], "_true_label": row["cat"]},
            **{"price": row["prix"], "brand": "", "_drawn": "drawn"},
        }
        for row in rows()
    ]
    return write_csv(folder / "products.csv", products)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("mmcore.catalog.demo.draw_catalogue", draw_quickly)
    monkeypatch.setattr(demo, "CHOICES", RunChoices(epochs1=2))


def show(home, capsys) -> tuple[dict, str]:
    """Run the demo of five products a class; returns its JSON and what stood on stderr."""
    capsys.readouterr()
    assert main(["demo", "--home", str(home), "--products", "5", "--json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def test_a_second_demo_is_the_same_and_says_so(home, capsys, monkeypatch):
    first, told = show(home, capsys)
    assert first["model"] == "demo" and "already" not in told

    def no_work(*_, **__):
        raise AssertionError("it was drawn or trained anew")

    monkeypatch.setattr("mmcore.catalog.demo.draw_catalogue", no_work)
    monkeypatch.setattr(learn, "run_training", no_work)
    second, told = show(home, capsys)
    assert second == first
    assert "the demo is there already" in told and "model demo" in told


@pytest.mark.parametrize("stage", ["draw_catalogue", "import_csv", "read_catalogue"])
def test_interrupted_at_any_stage_it_completes_the_next_time(home, capsys, monkeypatch, stage):
    place = {
        "draw_catalogue": "mmcore.catalog.demo",
        "import_csv": "mmcore.services.demo",
        "read_catalogue": "mmcore.services.training",
    }[stage]

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"{place}.{stage}", interrupt)
        assert main(["demo", "--home", str(home), "--products", "5"]) == 130
    assert capsys.readouterr().err.strip().splitlines()[-1] == "interrupted"
    assert show(home, capsys)[0]["model"] == "demo"


def test_killed_while_training_it_goes_on(home, capsys, monkeypatch):
    # its end waits, so that the kill surely comes before it
    code = """
import sys, time, mmcore.catalog.demo, test_demo_command as t
from mmcore.services import demo, training
mmcore.catalog.demo.draw_catalogue = t.draw_quickly
demo.CHOICES = t.RunChoices(epochs1=30)
training.finish = lambda *_: time.sleep(600)
sys.exit(t.main())
"""
    command = [sys.executable, "-c", code, "demo", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parents[1]}"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stderr:
            if "epoch 2/30" in line:
                break
        process.send_signal(signal.SIGKILL)
    assert (home / "runs" / "demo" / "run.json").exists()
    summary, told = show(home, capsys)
    assert summary["model"] == "demo" and "the training demo was stopped: it goes on" in told
    assert list((home / "runs").iterdir()) == []


def test_a_demo_name_that_is_taken_is_no_obstacle(home, capsys):
    show(home, capsys)
    (home / "models" / "demo" / "MANIFEST.json").write_text("{}")
    summary, _ = show(home, capsys)
    assert summary["model"] != "demo"


def test_a_real_catalogue_is_never_mixed_with_drawn_products(trained, capsys):
    message = refused(capsys, "demo", "--home", trained)
    assert "holds a real catalogue" in message and "MMCORE_HOME" in message
