"""labels and classes on the command line: what they print, refuse and ask."""

import io
import json
import time

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


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self):
        return True


def test_label_undo_redo_and_history(run):
    assert "p1 is labelled A (act 1)" in run("labels", "set", "p1", "A")
    saved = run("labels", "set", "p1", "B", "--json")
    assert (saved["label_before"], saved["label"], saved["version"]) == ("A", "B", 2)
    assert "undid the label (act 2): 1 products put back; act 3" in run("labels", "undo")
    assert run("labels", "redo", "--json")["product"]["label"] == "B"
    told = run("labels", "history", "p1").splitlines()
    assert len(told) == 4 and told[1].endswith("act 2 local label A -> B")
    data = run("labels", "history", "p1", "--json")
    assert data["product"] == "p1"
    assert [line["verb"] for line in data["annotations"]][2:] == ["undo"] * 2
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
    found = run("classes", "list", "--all", "--json")["classes"]
    assert {c["code"]: (c["count"], c["merged_into"]) for c in found} == {
        "A": (0, "B"),
        "B": (1, None),
        "C2": (0, None),
    }
    assert "A" not in [line[2:3] for line in run("classes", "list").splitlines()]
    run("labels", "undo", 6)
    assert run("classes", "list", "--json")["classes"][0]["count"] == 1


def test_a_merge_asks_first(run, monkeypatch):
    told = run("classes", "merge", "A", "B", code=1)
    assert "merge A into B? Nobody can be asked here: say --yes" in told
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    run("classes", "merge", "A", "B", code=130)
    assert len(run("classes", "list", "--json")["classes"]) == 2


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


def test_many_products_are_labelled_after_a_look(run, monkeypatch):
    run("labels", "set", "p1", "A")
    shown = run("labels", "bulk", "B", "--unlabelled", "--dry-run", "--json")
    assert shown == {"class": "B", "count": 3, "from": [{"class": None, "count": 3}]}
    told = run("labels", "bulk", "B", "--class", "A", code=1)
    assert "1 products would get B (now: 1 A)" in told and "say --yes" in told
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    run("labels", "bulk", "B", "--class", "A", code=130)
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert "1 products are labelled B (act 2)" in run("labels", "bulk", "B", "--class", "A")
    done = run("labels", "bulk", "A", "--unlabelled", "--yes", "--token", "mine", "--json")
    assert (done["count"], done["changed_by_others"]) == (3, 0)
    again = run("labels", "bulk", "A", "--unlabelled", "--yes", "--token", "mine", "--json")
    assert again == done, "sent twice, it acts once"
    assert "3 products put back" in run("labels", "undo", done["act_id"])


def test_a_bulk_label_of_everything_must_be_said(run):
    assert "no filter was given" in run("labels", "bulk", "A", "--yes", code=1)
    assert "both --all and a filter" in run("labels", "bulk", "A", "--all", "--flagged", code=1)
    assert "4 products are labelled A" in run("labels", "bulk", "A", "--all", "--yes")
    assert "no class 'Z'" in run("labels", "bulk", "Z", "--all", "--yes", code=1)


def test_a_table_of_issues_that_cannot_be_written_stops_an_import_of_labels(run, tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("product_id,label\np2,B\nnope,A\n")
    told = run("labels", "import", file, "--issues", tmp_path / "no" / "issues.csv", code=1)
    assert str(tmp_path / "no") in told
    assert "write --issues to another file" in run(
        "labels", "import", file, "--issues", file, code=1
    )
    assert run("labels", "history", "p2", "--json")["annotations"] == [], "nothing went in"


@pytest.mark.parametrize("words", [("labels", "import"), ("labels", "export"), ("restore",)])
def test_an_empty_name_of_a_file_is_refused(run, words):
    assert "it is empty; name a file" in run(*words, "", code=1)


def test_moments_are_utc_in_json_and_local_with_their_zone_on_the_screen(run, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_767_323_045.25)
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    run("labels", "set", "p1", "A")
    (line,) = run("labels", "history", "p1", "--json")["annotations"]
    assert line["created_at"] == "2026-01-02T03:04:05.250000+00:00"
    assert run("labels", "history", "p1").startswith("2026-01-02 04:04 CET act 1")
    assert "2026-01-02 04:04 CET  local: label" in run("products", "show", "p1")
    shown = run("products", "show", "p1", "--json")["history"][0]
    assert shown["created_at"] == line["created_at"]


@pytest.mark.parametrize(
    "words",
    [
        ("classes", "list"),
        ("labels", "history", "p1"),
        ("queue", "next", "--class", "A"),
        ("queue", "settings", "show"),
        ("models", "list"),
        ("models", "gate", "show"),
        ("jobs", "list"),
    ],
)
def test_json_is_always_one_object(run, words):
    assert isinstance(run(*words, "--json"), dict)
