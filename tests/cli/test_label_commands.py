"""labels and classes on the command line: what they print, refuse and ask."""

import json

import pytest
from sqlalchemy import insert

from mmcore.cli.app import main
from mmcore.services.opening import opened_store
from mmcore.settings import read_settings
from mmcore.store.tables import Product, ProductClass
from mmcore.workspace import Workspace


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command and returns what it printed, JSON read."""
    monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MMCORE_DATABASE_URL", raising=False)
    settings = read_settings()
    with opened_store(Workspace(settings.home), settings) as store, store.writing() as session:
        names = [{"code": c, "name_fr": c, "name_en": c, "position": i} for i, c in enumerate("AB")]
        session.execute(insert(ProductClass), names)
        row = {"group_id": "g", "split": "train", "random_rank": 0.5, "created_at": 0.0}
        session.execute(insert(Product), [{"product_id": f"p{i}", **row} for i in range(4)])

    def call(*arguments, code=0):
        assert main([str(a) for a in arguments]) == code
        captured = capsys.readouterr()
        if code:
            return captured.err
        return json.loads(captured.out) if "--json" in arguments else captured.out

    return call


def test_label_undo_redo_and_history(run):
    assert "p1 is labelled A (act 1)" in run("labels", "set", "p1", "A")
    saved = run("labels", "set", "p1", "B", "--json")
    assert (saved["label_before"], saved["label"], saved["version"]) == ("A", "B", 2)
    assert "undid the label (act 2): 1 products put back; act 3" in run("labels", "undo")
    assert run("labels", "redo", "--json")["product"]["label"] == "B"
    told = run("labels", "history", "p1").splitlines()
    assert len(told) == 4 and told[1].endswith("act 2 local label A -> B")
    assert [line["verb"] for line in run("labels", "history", "p1", "--json")][2:] == ["undo"] * 2
    assert "nobody has annotated p2 yet" in run("labels", "history", "p2")


def test_a_script_may_send_a_label_twice(run):
    first = run("labels", "set", "p1", "A", "--token", "mine", "--json")
    run("labels", "set", "p1", "B")
    again = run("labels", "set", "p1", "A", "--token", "mine", "--json")
    assert again["act_id"] == first["act_id"]
    assert run("labels", "set", "p1", "B", "--json")["label_before"] == "B"


def test_export_and_import(run, tmp_path):
    run("labels", "set", "p1", "A")
    file = tmp_path / "labels.csv"
    assert f"wrote 1 labels to {file}" in run("labels", "export", file)
    assert run("labels", "export", tmp_path / "h.jsonl", "--history", "--json")["n"] == 1
    file.write_text("product_id,label\np2,B\nnope,A\n")
    issues = tmp_path / "issues.csv"
    told = run("labels", "import", file, "--issues", issues)
    assert "2 rows: 1 products labelled, 0 had the label, 1 left out (act 2)" in told
    assert "line 3, nope: no product has this id" in told
    assert "no product has this id" in issues.read_text(encoding="utf-8-sig")
    again = run("labels", "import", file, "--json")
    assert again["is_repeated"] and again["issues"] == []
    assert "undid the import (act 2)" in run("labels", "undo", 2)


def test_classes_are_listed_changed_and_merged(run):
    assert "added class C (Sport, Sports) (act 1)" in run(
        *("classes", "add", "C", "--fr", "Sport", "--en", "Sports")
    )
    assert "renamed class C" in run("classes", "rename", "C", "--code", "C2")
    assert "archived class C2" in run("classes", "archive", "C2")
    assert "unarchived class C2" in run("classes", "unarchive", "C2")
    run("labels", "set", "p1", "A")
    preview = run("classes", "merge", "A", "B", "--dry-run", "--json")
    assert (preview["count"], preview["products"]) == (1, {"train": 1})
    assert "merged class A into B: 1 products (act 6)" in run("classes", "merge", "A", "B", "--yes")
    found = run("classes", "list", "--all", "--json")
    assert {c["code"]: (c["count"], c["merged_into"]) for c in found} == {
        "A": (0, "B"),
        "B": (1, None),
        "C2": (0, None),
    }
    assert "A" not in [line[2:3] for line in run("classes", "list").splitlines()]
    run("labels", "undo", 6)
    assert run("classes", "list", "--json")[0]["count"] == 1


def test_a_merge_asks_first(run, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda *a, **k: False)
    run("classes", "merge", "A", "B", code=130)
    assert len(run("classes", "list", "--json")) == 2


def test_refusals_are_one_line(run):
    for arguments, message in (
        (("labels", "set", "nope", "A"), "error: there is no product 'nope'"),
        (("labels", "set", "p1", "Z"), "error: there is no class 'Z'; classes are A, B"),
        (("labels", "undo"), "error: there is no label, skip or flag of yours left to undo"),
        (("classes", "add", "A"), "error: code 'A' belongs to class A; choose another code"),
        (("labels", "import", "no.csv"), "error: no.csv can't be read: No such file"),
    ):
        told = run(*arguments, code=1)
        assert told.startswith(message) and told.count("\n") == 1
