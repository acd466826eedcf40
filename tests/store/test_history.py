"""The strip of the last ten, and the story of a product: nothing that was done is missing."""

import pytest
from shop import NOW, open_shop

from mmcore.services import bulk, labelling
from mmcore.services.bulk import BulkRequest, Selection
from mmcore.services.history import history, recent
from mmcore.services.undoing import redo, undo


@pytest.fixture
def shop(store):
    return open_shop(store, 12)


def test_the_strip_shows_ones_own_last_acts_newest_first(shop):
    for product_id in range(1, 13):
        seen = shop.seen(product_id, f"t{product_id}")
        labelling.label(shop.store, shop.anna, seen, "A", NOW + product_id)
    labelling.skip(shop.store, shop.bob, shop.seen(1, "s"), "why", NOW)
    undo(shop.store, shop.anna, "u", NOW + 20)
    found = recent(shop.store, shop.anna)
    assert [act.product_id for act in found] == list(range(12, 2, -1))
    assert [act.is_undone for act in found] == [True] + [False] * 9
    newest = found[0]
    assert (newest.verb, newest.shop_id, newest.title, newest.label, newest.count) == (
        *("label", "p12", "product 12", "A"),
        1,
    )
    redo(shop.store, shop.anna, "r", NOW + 21)
    assert not recent(shop.store, shop.anna, limit=1)[0].is_undone
    assert [(act.verb, act.comment) for act in recent(shop.store, shop.bob)] == [("skip", "why")]


def test_a_bulk_act_is_one_line_of_the_strip(shop):
    request = BulkRequest(Selection((3, 4, 5)), "t")
    result = bulk.bulk_label(shop.store, shop.anna, request, "B", NOW)
    found = recent(shop.store, shop.anna)
    assert [(act.act_id, act.product_id, act.count) for act in found] == [(result.act_id, 3, 3)]


def test_the_story_of_a_product(shop):
    labelling.label(shop.store, shop.anna, shop.seen(1, "a", "C", seconds=4.0), "A", NOW)
    labelling.flag(shop.store, shop.bob, shop.seen(1, "b"), "torn", NOW + 1)
    labelling.skip(shop.store, shop.anna, shop.seen(1, "c"), "unsure", NOW + 2)
    undo(shop.store, shop.bob, "u", NOW + 3)
    lines = history(shop.store, 1)
    told = [(x.annotator, x.verb, x.label_before, x.label, x.is_flagged, x.version) for x in lines]
    assert told == [
        ("anna", "label", None, "A", False, 1),
        ("bob", "flag", "A", "A", True, 2),
        ("anna", "skip", "A", "A", True, 2),
        ("bob", "undo", "A", "A", False, 3),
    ]
    assert lines[0].suggestion["class"] == "C" and lines[0].seconds == 4.0
    assert [line.comment for line in lines] == ["", "torn", "unsure", ""]
    assert [line.is_undone for line in lines] == [False, True, False, False]
    assert lines[3].undoes_act == lines[1].act_id
    assert history(shop.store, 2) == ()
