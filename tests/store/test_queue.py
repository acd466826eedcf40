"""The queue follows what people decide: who gets what, in which order, and when it comes back."""

import random

import pytest
from queue_acts import add_model, add_predictions, add_products, make_shop

from mmcore.errors import RefusedError
from mmcore.services.classes import archive_class
from mmcore.services.queue import queue_state, refresh
from mmcore.store.queue import fill, settle
from mmcore.store.queue_rows import HIDDEN_FACTOR, OVERLAP_FACTOR, draw
from mmcore.store.tables import Product


@pytest.fixture
def shop(store):
    return make_shop(store)


def test_the_newest_product_comes_first_and_a_decided_one_is_gone(shop):
    assert shop.ids(shop.anna, "newest", 2) == [6, 5]
    shop.label(shop.anna, 6)
    shop.act(shop.anna, [5], "accept")
    assert shop.waiting() == [1, 2, 3, 4]
    assert shop.next(shop.anna).id == 4


def test_an_undone_decision_puts_the_product_back_where_it_was(shop):
    act = shop.label(shop.anna, 6)
    shop.undo(shop.anna, act)
    assert shop.next(shop.anna).id == 6


def test_a_skipped_product_comes_to_others_at_once_and_to_the_skipper_at_the_end(shop):
    shop.skip(shop.anna, 6)
    assert shop.next(shop.ben).id == 6
    shop.act(shop.ben, [6], "flag")  # out of the way
    shop.skip(shop.anna, 5)
    assert shop.ids(shop.anna, "newest", 5) == [4, 3, 2, 1, 5]


def test_what_several_skipped_comes_when_nothing_else_is_left(shop):
    shop.skip(shop.anna, 6)
    shop.skip(shop.ben, 6)
    shop.label(shop.lead, 1, 2, 3)
    assert shop.ids(shop.lead, "newest", 4) == [5, 4, 6, None]


def test_an_undone_skip_is_no_skip(shop):
    shop.undo(shop.anna, shop.skip(shop.anna, 6))
    assert shop.next(shop.anna).id == 6


def test_a_flagged_product_waits_for_a_lead(shop):
    act = shop.act(shop.anna, [6], "flag")
    assert shop.next(shop.ben).id == 5
    with pytest.raises(RefusedError, match="ben is annotator, this needs lead"):
        shop.next(shop.ben, only="flagged")
    item = shop.next(shop.lead, only="flagged")
    assert (item.id, item.is_flagged) == (6, True)
    assert shop.next(shop.lead).id == 4
    shop.undo(shop.lead, act)
    assert shop.entry(6).audience == 0


def test_a_bulk_act_takes_many_out_and_its_undo_brings_them_back(store):
    shop = make_shop(store, 40, overlap_share=1.0)
    act = shop.label(shop.lead, *range(1, 31), act_kind="bulk")
    assert shop.waiting() == list(range(31, 41))
    shop.undo(shop.lead, act)
    assert shop.waiting() == list(range(1, 41))
    assert shop.tallied() == ((40, 40), (40, 40))


def test_a_merge_of_classes_decides_nothing_but_moves_the_label(store):
    shop = make_shop(store, 2, labels={1: 1, 2: 2})
    add_model(store, 1, {1: (0.1, 0.5, 0.5, 0.9, 1), 2: (0.1, 0.5, 0.5, 0.8, 2)})
    refresh(store, 1)
    act = shop.act(shop.lead, [1], "merge", 2, act_kind="class")
    entry = shop.entry(1)
    # the label before was suspect; nobody has been asked about this one
    assert (entry.class_key, entry.suspicion) == (2, -1.0)
    shop.undo(shop.lead, act)
    entry = shop.entry(1)
    assert (entry.class_key, entry.suspicion) == (1, 0.9)


def test_an_import_adds_relabels_and_removes_but_decides_nothing(shop):
    with shop.store.writing() as session:
        add_products(session, (7, 8), {})
        session.get(Product, 3).removed_at = 5.0
    shop.act(shop.lead, [1], "import", 2, act_kind="import")
    assert shop.waiting() == [1, 2, 4, 5, 6, 7, 8]
    assert shop.entry(1).class_key == 2
    assert shop.tallied() == ((7, 6), (7, 6))


def test_filling_again_changes_nothing(shop):
    shop.label(shop.anna, 2)
    shop.skip(shop.anna, 3)
    before = [shop.entry(i) and shop.entry(i).audience for i in range(1, 7)]
    with shop.store.writing() as session:
        fill(session)
    assert [shop.entry(i) and shop.entry(i).audience for i in range(1, 7)] == before
    assert shop.tallied() == ((5, 5), (5, 5))


# --- orders and filters -----------------------------------------------------------------------

SCORES = {  # disagreement, margin, entropy, suspicion, the label the model knew
    1: (0.1, 0.9, 0.3, 0.0, 1),
    2: (0.9, 0.5, 0.2, 0.0, 1),
    3: (0.5, 0.1, 0.1, 0.7, 2),
    4: (0.3, 0.3, 0.9, 0.9, 2),
}
LABELS = {1: 1, 2: 1, 3: 2, 4: 2}


@pytest.fixture
def scored(store):
    shop = make_shop(store, 5, LABELS)
    add_model(store, 1, SCORES)
    assert refresh(store, 1) == 4
    return shop


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("disagreement", [2, 3, 4, 1, 5]),  # 5 has no prediction: last
        ("margin", [3, 4, 2, 1, 5]),
        ("entropy", [4, 1, 2, 3, 5]),
        ("suspicion", [4, 3, None]),  # the others aren't suspect at all
        ("newest", [5, 4, 3, 2, 1]),
        ("random", sorted(range(1, 6), key=lambda i: -(i * 7919 % 1009))),
    ],
)
def test_each_order_begins_with_what_helps_most(scored, order, expected):
    assert scored.ids(scored.anna, order, len(expected)) == expected
    assert scored.next(scored.ben, order) is None  # Anna has them all open


def test_filters_narrow_every_order(scored):
    assert scored.ids(scored.anna, "disagreement", 2, only="unlabelled") == [5, None]
    assert scored.ids(scored.ben, "disagreement", 3, class_code="40") == [3, 4, None]
    assert scored.ids(scored.lead, "entropy", 3, class_code="10") == [1, 2, None]


def test_the_mix_draws_each_order_by_its_share_and_none_starves(store):
    shop = make_shop(store, 400, mix={"newest": 3.0, "random": 1.0})
    orders = []
    for _ in range(200):
        shop.now += 1
        item = shop.next(shop.anna, "mix")
        orders.append(item.order)
        shop.label(shop.anna, item.id)
    assert 30 <= orders.count("random") <= 75
    assert orders.count("newest") + orders.count("random") == 200


def test_the_mix_goes_on_where_one_order_has_nothing(shop):
    shop.settings(mix={"suspicion": 1.0, "newest": 0.001})
    assert shop.ids(shop.anna, "mix", 3) == [6, 5, 4]


def test_a_new_model_never_shows_what_an_old_one_said(scored):
    add_model(scored.store, 2, {1: (0.8, 0.2, 0.1, 0.0, 1)})
    assert refresh(scored.store, 2) == 1
    assert scored.next(scored.anna, "disagreement").id == 1
    assert scored.entry(2).disagreement == -1
    with scored.store.writing() as session:
        add_predictions(session, 2, {2: (0.9, 0.2, 0.1, 0.0, 1)})
    assert refresh(scored.store, 2) == 2
    assert scored.next(scored.ben, "disagreement").id == 2


def test_what_comes_back_has_the_scores_of_the_production_model(scored):
    act = scored.label(scored.anna, 4)
    scored.undo(scored.anna, act)
    entry = scored.entry(4)
    assert (entry.disagreement, entry.suspicion) == (0.3, 0.9)
    assert entry.uncertainty == pytest.approx(0.7)


# --- two people on one product ----------------------------------------------------------------


@pytest.fixture
def doubled(store):
    return make_shop(store, 4, {4: 2}, overlap_share=1.0)


def test_a_class_that_nobody_may_give_is_not_suggested(store):
    shop = make_shop(store, 1)
    add_model(store, 1, {1: (0.1, 0.5, 0.5, 0.0, None)})
    archive_class(store, shop.lead, "10", "archive", 0.0)
    suggestion = shop.next(shop.anna).suggestion
    assert [guess.code for guess in suggestion.fused] == ["40"]


def test_a_product_of_the_overlap_goes_to_exactly_two_people(doubled):
    item = doubled.next(doubled.anna)
    assert (item.id, item.is_second_opinion) == (4, False)
    assert doubled.next(doubled.ben).id == 3  # not while Anna has it open
    doubled.label(doubled.anna, 4, class_id=1)
    assert doubled.next(doubled.anna).id == 2
    doubled.label(doubled.ben, 3)
    item = doubled.next(doubled.ben)
    # Ben sees the label as it was before Anna, or her decision would be his
    assert (item.id, item.is_second_opinion, item.label, item.version) == (4, True, "40", 1)
    doubled.label(doubled.ben, 4, class_id=3)
    assert 4 not in doubled.waiting()


def test_nobody_gives_both_opinions(doubled):
    for _ in range(4):
        doubled.label(doubled.anna, doubled.next(doubled.anna).id)
    assert doubled.waiting() == [1, 2, 3, 4]
    assert doubled.next(doubled.anna) is None
    doubled.skip(doubled.ben, 4)
    assert doubled.next(doubled.anna) is None
    assert doubled.ids(doubled.ben, "newest", 4) == [3, 2, 1, 4]


@pytest.mark.parametrize("undone", ["first", "second"])
def test_an_undone_opinion_is_asked_for_again(doubled, undone):
    first = doubled.label(doubled.anna, 4)
    second = doubled.label(doubled.ben, 4)
    who, act = (doubled.anna, first) if undone == "first" else (doubled.ben, second)
    doubled.undo(who, act)
    entry = doubled.entry(4)
    other = doubled.ben if undone == "first" else doubled.anna
    assert (entry.audience, entry.decided_by_id, entry.class_key) == (other.id, other.id, 2)


def test_second_opinions_are_not_counted_as_undecided(doubled):
    doubled.label(doubled.anna, 4)
    assert doubled.tallied() == ((3, 3), (3, 3))
    state = queue_state(doubled.store, doubled.now)
    assert (state.done, state.waiting, state.second_opinions) == (1, 3, 1)
    item = doubled.next(doubled.anna)
    assert (item.progress.done, item.progress.waiting) == (1, 3)


def test_a_smaller_overlap_lets_go_of_second_opinions(doubled):
    doubled.label(doubled.anna, 4)
    doubled.settings(overlap_share=0.0)
    assert doubled.waiting() == [1, 2, 3]
    assert doubled.tallied() == ((3, 3), (3, 3))


def test_the_overlap_and_the_hidden_share_are_met_everywhere_in_the_catalogue():
    for factor in (OVERLAP_FACTOR, HIDDEN_FACTOR):
        for start in (1, 5_000, 900_000):
            chosen = sum(draw(i, factor) < 0.05 for i in range(start, start + 1_000))
            assert 40 <= chosen <= 60
    both = [
        i
        for i in range(1, 20_001)
        if draw(i, OVERLAP_FACTOR) < 0.05 and draw(i, HIDDEN_FACTOR) < 0.05
    ]
    assert 25 <= len(both) <= 75  # 50 where one doesn't depend on the other


def test_the_database_chooses_the_same_overlap(store):
    shop = make_shop(store, 60, overlap_share=0.3)
    shop.label(shop.anna, *range(1, 61))
    assert shop.waiting() == [i for i in range(1, 61) if draw(i, OVERLAP_FACTOR) < 0.3]


# --- whatever happens --------------------------------------------------------------------------


def test_after_any_acts_the_queue_holds_what_it_should(store):
    """Random acts; then a queue filled from nothing says the same, and the tally is right."""
    shop, rng, acts = make_shop(store, 12, {i: 1 for i in range(1, 7)}, overlap_share=0.4), None, []
    rng = random.Random(5)
    for _ in range(60):
        actor = rng.choice((shop.anna, shop.ben, shop.lead))
        ids = rng.sample(range(1, 13), rng.choice((1, 1, 1, 3)))
        kind = rng.choice(("label", "label", "accept", "skip", "flag", "unflag", "undo"))
        if kind == "undo" and acts:
            shop.undo(actor, acts.pop(rng.randrange(len(acts))))
        elif kind != "undo":
            bulk = "bulk" if len(ids) > 1 and kind != "skip" else "single"
            acts.append(shop.act(actor, ids, kind, rng.choice((1, 2, 3)), bulk))
    held = rows(shop)
    with store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM queue_entry")
        fill(session)
    assert rows(shop) == held
    counted, real = shop.tallied()
    assert counted == real


def rows(shop):
    entries = [shop.entry(i) for i in range(1, 13)]
    return [e and (e.audience, e.class_key, e.decided_by_id) for e in entries]


def test_settling_an_act_twice_counts_once(shop):
    act = shop.label(shop.anna, 6)
    with shop.store.writing() as session:
        settle(session, act, 0.0)
    assert shop.tallied() == ((5, 5), (5, 5))
