"""One person's decision on one product: saved once, never over an unseen one, told in history."""

import threading

import pytest
from shop import NOW, open_shop

from mmcore.errors import NotFoundError, RefusedError, StaleWriteError
from mmcore.services import labelling
from mmcore.services.bulk import BulkRequest, Selection, bulk_label
from mmcore.services.labelling import Seen, Suggestion
from mmcore.services.people import Actor, ensure_actor
from mmcore.store.classes import find_class, update_class
from mmcore.store.tables import ModelVersion


@pytest.fixture
def shop(store):
    return open_shop(store)


def archive(shop, code, into=None):
    with shop.store.writing() as session:
        into_id = find_class(session, into).id if into else None
        values = {"is_archived": True, "merged_into_id": into_id}
        update_class(session, find_class(session, code).id, values)


def test_a_label_is_saved_with_all_that_was_seen(shop):
    with shop.store.writing() as session:
        session.add(ModelVersion(id=7, name="m7", snapshot="x", created_at=NOW))
    suggestion = Suggestion("B", 0.25, is_hidden=True, model_version_id=7)
    saved = labelling.label(shop.store, shop.anna, Seen(1, 0, "t", suggestion, 3.5), "A", NOW)
    assert (saved.version, saved.label, saved.is_flagged) == (1, "A", False)
    row = shop.annotations()[0]
    assert (row.id, row.act_id) == (saved.annotation_id, saved.act_id)
    assert (row.kind, row.class_before_id, row.seconds, row.created_at) == ("label", None, 3.5, NOW)
    assert row.suggestion == {"class": "B", "probability": 0.25, "hidden": True}
    assert (row.model_version_id, row.annotator_id) == (7, shop.anna.id)
    assert shop.product(1).label == "A" and shop.product(1).version == 1


def test_accept_takes_the_shown_suggestion(shop):
    saved = labelling.accept(shop.store, shop.anna, shop.seen(1, "t", "C"), NOW)
    assert saved.label == "C" and shop.annotations()[0].kind == "accept"


@pytest.mark.parametrize("suggestion", [None, Suggestion("A", 0.5, is_hidden=True)])
def test_what_was_not_shown_cannot_be_accepted(shop, suggestion):
    with pytest.raises(RefusedError, match="no suggestion was shown.*choose a class"):
        labelling.accept(shop.store, shop.anna, Seen(1, 0, "t", suggestion), NOW)


def test_a_skip_leaves_label_and_version(shop):
    labelling.label(shop.store, shop.anna, shop.seen(1, "a"), "A", NOW)
    saved = labelling.skip(shop.store, shop.bob, shop.seen(1, "b"), "blurred photo", NOW)
    assert (saved.version, saved.label) == (1, "A")
    assert shop.annotations()[-1].comment == "blurred photo"


def test_flag_and_unflag(shop):
    saved = labelling.flag(shop.store, shop.anna, shop.seen(1, "a"), "two products", NOW)
    assert saved.is_flagged and shop.product(1).is_flagged
    saved = labelling.unflag(shop.store, shop.bob, shop.seen(1, "b"), "split up", NOW)
    assert not saved.is_flagged and not shop.product(1).is_flagged and saved.version == 2
    comments = [row.comment for row in shop.annotations()]
    assert comments == ["two products", "split up"]


def test_a_resend_changes_nothing_and_answers_the_same_even_later(shop):
    seen = shop.seen(1, "t")
    first = labelling.label(shop.store, shop.anna, seen, "A", NOW)
    labelling.label(shop.store, shop.bob, shop.seen(1, "other"), "B", NOW + 1)
    archive(shop, "A")
    again = labelling.label(shop.store, shop.anna, seen, "A", NOW + 2)
    assert again == first
    assert shop.product(1).label == "B" and len(shop.annotations()) == 2


def test_a_token_with_other_content_is_refused(shop):
    labelling.label(shop.store, shop.anna, shop.seen(1, "t"), "A", NOW)
    others = [
        lambda: labelling.label(shop.store, shop.anna, shop.seen(1, "t"), "B", NOW),
        lambda: labelling.label(shop.store, shop.anna, shop.seen(2, "t"), "A", NOW),
        lambda: labelling.label(shop.store, shop.bob, shop.seen(1, "t"), "A", NOW),
        lambda: labelling.accept(shop.store, shop.anna, shop.seen(1, "t", "A"), NOW),
        lambda: labelling.skip(shop.store, shop.anna, shop.seen(1, "t"), "", NOW),
    ]
    for other in others:
        with pytest.raises(RefusedError, match="token 't' was used for act 1"):
            other()
    assert len(shop.annotations()) == len(shop.acts()) == 1


def test_simultaneous_resends_act_once(shop):
    seen, results, ready = shop.seen(1, "t"), [], threading.Barrier(8)

    def send():
        ready.wait(10)
        results.append(labelling.label(shop.store, shop.anna, seen, "A", NOW))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and len(set(results)) == 1
    assert len(shop.annotations()) == 1


def test_a_stale_write_is_refused_and_says_what_happened(shop):
    seen = shop.seen(1, "mine")
    labelling.label(shop.store, shop.bob, shop.seen(1, "his"), "B", NOW)
    message = "product p1 was labelled B by bob at 2025-06-15 15:06:40 UTC.*its label is B now"
    with pytest.raises(StaleWriteError, match=message) as caught:
        labelling.label(shop.store, shop.anna, seen, "A", NOW + 9)
    assert (caught.value.version, caught.value.label) == (1, "B")
    assert shop.product(1).label == "B" and len(shop.acts()) == 1
    # the token is free: nothing was saved under it
    again = Seen(1, caught.value.version, "mine")
    assert labelling.label(shop.store, shop.anna, again, "A", NOW + 10).label == "A"


def test_a_second_opinion_is_saved_whatever_the_first_said(shop):
    seen = shop.seen(1, "mine", is_second_opinion=True)
    labelling.label(shop.store, shop.bob, shop.seen(1, "his"), "B", NOW)
    saved = labelling.label(shop.store, shop.anna, seen, "A", NOW + 1)
    assert (saved.label, saved.version) == ("A", 2)
    assert [row.annotator_id for row in shop.annotations()] == [shop.bob.id, shop.anna.id]


def test_a_second_opinion_does_not_overwrite_what_a_lead_or_a_bulk_act_decided(shop):
    lead = ensure_actor(shop.store, "lea", "lead", NOW)
    by_lead, by_bulk = (shop.seen(i, f"mine{i}", is_second_opinion=True) for i in (1, 2))
    labelling.label(shop.store, lead, shop.seen(1, "hers"), "B", NOW)
    bulk_label(shop.store, shop.bob, BulkRequest(Selection((2,)), "many"), "B", NOW)
    for seen, name in ((by_lead, "lea"), (by_bulk, "bob")):
        with pytest.raises(StaleWriteError, match=f"labelled B by {name}"):
            labelling.label(shop.store, shop.anna, seen, "A", NOW + 1)


def test_a_confirmation_counts_as_a_decision(shop):
    labelling.label(shop.store, shop.anna, shop.seen(1, "a"), "A", NOW)
    seen_by_bob = shop.seen(1, "b")
    labelling.label(shop.store, shop.anna, shop.seen(1, "c"), "A", NOW)
    with pytest.raises(StaleWriteError, match="labelled A by anna"):
        labelling.label(shop.store, shop.bob, seen_by_bob, "B", NOW)


def test_archived_and_merged_classes_are_refused_by_name(shop):
    archive(shop, "A")
    archive(shop, "B", into="C")
    archive(shop, "C", into="D")
    with pytest.raises(RefusedError, match=r"class A \(Classe A\) is archived"):
        labelling.label(shop.store, shop.anna, shop.seen(1, "t"), "A", NOW)
    message = r"class B \(Classe B\) was merged into D \(Classe D\); label it D instead"
    with pytest.raises(RefusedError, match=message):
        labelling.label(shop.store, shop.anna, shop.seen(1, "t"), "B", NOW)
    assert shop.acts() == []


def test_unknown_names_are_told(shop):
    with pytest.raises(NotFoundError, match="no class 'Z'; classes are A, B, C, D"):
        labelling.label(shop.store, shop.anna, shop.seen(1, "t"), "Z", NOW)
    with pytest.raises(NotFoundError, match="no product number 99"):
        labelling.label(shop.store, shop.anna, Seen(99, 0, "t"), "A", NOW)
    with pytest.raises(NotFoundError, match="no model version number 5"):
        seen = shop.seen(1, "t", Suggestion("A", 0.5, model_version_id=5))
        labelling.label(shop.store, shop.anna, seen, "A", NOW)
    with pytest.raises(NotFoundError, match="no product 'nope'"):
        labelling.product_named(shop.store, "nope")
    assert labelling.product_named(shop.store, "p2").id == 2


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (Seen(1, None, "t"), "must name the version"),
        (Seen(1, 0, ""), "token of an act is empty; give 1 to 200"),
        (Seen(1, 0, "x" * 201), "has 201 characters, 200 are the limit"),
        (Seen(1, 0, "a\0b"), r"control character U\+0000"),
        (Seen(1, 0, "t", Suggestion("A", float("nan"))), "probability is nan; it must be 0 to 1"),
    ],
)
def test_unusable_input_is_refused(shop, seen, message):
    with pytest.raises(RefusedError, match=message):
        labelling.label(shop.store, shop.anna, seen, "A", NOW)


def test_comments_have_a_limit_and_no_control_characters(shop):
    with pytest.raises(RefusedError, match="2,001 characters, 2,000 are the limit"):
        labelling.flag(shop.store, shop.anna, shop.seen(1, "t"), "x" * 2001, NOW)
    with pytest.raises(RefusedError, match=r"reason of a skip 'a\\x00' holds"):
        labelling.skip(shop.store, shop.anna, shop.seen(1, "t"), "a\0", NOW)
    with pytest.raises(RefusedError, match=r"U\+DC80"):
        labelling.flag(shop.store, shop.anna, shop.seen(1, "t"), "\udc80", NOW)


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_a_clock_gone_wrong_does_not_cost_the_label(shop, seconds):
    seen = shop.seen(1, "t", seconds=seconds)
    assert labelling.label(shop.store, shop.anna, seen, "A", NOW).label == "A"
    assert shop.annotations()[0].seconds is None


def test_viewers_only_look(shop):
    viewer = Actor(shop.anna.id, "vic", "viewer")
    with pytest.raises(RefusedError, match="vic is viewer, this needs annotator"):
        labelling.label(shop.store, viewer, shop.seen(1, "t"), "A", NOW)
