"""Classes: clear refusals, every change undoable, merges of many products told and taken back."""

import threading
import time

import pytest
from shop import CODES, NOW, add_model, open_shop

from mmcore.errors import NotFoundError, RefusedError, StaleWriteError
from mmcore.services import labelling
from mmcore.services.class_merge import merge_classes, preview_merge
from mmcore.services.classes import (
    ClassNames,
    add_class,
    archive_class,
    list_classes,
    name_classes,
    rename_class,
    reorder_classes,
    set_guideline,
    unarchive_class,
)
from mmcore.services.history import class_history, history, recent
from mmcore.services.undoing import redo, undo
from mmcore.store.tables import Lease

MANY = 10_000
SECONDS = 20  # generous: it takes well under two on two busy cores


@pytest.fixture
def shop(store):
    return open_shop(store, label="A")


def codes(shop, **options):
    found = [found.code for found in list_classes(shop.store, **options)]
    assert found == [name.code for name in name_classes(shop.store, **options)]
    return found


def test_the_list_has_counts_and_an_order(shop):
    seen = shop.seen(1, "t")
    labelling.label(shop.store, shop.anna, seen, "C", NOW)
    found = list_classes(shop.store)
    assert [(c.code, c.count) for c in found] == [("A", 5), ("B", 0), ("C", 1), ("D", 0)]
    reorder_classes(shop.store, shop.lead, ["D", "B", "C", "A"], "o", NOW)
    assert codes(shop) == ["D", "B", "C", "A"]
    undo(shop.store, shop.lead, "u", NOW, act_id=2)
    assert codes(shop) == list(CODES)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["A", "B", "C"], "each class once; missing: D"),
        (["A", "B", "C", "D", "Z"], "unknown or archived: Z"),
        (["A", "B", "C", "D", "A"], "there twice: A"),
        (["A", "B", "C", "D"], "in this order already"),
    ],
)
def test_an_order_names_each_class_once(shop, order, message):
    with pytest.raises(RefusedError, match=message):
        reorder_classes(shop.store, shop.lead, order, "o", NOW)


def test_a_new_class_can_be_given_and_taken_back(shop):
    names = ClassNames("E", "Épices", "Spices")
    result = add_class(shop.store, shop.lead, names, "t", NOW)
    assert add_class(shop.store, shop.lead, names, "t", NOW) == result
    assert result.text == "added class E (Épices, Spices)"
    labelling.label(shop.store, shop.anna, shop.seen(1, "l"), "E", NOW)
    undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    assert codes(shop) == list(CODES) and "E" in codes(shop, with_archived=True)
    assert shop.product(1).label == "E"  # a decision of anna's: it stays
    with pytest.raises(RefusedError, match=r"code 'E' belongs to class E \(Épices\), which is arc"):
        add_class(shop.store, shop.lead, ClassNames("E"), "t2", NOW)
    redo(shop.store, shop.lead, "r", NOW)
    assert codes(shop)[-1] == "E"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (ClassNames(), "needs a code of 1 to 64"),
        (ClassNames(" "), "code of a class is empty; give 1 to 64"),
        (ClassNames("x" * 65), "code of a class has 65 characters, 64 are the limit"),
        (ClassNames("X", "a\nb"), "French name of a class .* holds a line break"),
        (ClassNames("X", "a", "b\x07"), r"English name .* control character U\+0007"),
        (ClassNames("A"), "code 'A' belongs to class A .*; choose another code"),
    ],
)
def test_unusable_names_are_refused(shop, names, message):
    with pytest.raises(RefusedError, match=message):
        add_class(shop.store, shop.lead, names, "t", NOW)
    assert codes(shop, with_archived=True) == list(CODES) and shop.acts() == []


def test_a_rename_keeps_the_labels_and_goes_back(shop):
    names = ClassNames("A2", name_en="Alpha")
    result = rename_class(shop.store, shop.lead, "A", names, "t", NOW)
    assert set(shop.labels()) == {"A2"}
    assert "code 'A' became 'A2', English name 'Class A' became 'Alpha'" in result.text
    with pytest.raises(RefusedError, match="code 'B' belongs to class B"):
        rename_class(shop.store, shop.lead, "A2", ClassNames("B"), "t2", NOW)
    with pytest.raises(RefusedError, match="is like that already: there is nothing to change"):
        rename_class(shop.store, shop.lead, "A2", names, "t3", NOW)
    undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    first = list_classes(shop.store)[0]
    assert (first.code, first.name_fr, first.name_en) == ("A", "Classe A", "Class A")


def test_a_change_of_order_names_first_who_moved_farthest(shop):
    first, *rest = codes(shop)
    done = reorder_classes(shop.store, shop.lead, [*rest, first], "t", NOW)
    assert done.text.startswith(f"changed the order: class {first} to {len(rest) + 1}, ")


def test_an_undo_does_not_take_a_code_that_is_in_use(shop):
    result = rename_class(shop.store, shop.lead, "A", ClassNames("A2"), "t", NOW)
    add_class(shop.store, shop.lead, ClassNames("A"), "t2", NOW)
    with pytest.raises(RefusedError, match="code 'A' belongs to class A; choose another"):
        undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)


def test_an_undo_does_not_overwrite_a_later_change(shop):
    first = set_guideline(shop.store, shop.lead, "A", "Books only.", "t", NOW)
    later = set_guideline(shop.store, shop.lead, "A", "Books and maps.", "t2", NOW)
    with pytest.raises(RefusedError, match="was changed since .guideline is 'Books and maps.' now"):
        undo(shop.store, shop.lead, "u", NOW, act_id=first.act_id)
    undo(shop.store, shop.lead, "u", NOW, act_id=later.act_id)
    undo(shop.store, shop.lead, "u2", NOW, act_id=first.act_id)
    assert list_classes(shop.store)[0].guideline == ""


def test_an_archived_class_keeps_its_products(shop):
    archive_class(shop.store, shop.lead, "A", "t", NOW)
    assert codes(shop) == ["B", "C", "D"] and set(shop.labels()) == {"A"}
    with pytest.raises(RefusedError, match="class A .* is archived"):
        labelling.label(shop.store, shop.anna, shop.seen(1, "l"), "A", NOW)
    unarchive_class(shop.store, shop.lead, "A", "t2", NOW)
    assert codes(shop) == list(CODES)


def test_only_leads_change_classes(shop):
    attempts = [
        lambda: add_class(shop.store, shop.anna, ClassNames("E"), "t", NOW),
        lambda: archive_class(shop.store, shop.anna, "A", "t", NOW),
        lambda: merge_classes(shop.store, shop.anna, "A", "B", "t", NOW),
    ]
    for attempt in attempts:
        with pytest.raises(RefusedError, match="anna is annotator, this needs lead"):
            attempt()
    result = archive_class(shop.store, shop.lead, "A", "t", NOW)
    with pytest.raises(RefusedError, match="this needs lead"):
        undo(shop.store, shop.anna, "u", NOW, act_id=result.act_id)


def test_the_preview_of_a_merge_says_what_changes(shop):
    add_model(shop.store, {1: "A"})
    labelling.label(shop.store, shop.anna, shop.seen(1, "l"), "A", NOW)
    with shop.store.writing() as session:
        for product_id, expires_at in ((1, NOW + 60), (2, NOW - 60)):
            times = {"taken_at": NOW, "expires_at": expires_at}
            lease = Lease(product_id=product_id, annotator_id=shop.bob.id, token="t", **times)
            session.add(lease)
    found = preview_merge(shop.store, "A", "B", NOW)
    assert found.products == {"train": 3, "val": 2, "test": 1} and found.count == 6
    assert (found.into_count, found.annotations, found.open_products) == (0, 1, 1)
    assert found.models == ("m-production",)


def test_a_merge_relabels_archives_and_names_the_new_class(shop):
    seen_before = shop.seen(2, "late")
    result = merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    assert merge_classes(shop.store, shop.lead, "A", "B", "t", NOW + 1) == result
    assert (result.count, set(shop.labels())) == (6, {"B"})
    assert result.text == "merged class A (Classe A) into B (Classe B): 6 products"
    found = {c.code: c for c in list_classes(shop.store, with_archived=True)}
    assert found["A"].is_archived and found["A"].merged_into == "B" and found["B"].count == 6
    with pytest.raises(RefusedError, match="class A .* was merged into B .*; label it B instead"):
        labelling.label(shop.store, shop.anna, shop.seen(1, "l"), "A", NOW)
    with pytest.raises(StaleWriteError, match="moved by a merge of classes to B by lea"):
        labelling.label(shop.store, shop.anna, seen_before, "C", NOW)


def test_merges_that_make_no_sense_are_refused(shop):
    merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    for code, into, message in (
        ("B", "B", "can't be merged into itself"),
        ("A", "C", "was merged into B .* already"),
        ("C", "A", "was merged into B .*; label it B instead"),
    ):
        for attempt in (
            lambda c=code, i=into: merge_classes(shop.store, shop.lead, c, i, "t2", NOW),
            lambda c=code, i=into: preview_merge(shop.store, c, i, NOW),
        ):
            with pytest.raises(RefusedError, match=message):
                attempt()
    with pytest.raises(NotFoundError, match="no class 'Z'"):
        preview_merge(shop.store, "Z", "B", NOW)


def test_an_undone_merge_gives_back_labels_and_class_exactly(shop):
    labelling.label(shop.store, shop.anna, shop.seen(6, "b"), "B", NOW)
    before, classes = shop.state(), list_classes(shop.store, with_archived=True)
    result = merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    assert shop.state() == before
    assert list_classes(shop.store, with_archived=True) == classes
    redo(shop.store, shop.lead, "r", NOW)
    assert set(shop.labels()) == {"B"} and "A" not in codes(shop)
    lines = history(shop.store, 1)
    assert [(line.verb, line.label_before, line.label) for line in lines] == [
        ("merge", "A", "B"),
        ("undo", "B", "A"),
        ("undo", "A", "B"),
    ]
    texts = [line.text for line in class_history(shop.store)]
    assert texts == [
        "redo of act 2 (merge), 5 products put back",
        "undo of act 2 (merge), 5 products put back",
        "merged class A (Classe A) into B (Classe B): 5 products",
    ]


def test_undo_of_a_merge_keeps_later_decisions(shop):
    result = merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    labelling.label(shop.store, shop.anna, shop.seen(3, "l"), "C", NOW)
    undone = undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    assert (undone.restored, undone.kept, undone.kept_first[0].label) == (5, 1, "C")
    assert shop.labels() == ["A", "A", "C", "A", "A", "A"]
    undo(shop.store, shop.anna, "u2", NOW)
    assert shop.product(3).label == "B"


def test_chained_merges_are_undone_from_the_last(shop):
    first = merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    second = merge_classes(shop.store, shop.lead, "B", "C", "t2", NOW)
    with pytest.raises(RefusedError, match="was moved by a merge of classes to C by lea.*5 more"):
        undo(shop.store, shop.lead, "u", NOW, act_id=first.act_id)
    for act_id in (second.act_id, first.act_id):
        undo(shop.store, shop.lead, f"u{act_id}", NOW, act_id=act_id)
    assert set(shop.labels()) == {"A"} and codes(shop) == list(CODES)


def test_a_merge_is_not_redone_over_new_labels(shop):
    result = merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    labelling.label(shop.store, shop.anna, shop.seen(1, "l"), "C", NOW)
    labelling.label(shop.store, shop.anna, shop.seen(1, "l2"), "A", NOW)
    with pytest.raises(RefusedError, match="1 products were labelled A .* merge the classes anew"):
        redo(shop.store, shop.lead, "r", NOW)
    assert set(shop.labels()) == {"A"}


def test_a_merge_is_not_redone_over_another_merge(shop):
    result = merge_classes(shop.store, shop.lead, "D", "B", "t", NOW)
    undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    again = merge_classes(shop.store, shop.lead, "D", "B", "t2", NOW)
    with pytest.raises(RefusedError, match="class D .* was merged by another act since"):
        redo(shop.store, shop.lead, "r", NOW)
    undo(shop.store, shop.lead, "u2", NOW, act_id=again.act_id)
    merge_classes(shop.store, shop.lead, "B", "D", "t3", NOW)
    with pytest.raises(RefusedError, match="class B .* was archived or merged since the merge was"):
        redo(shop.store, shop.lead, "r", NOW, act_id=result.act_id)
    assert codes(shop) == ["A", "C", "D"]


def test_unmerging_without_the_products(shop):
    merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    unarchive_class(shop.store, shop.lead, "A", "t2", NOW)
    assert set(shop.labels()) == {"B"}
    assert labelling.label(shop.store, shop.anna, shop.seen(1, "l"), "A", NOW).label == "A"


def test_a_merge_does_not_fill_the_strip_of_labels_nor_answers_to_the_undo_key(shop):
    labelling.label(shop.store, shop.lead, shop.seen(1, "l"), "C", NOW)
    merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    assert [line.verb for line in recent(shop.store, shop.lead)] == ["label"]
    with pytest.raises(RefusedError, match="p1 was A before, a class that was merged into another"):
        undo(shop.store, shop.lead, "u", NOW)
    undo(shop.store, shop.lead, "u", NOW, act_id=2)
    undo(shop.store, shop.lead, "u2", NOW)
    assert set(shop.labels()) == {"A"}


def test_labels_and_a_merge_at_the_same_time_leave_nobody_in_the_old_class(store):
    shop = open_shop(store, 40)
    errors, ready = [], threading.Barrier(3)

    def work(actor, products):
        ready.wait(10)
        for product_id in products:
            try:
                seen = shop.seen(product_id, f"{actor.name}{product_id}")
                labelling.label(shop.store, actor, seen, "A", NOW)
            except RefusedError as error:
                errors.append(str(error))

    threads = [
        threading.Thread(target=work, args=(shop.anna, range(1, 21))),
        threading.Thread(target=work, args=(shop.bob, range(21, 41))),
    ]
    for thread in threads:
        thread.start()
    ready.wait(10)
    time.sleep(0.02)
    merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    for thread in threads:
        thread.join()
    assert "A" not in shop.labels()
    assert shop.labels().count("B") + len(errors) == 40


def test_ten_thousand_products_are_merged_and_given_back_in_seconds(store):
    shop = open_shop(store, MANY, label="A")
    before = shop.state()
    started = time.perf_counter()
    preview = preview_merge(shop.store, "A", "B", NOW)
    result = merge_classes(shop.store, shop.lead, "A", "B", "t", NOW)
    merged = set(shop.labels())
    undone = undo(shop.store, shop.lead, "u", NOW, act_id=result.act_id)
    assert time.perf_counter() - started < SECONDS
    assert preview.count == result.count == undone.restored == MANY
    assert merged == {"B"} and shop.state() == before
    assert [line.verb for line in history(shop.store, MANY)] == ["merge", "undo"]
    assert [line.verb for line in class_history(shop.store)] == ["undo", "merge"]
