"""The lead's choices on the command line: shown, changed one by one, refused with their limits."""

import json
import re

import pytest

from mmcore.cli.app import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command and returns what it printed, JSON read."""
    monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MMCORE_DATABASE_URL", raising=False)

    def call(*arguments, code=0):
        assert main(list(arguments)) == code
        captured = capsys.readouterr()
        if code:
            return captured.err
        return json.loads(captured.out) if "--json" in arguments else captured.out

    return call


def test_what_is_not_named_of_the_queue_stays(run):
    before = run("queue", "settings", "show", "--json")
    assert (before["overlap_share"], before["lease_minutes"]) == (0.05, 10.0)
    run("queue", "settings", "set", "--overlap", "0.2", "--hidden", "0")
    run("queue", "settings", "set", "--lease-minutes", "30")
    assert run("queue", "settings", "show", "--json") == {
        **before,
        **{"overlap_share": 0.2, "hidden_share": 0.0, "lease_minutes": 30.0},
    }


def test_the_mix_is_set_as_a_whole(run):
    found = run("queue", "settings", "set", "--mix", "margin=3", "--mix", "random=1", "--json")
    assert found["mix"] == {"margin": 3.0, "random": 1.0}
    assert "mix: margin 3, random 1" in run("queue", "settings", "show")


def test_the_gate_is_changed_limit_by_limit(run):
    before = run("models", "gate", "show", "--json")
    run("models", "gate", "set", "--class-drop", "0.05", "--class-products", "30")
    run("models", "gate", "set", "--confidence", "0.9", "--resamples", "500")
    run("models", "gate", "set", "--macro-drop", "0.01", "--ece-rise", "0.1")
    after = {"macro_drop": 0.01, "class_drop": 0.05, "class_products": 30}
    after |= {"ece_rise": 0.1, "confidence": 0.9, "resamples": 500}
    assert before.keys() == after.keys() and all(before[name] != after[name] for name in after)
    assert run("models", "gate", "show", "--json") == after
    assert "class_products: 30  test products below which" in run("models", "gate", "show")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("queue", "settings", "set"), "nothing was given to change; name one of overlap_share"),
        (("queue", "settings", "set", "--overlap", "2"), "overlap_share is 2.0; .* from 0 to 1"),
        (("queue", "settings", "set", "--lease-minutes", "0.5"), "use 1 to 240 minutes"),
        (("queue", "settings", "set", "--mix", "best=1"), "names the order 'best'; use "),
        (("queue", "settings", "set", "--mix", "margin"), "'margin': write ORDER=WEIGHT"),
        (("queue", "settings", "set", "--mix", "margin=nan"), "give each order 0 or more"),
        (("models", "gate", "set"), "nothing was given to change; name one of macro_drop"),
        (("models", "gate", "set", "--class-drop", "1.5"), "must lie from 0.0 to 1.0"),
    ],
)
def test_what_cannot_be_is_refused_with_its_limits(run, words, message):
    before = run(*words[:2], "show", "--json")
    told = run(*words, code=1)
    assert re.search(message, told) and told.count("\n") == 1
    assert run(*words[:2], "show", "--json") == before
