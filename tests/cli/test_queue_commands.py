"""queue on the command line: what it prints, keeps and refuses."""

import json

import pytest
from sqlalchemy import insert

from mmcore.cli.app import main
from mmcore.services.opening import opened_store
from mmcore.settings import read_settings
from mmcore.store.queue import fill
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
        products = [{"product_id": f"p{i}", "title": f"[red] {i}", **row} for i in range(4)]
        session.execute(insert(Product), products)
        fill(session)

    def call(*arguments, code=0):
        assert main([str(a) for a in arguments]) == code
        captured = capsys.readouterr()
        if code:
            return captured.err
        return json.loads(captured.out) if "--json" in arguments else captured.out

    return call


def test_next_is_the_same_until_it_is_decided(run):
    first = run("queue", "next", "--order", "newest", "--json")
    assert (first["product_id"], first["version"], first["label"]) == ("p3", 0, None)
    again = run("queue", "next", "--order", "newest", "--json")
    assert again["token"] == first["token"]
    run("labels", "set", "p3", "A")
    told = run("queue", "next", "--order", "newest")
    assert "p2  [red] 2" in told and "1 done, 3 wait" in told


def test_state_release_and_an_empty_queue(run):
    run("queue", "next")
    assert run("queue", "state", "--json") == {
        **{"waiting": 4, "done": 0, "unlabelled": 4},
        **{"second_opinions": 0, "flagged": 0, "open_now": 1},
    }
    assert "1 products were given back" in run("queue", "release")
    assert "4 wait (4 without a label), 0 are done" in run("queue", "state")
    assert "nothing is left in this queue" in run("queue", "next", "--class", "A")
    assert "no order 'best'" in run("queue", "next", "--order", "best", code=1)


def test_report_tells_what_there_is(run):
    run("labels", "set", "p1", "A")
    data = run("queue", "report", "--json")
    assert data["people"][0]["labels"] == 1 and data["agreement"]["alpha"] is None
    told = run("queue", "report")
    assert "agree on - (of none so far) of the overlap" in told and "local: 1 labels" in told
