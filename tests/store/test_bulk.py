"""One decision on many products: one act, one undo, and nobody's later decision overwritten."""

import time

import pytest
from shop import NOW, add_model, open_shop

from mmcore.errors import NotFoundError, RefusedError, StaleWriteError
from mmcore.services import bulk, labelling
from mmcore.services.bulk import BulkRequest, Selection
from mmcore.services.undoing import redo, undo
from mmcore.store.classes import find_class, update_class
from mmcore.store.product_filter import ProductFilter

MANY = 10_000
SECONDS = 20  # generous: it takes well under two on two busy cores


@pytest.fixture
def shop(store):
    return open_shop(store, label="A")


def label(shop, actor, product_id, code):
    token = f"{actor.name}-{product_id}-{code}"
    return labelling.label(shop.store, actor, shop.seen(product_id, token), code, NOW)


def test_a_filter_is_labelled_as_one_act_with_a_history_each(shop):
    request = BulkRequest(ProductFilter(split="train"), "t")
    result = bulk.bulk_label(shop.store, shop.lead, request, "B", NOW)
    assert (result.count, result.changed_by_others, result.not_applicable) == (3, 0, 0)
    assert shop.labels() == ["B", "A", "A", "B", "B", "A"]
    assert [act.kind for act in shop.acts()] == ["bulk"]
    rows = shop.annotations()
    assert [row.product_id for row in rows] == [1, 4, 5]
    assert {(row.kind, row.version, row.act_id) for row in rows} == {("label", 1, result.act_id)}
    undo(shop.store, shop.lead, "u", NOW)
    assert shop.labels() == ["A"] * 6
    redo(shop.store, shop.lead, "r", NOW)
    assert shop.labels() == ["B", "A", "A", "B", "B", "A"]


def test_a_resend_answers_the_same(shop):
    request = BulkRequest(Selection((2, 3)), "t")
    first = bulk.bulk_label(shop.store, shop.anna, request, "B", NOW)
    label(shop, shop.bob, 2, "C")
    assert bulk.bulk_label(shop.store, shop.anna, request, "B", NOW + 1) == first
    assert shop.labels()[1:3] == ["C", "B"]
    for other in (BulkRequest(Selection((2,)), "t"), BulkRequest(Selection((3, 4)), "t")):
        with pytest.raises(RefusedError, match="token 't' was used"):
            bulk.bulk_label(shop.store, shop.anna, other, "B", NOW)


def test_the_preview_counts_by_class(shop):
    label(shop, shop.anna, 1, "B")
    found = bulk.preview(shop.store, ProductFilter())
    assert (found.count, found.classes) == (6, (("A", 5), ("B", 1)))
    assert bulk.preview(shop.store, Selection((1, 2))).classes == (("A", 1), ("B", 1))


def test_what_others_decided_since_the_preview_is_left_out(shop):
    label(shop, shop.bob, 1, "C")
    seen = bulk.preview(shop.store, ProductFilter())
    label(shop, shop.bob, 2, "C")
    label(shop, shop.lead, 3, "C")  # own: no surprise
    labelling.skip(shop.store, shop.bob, shop.seen(4, "skip"), "", NOW)
    request = BulkRequest(ProductFilter(), "t", seen=seen.seen, expected_count=seen.count)
    result = bulk.bulk_label(shop.store, shop.lead, request, "B", NOW)
    assert (result.count, result.changed_by_others) == (5, 1)
    assert shop.labels() == ["B", "C", "B", "B", "B", "B"]


def test_a_selection_may_name_the_versions_it_saw(shop):
    label(shop, shop.bob, 2, "C")
    request = BulkRequest(Selection((1, 2), versions=(0, 0)), "t")
    result = bulk.bulk_label(shop.store, shop.anna, request, "B", NOW)
    assert (result.count, result.changed_by_others) == (1, 1)
    assert shop.labels()[:2] == ["B", "C"]
    request = BulkRequest(Selection((2,), versions=(0,)), "t2")
    with pytest.raises(RefusedError, match="all 1 products were changed by others"):
        bulk.bulk_label(shop.store, shop.anna, request, "B", NOW)


def test_more_products_than_were_shown_are_refused(shop):
    request = BulkRequest(ProductFilter(), "t", expected_count=5)
    with pytest.raises(StaleWriteError, match="6 products are meant now, 5 when you looked"):
        bulk.bulk_label(shop.store, shop.lead, request, "B", NOW)
    assert shop.labels() == ["A"] * 6 and shop.acts() == []


def test_undo_spares_what_was_decided_later(shop):
    result = bulk.bulk_label(shop.store, shop.lead, BulkRequest(ProductFilter(), "t"), "B", NOW)
    label(shop, shop.bob, 2, "C")
    labelling.flag(shop.store, shop.anna, shop.seen(5, "f"), "torn", NOW)
    undone = undo(shop.store, shop.lead, "u", NOW + 9)
    assert (undone.restored, undone.kept, undone.product) == (4, 2, None)
    assert [(k.product_id, k.shop_id, k.label) for k in undone.kept_first] == [
        (2, "p2", "C"),
        (5, "p5", "B"),
    ]
    assert undone.kept_first[0].reason == "was labelled C by bob at 2025-06-15 15:06:40 UTC since"
    assert undone.kept_first[1].reason.startswith("was flagged (torn) by anna")
    assert shop.labels() == ["A", "C", "A", "A", "B", "A"]
    assert undo(shop.store, shop.lead, "u", NOW + 10) == undone
    again = redo(shop.store, shop.lead, "r", NOW)
    assert (again.restored, again.kept) == (4, 0)
    assert shop.labels() == ["B", "C", "B", "B", "B", "B"]
    assert again.undone_id == undone.act_id and undone.undone_id == result.act_id


def test_an_act_all_of_whose_products_changed_since_is_not_undone(shop):
    request = BulkRequest(Selection((1, 2)), "t")
    bulk.bulk_label(shop.store, shop.anna, request, "B", NOW)
    for product_id in (1, 2):
        label(shop, shop.bob, product_id, "C")
    with pytest.raises(RefusedError, match="p1 was labelled C by bob.*and 1 more like it"):
        undo(shop.store, shop.anna, "u", NOW)


def test_predictions_are_accepted_as_far_as_there_are_any(shop):
    model_id = add_model(shop.store, {1: "B", 2: "C", 3: "D", 4: "B"})
    with shop.store.writing() as session:
        update_class(session, find_class(session, "D").id, {"is_archived": True})
    found = bulk.preview_accept(shop.store, ProductFilter())
    assert (found.count, found.becomes) == (3, (("B", 2), ("C", 1)))
    result = bulk.bulk_accept(shop.store, shop.lead, BulkRequest(ProductFilter(), "t"), NOW)
    assert (result.count, result.not_applicable) == (3, 3)
    assert shop.labels() == ["B", "C", "A", "B", "A", "A"]
    row = shop.annotations()[0]
    assert row.kind == "accept" and row.model_version_id == model_id
    assert row.suggestion == {"class": "B", "probability": 0.75, "hidden": False}
    with pytest.raises(NotFoundError, match="no model version number 77"):
        bulk.bulk_accept(shop.store, shop.lead, BulkRequest(ProductFilter(), "x"), NOW, 77)
    request = BulkRequest(Selection((5,)), "y")
    with pytest.raises(RefusedError, match="none of the 1 products has a predicted class"):
        bulk.bulk_accept(shop.store, shop.anna, request, NOW)


def test_flags_in_bulk(shop):
    request = BulkRequest(Selection((1, 2)), "f")
    bulk.bulk_flag(shop.store, shop.anna, request, "same photo", NOW)
    result = bulk.bulk_unflag(shop.store, shop.lead, BulkRequest(ProductFilter(), "u"), "", NOW)
    assert (result.count, result.not_applicable) == (2, 4)
    undo(shop.store, shop.lead, "back", NOW)
    assert [row[2] for row in shop.state()] == [True, True, False, False, False, False]
    undo(shop.store, shop.anna, "back2", NOW)
    assert not any(row[2] for row in shop.state())
    assert shop.labels() == ["A"] * 6


def test_limits_of_bulk_acts(shop):
    with pytest.raises(RefusedError, match="this needs lead"):
        bulk.bulk_label(shop.store, shop.anna, BulkRequest(ProductFilter(), "t"), "B", NOW)
    for target in (Selection(()), ProductFilter(class_ids=(2,))):
        with pytest.raises(RefusedError, match="no product fits the filter, or none is selected"):
            bulk.bulk_label(shop.store, shop.lead, BulkRequest(target, "t"), "B", NOW)
    with pytest.raises(NotFoundError, match="2 of the products don't exist: number 98, 99"):
        bulk.bulk_label(shop.store, shop.anna, BulkRequest(Selection((1, 98, 99)), "t"), "B", NOW)
    assert shop.acts() == []


def test_ten_thousand_products_take_seconds(store):
    shop = open_shop(store, MANY, label="A")
    before = shop.state()
    started = time.perf_counter()
    ids = tuple(row[0] for row in before)
    result = bulk.bulk_label(shop.store, shop.anna, BulkRequest(Selection(ids), "t"), "B", NOW)
    after = shop.state()
    undone = undo(shop.store, shop.anna, "u", NOW)
    assert time.perf_counter() - started < SECONDS
    assert result.count == undone.restored == MANY
    assert set(shop.labels()) == {"A"} and shop.state() == before != after
