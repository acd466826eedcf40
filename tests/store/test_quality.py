"""What the reports say, against counts made by hand."""

import pytest
from queue_acts import add_model, make_shop
from sqlalchemy import update

from mmcore.services.labelling import Seen, Suggestion, label
from mmcore.services.pace import work_by_day, work_by_person
from mmcore.services.quality import (
    agreement,
    anchoring,
    conflicts,
    count_conflicts,
    suspect_precision,
)
from mmcore.services.queue import refresh
from mmcore.store.tables import Annotation, Prediction

DAY = 86_400.0


@pytest.fixture
def shop(store):
    return make_shop(store, 8, {i: 1 for i in range(1, 9)}, overlap_share=1.0)


def decide(shop, actor, **classes):
    """Label products p1=..., p2=... one by one."""
    return [shop.label(actor, int(p[1:]), class_id=c) for p, c in classes.items()]


def test_agreement_is_that_of_the_two_first_opinions(shop):
    decide(shop, shop.anna, p1=1, p2=1, p3=2, p4=2)
    decide(shop, shop.ben, p1=1, p2=2, p3=2, p4=2)
    decide(shop, shop.lead, p2=1)  # settles a conflict: no third opinion
    decide(shop, shop.lead, p5=1)  # alone: nothing to compare with
    found = agreement(shop.store)
    assert (found.agreed.count, found.agreed.n, found.agreed.value) == (3, 4, 0.75)
    assert found.agreed.interval == pytest.approx((0.3006, 0.9544), abs=1e-3)
    (pair,) = found.pairs
    assert (pair.first, pair.second) == ("anna", "ben")
    assert pair.kappa == pytest.approx((0.75 - 0.5) / 0.5)
    # two of eight values pair up with another class: 1 - 7 * 2 / (2 * 3 * 5)
    assert found.alpha == pytest.approx(1 - 7 * 2 / 30)


def test_undone_and_bulk_decisions_are_no_opinions(shop):
    decide(shop, shop.anna, p1=1, p2=1)
    act = decide(shop, shop.ben, p1=2)[0]
    shop.undo(shop.ben, act)
    shop.label(shop.lead, 2, class_id=2, act_kind="bulk")
    assert agreement(shop.store).agreed.n == 0
    assert agreement(shop.store).alpha is None
    assert count_conflicts(shop.store) == (0, 0)


def test_a_product_outside_the_overlap_is_no_second_opinion(store):
    shop = make_shop(store, 2, overlap_share=0.0)
    decide(shop, shop.anna, p1=1)
    decide(shop, shop.ben, p1=2)  # mends it, having seen Anna's label
    assert agreement(store).agreed.n == 0


def test_a_conflict_is_open_until_a_lead_decides(shop):
    decide(shop, shop.anna, p1=1, p2=2, p3=3)
    decide(shop, shop.ben, p1=2, p2=2, p3=1)
    first, third = conflicts(shop.store)
    assert (first.id, first.product_id, first.title, first.label) == (1, "p1", "title 1", "40")
    assert [(o.annotator, o.label) for o in first.opinions] == [("anna", "10"), ("ben", "40")]
    assert first.version == 2 and third.id == 3
    assert [c.id for c in conflicts(shop.store, after=1)] == [3]
    assert [c.id for c in conflicts(shop.store, limit=1)] == [1]
    act = decide(shop, shop.lead, p1=1)[0]
    assert count_conflicts(shop.store) == (1, 1)
    (settled,) = conflicts(shop.store, is_settled=True)
    assert (settled.settled.annotator, settled.settled.label) == ("lena", "10")
    shop.undo(shop.lead, act)
    assert count_conflicts(shop.store) == (2, 0)


def test_who_changes_their_mind_says_the_later(shop):
    decide(shop, shop.anna, p1=1)
    decide(shop, shop.ben, p1=2)
    decide(shop, shop.ben, p1=1)
    assert count_conflicts(shop.store) == (0, 0)


def views(store, product_id, text, image):
    """Set what the towers say: (class id, probability) or nothing."""
    names = ("text_class_id", "text_probability", "image_class_id", "image_probability")
    values = dict(zip(names, (*(text or (None, None)), *(image or (None, None))), strict=True))
    with store.writing() as session:
        session.execute(
            update(Prediction).where(Prediction.product_id == product_id).values(values)
        )


def beside(shop, act_ids, hidden=False, code="10"):
    """Say that the annotations of some acts were made beside the model's suggestion."""
    suggestion = {"class": code, "probability": 0.6, "hidden": hidden}
    with shop.store.writing() as session:
        session.execute(
            update(Annotation)
            .where(Annotation.act_id.in_(act_ids))
            .values(model_version_id=1, suggestion=suggestion)
        )


def shown(shop, product_id, code):
    """Let Anna decide a product as the queue shows it, beside what the model suggests."""
    suggestion = Suggestion("10", 0.6, model_version_id=1)
    label(shop.store, shop.anna, Seen(product_id, 0, f"s{product_id}", suggestion), code, 5.0)


def test_precision_counts_labels_that_the_queue_held_suspect_when_they_were_seen(shop):
    add_model(
        shop.store,
        1,
        {
            1: (0.1, 0.5, 0.5, 0.8, 1),  # suspect, changed as predicted
            2: (0.1, 0.5, 0.5, 0.4, 1),  # suspect, changed to something else
            3: (0.1, 0.5, 0.5, 0.9, 1),  # suspect, confirmed
            4: (0.1, 0.5, 0.5, 0.39, 1),  # not suspect, changed
            5: (0.1, 0.5, 0.5, 0.0, 1),  # not suspect, confirmed
            6: (0.1, 0.5, 0.5, 0.9, 2),  # another label was suspect, nobody asked about this one
        },
    )
    refresh(shop.store, 1)
    for product_id in range(1, 7):
        views(shop.store, product_id, (2, 0.9), (2, 0.9))
    for product_id, code in zip(range(1, 7), ("40", "50", "10", "40", "10", "40"), strict=True):
        shown(shop, product_id, code)
    beside(shop, decide(shop, shop.ben, p3=2))  # a second opinion isn't about the old label
    found = suspect_precision(shop.store)
    assert (found.changed.count, found.changed.n) == (2, 3)
    assert (found.as_predicted.count, found.as_predicted.n) == (1, 3)
    assert (found.others_changed.count, found.others_changed.n) == (1, 2)


def test_precision_is_of_the_labels_that_the_queue_held_suspect(shop):
    """Checked by other models than the one that answers, which has learnt the labels by heart."""
    add_model(shop.store, 1, {1: (0.1, 0.5, 0.5, 0.8, 1), 2: (0.1, 0.5, 0.5, 0.1, 1)})
    refresh(shop.store, 1)
    views(shop.store, 1, (1, 0.9), (1, 0.9))
    views(shop.store, 2, (2, 0.9), (2, 0.9))
    for product_id in (1, 2):
        shown(shop, product_id, "40")
    found = suspect_precision(shop.store)
    assert (found.changed.count, found.changed.n) == (1, 1)
    assert (found.as_predicted.count, found.others_changed.n) == (0, 1)


def test_the_pull_of_suggestions_is_shown_minus_hidden(shop):
    add_model(shop.store, 1, {i: (0.1, 0.5, 0.5, 0.0, 1) for i in range(1, 9)})
    beside(shop, decide(shop, shop.anna, p1=1, p2=1, p3=1, p4=2))
    beside(shop, decide(shop, shop.anna, p5=1, p6=2), hidden=True)
    beside(shop, decide(shop, shop.ben, p7=2))
    decide(shop, shop.ben, p8=1)  # without a suggestion: says nothing
    everyone, anna, ben = anchoring(shop.store)
    assert everyone.annotator is None and everyone.shown.n == 5 and everyone.hidden.n == 2
    assert (anna.annotator, anna.shown.value, anna.hidden.value) == ("anna", 0.75, 0.5)
    assert anna.gap == 0.25
    low, high = anna.interval
    assert -1 < low < 0.25 < high < 1
    assert (ben.annotator, ben.gap, ben.interval) == ("ben", None, (-1.0, 1.0))


def test_the_pace_leaves_pauses_out_and_tells_what_was_undone(shop):
    for seconds, product in ((0, "p1"), (60, "p2"), (120, "p3"), (4000, "p4")):
        shop.now = 1000.0 + seconds
        decide(shop, shop.anna, **{product: 2})
    shop.now += 60
    shop.skip(shop.anna, 5)
    shop.now += 60
    shop.act(shop.anna, [6], "flag")
    shop.now += 60
    act = shop.act(shop.anna, [7], "accept")
    shop.now += 60
    shop.undo(shop.anna, act)
    shop.label(shop.lead, 7, 8, act_kind="bulk")
    anna, lena = work_by_person(shop.store)
    assert (anna.annotator, anna.labels, anna.skips, anna.flags, anna.undone) == (
        "anna",
        *(4, 1, 1, 1),
    )
    # 2 minutes, a pause of more than an hour, 4 minutes
    assert anna.active_hours == pytest.approx(6 / 60)
    assert anna.labels_per_hour == pytest.approx(40)
    assert (anna.first_at, anna.last_at) == (1000.0, 5180.0)
    assert (lena.annotator, lena.labels, lena.bulk, lena.labels_per_hour) == ("lena", 0, 2, None)


def test_days_begin_at_midnight_utc(shop):
    for now, product in ((DAY - 1, "p1"), (DAY, "p2"), (1.6 * DAY, "p3"), (3 * DAY, "p4")):
        shop.now = now
        decide(shop, shop.anna, **{product: 1})
    shop.skip(shop.ben, 5)
    found = [(row.day, row.annotator, row.labels, row.skips) for row in work_by_day(shop.store)]
    assert found == [
        ("1970-01-01", "anna", 1, 0),
        ("1970-01-02", "anna", 2, 0),
        ("1970-01-04", "anna", 1, 0),
        ("1970-01-04", "ben", 0, 1),
    ]
    assert len(work_by_day(shop.store, since=2 * DAY)) == 2


def test_reports_of_nothing_are_empty(store):
    make_shop(store, 1)
    assert (agreement(store).pairs, conflicts(store), work_by_person(store)) == ((), (), ())
    assert suspect_precision(store).changed.value is None
    assert [row.gap for row in anchoring(store)] == [None]
