"""Review: what each list counts, what the board gets, and the key that decides."""

import pytest
from page_texts import texts
from sqlalchemy import select, update

from mmcore.services.labelling import Seen, label
from mmcore.services.queue import refresh
from mmcore.services.queue_settings import QueueSettings, put_queue_settings
from mmcore.store.tables import Prediction, Product


@pytest.fixture
def board(monkeypatch):
    """Stand in for the board: keep what it is given to draw."""
    drawn = []
    monkeypatch.setattr("mmcore.ui.label_board.draw", lambda data, act: drawn.append(data))
    return drawn


@pytest.fixture
def suspects(app_shop):
    """Let the model oppose the labels of p1 and p2, p1 more."""
    with app_shop.store.writing() as session:
        for product_id, suspicion in ((1, 0.9), (2, 0.6)):
            held = session.scalar(select(Product.class_id).where(Product.id == product_id))
            session.execute(
                update(Prediction)
                .where(Prediction.product_id == product_id)
                .values(suspicion=suspicion, label_class_id=held)
            )
    refresh(app_shop.store, 1)


def lists(app):
    return list(app.segmented_control(key="v.kind").options)


def test_nothing_to_review_says_so_in_each_list(visit, board):
    app = visit("review_page", "lena")
    assert lists(app) == [
        "Suspect labels (0)",
        "Conflicts (0)",
        "Changed by the last retrain (0)",
    ]
    assert board[-1]["item"] is None and board[-1]["done"][0] == "No label is suspect."
    for kind, told in (("conflicts", "People agree."), ("changed", "Nothing that the last")):
        app.segmented_control(key="v.kind").set_value(kind).run()
        assert board[-1]["done"][0].startswith(told)
    assert not app.exception and not app.error


def test_the_surest_suspect_is_open_first(visit, board, suspects):
    app = visit("review_page", "lena")
    assert lists(app)[0] == "Suspect labels (2)"
    item = board[-1]["item"]
    assert (item["product_id"], item["label"]) == ("p1", "40")
    assert item["candidates"][0]["code"] == "40", "1 keeps the label"
    assert not app.exception


def test_another_list_keeps_the_place_in_the_first(visit, board, suspects):
    app = visit("review_page", "lena")
    app.segmented_control(key="v.kind").set_value("conflicts").run()
    assert board[-1]["item"] is None
    app.segmented_control(key="v.kind").set_value("suspects").run()
    assert board[-1]["item"]["product_id"] == "p1" and not app.exception


def test_two_people_who_disagree_are_a_conflict(visit, board, app_shop):
    overlap = QueueSettings(overlap_share=1.0, hidden_share=0.0)
    put_queue_settings(app_shop.store, app_shop.people["lena"], overlap)
    for person, code in (("anna", "10"), ("ben", "2583")):
        seen = app_shop.product("p5")
        label(app_shop.store, app_shop.people[person], Seen(5, seen.version, person), code, 9e8)
    app = visit("review_page", "lena")
    assert lists(app)[1] == "Conflicts (1)"
    app.segmented_control(key="v.kind").set_value("conflicts").run()
    item = board[-1]["item"]
    assert item["product_id"] == "p5"
    assert {c["code"] for c in item["candidates"]} >= {"10", "2583"}


def test_a_viewer_does_not_review(visit, board):
    app = visit("review_page", "vera")
    assert "needs the role annotator" in texts(app) and not board
