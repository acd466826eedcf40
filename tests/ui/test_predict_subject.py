"""The product on the Predict screen: what it lacks, when it is another, what is remembered."""

import pytest
import streamlit as st

from mmcore.ui.predict import memory
from mmcore.ui.predict.subject import Subject

WHOLE = Subject.of("titre", "texte", b"photo", [("price", "3")])


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ([], ("titre", "texte", b"photo")),
        (["photo"], ("titre", "texte", None)),
        (["title", "description"], ("", "", b"photo")),
    ],
)
def test_what_is_left_out_is_gone_and_the_rest_stays(parts, left):
    seen = WHOLE.without(parts)
    assert (seen.title, seen.description, seen.photo) == left
    assert seen.extra == WHOLE.extra and (seen == WHOLE) == (parts == [])


def test_products_are_told_apart_by_their_photos():
    assert Subject.of("t", "", b"a", ()) == Subject.of("t", "", b"a", ())
    assert Subject.of("t", "", b"a", ()) != Subject.of("t", "", b"b", ())
    assert Subject().is_empty and Subject(title=" ").is_empty
    assert not Subject(extra=(("price", "3"),)).is_empty


@pytest.fixture
def session(monkeypatch):
    state = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def test_what_was_worked_out_is_kept_and_the_oldest_goes(session, monkeypatch):
    monkeypatch.setattr(memory, "KEPT", 2)
    made = []

    def ask(key):
        return memory.remembered(key, lambda: made.append(key) or key.upper())

    assert [ask(key) for key in ("a", "b", "a", "c", "a")] == ["A", "B", "A", "C", "A"]
    assert made == ["a", "b", "c"], "b was used longest ago, and went"
    assert memory.is_remembered("a") and not memory.is_remembered("b")
