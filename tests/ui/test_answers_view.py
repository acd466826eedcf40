"""What the board of answers is given to draw: one order, what stands beside, reasons by view."""

import json
import re
from pathlib import Path

import pytest

from mmcore.catalog.class_names import Ranked
from mmcore.services.answers import Answer, ViewAnswer, Word
from mmcore.services.why import ViewWhy, Why
from mmcore.ui.answers import Beside, answers_data
from mmcore.ui.colours import VIEW_COLOURS
from mmcore.ui.predict.result import change_told

A, B, C = (
    Ranked("10", "Livres", "Books", 0.7),
    Ranked("40", "Jeux", "Games", 0.2),
    Ranked("50", "X", "X", 0),
)


def said(first=A, p=0.7, model="m1", words=()) -> Answer:
    """Return an answer of text and fused; the image has none."""
    best = Ranked(first.code, first.name_fr, first.name_en, p)
    other = B if first is A else A
    probs = {first.code: p, other.code: 1 - p}
    views = (
        ViewAnswer("text", Ranked("40", "Jeux", "Games", 0.6), {"10": 0.4, "40": 0.6}, ""),
        ViewAnswer("image", None, {}, "no photo is given"),
        ViewAnswer("fused", best, probs, ""),
    )
    return Answer(model, (best, other), views, "told", False, words, ())


def bars(data, view):
    found = next(v for v in data["views"] if v["view"] == view)
    return [(bar["code"], bar["p"], bar["other"]) for bar in found["bars"]]


def test_every_view_has_the_classes_in_one_order():
    data = answers_data(said(), None)
    assert bars(data, "text") == [("10", 0.4, None), ("40", 0.6, None)]
    assert bars(data, "fused") == [("10", 0.7, None), ("40", pytest.approx(0.3), None)]
    text, image, fused = data["views"]
    assert text["note"].startswith("≠") and fused["note"] == ""
    assert image["best"] is None and image["absent"] == "no photo is given"
    assert data["mark"] == "no" and data["is_pending"]
    assert json.loads(json.dumps(data)) == data


def test_another_model_stands_beside_and_a_class_it_lacks_has_no_bar():
    other = said(model="m2")
    lacking = tuple(
        ViewAnswer(v.view, v.best, {k: p for k, p in v.probs.items() if k != "40"}, v.absent)
        for v in other.views
    )
    other = Answer(**{**vars(other), "views": lacking})
    data = answers_data(said(), None, Beside(other, "m2"))
    assert data["other"] == "m2"
    assert bars(data, "fused") == [("10", 0.7, 0.7), ("40", pytest.approx(0.3), None)]


def test_the_whole_product_keeps_its_order_when_something_is_left_out():
    whole, now = said(A), said(B)
    assert [bar[0] for bar in bars(answers_data(now, None, Beside(whole, "all")), "fused")] == [
        *("40", "10")
    ]
    data = answers_data(now, None, Beside(whole, "all", leads=True))
    assert [bar[0] for bar in bars(data, "fused")] == ["10", "40"]


def test_reasons_go_to_their_views():
    words = (Word("livre", True), Word("xyz", False))
    why = Why((ViewWhy("text", "40", "Jeux", {"livre": -0.5}, (), (("text", None),)),), b"jpeg")
    data = answers_data(said(words=words), why)
    assert not data["is_pending"] and data["num_known"] == 1
    assert data["photo"] == "data:image/jpeg;base64,anBlZw=="
    text, image, fused = (view["why"] for view in data["views"])
    assert text == {
        "name": "Jeux",
        "weights": {"livre": -0.5},
        "regions": [],
        "ablation": [{"without": "text", "p": None}],
    }
    assert image is None and fused is None


def test_a_change_is_told_in_words():
    assert change_told(said(p=0.9), said(p=0.6), "Without photo") == (
        "Without photo: still Livres, 60% instead of 90%."
    )
    assert change_told(said(), said(), "Model m2") == (
        "Model m2: still Livres, as sure as before (70%)."
    )
    assert change_told(said(A), said(B, 0.8), "Without title") == (
        "Without title: Jeux 80% instead of Livres 70%."
    )


def test_the_colours_are_those_of_every_screen():
    css = (Path(__file__).parents[2] / "mmcore/ui/answers/answers.css").read_text()
    light = css[css.index(".board {") : css.index(".board.dark")]
    found = dict(re.findall(r"--(text|image|fused): (#\w+)", light))
    assert found == VIEW_COLOURS
