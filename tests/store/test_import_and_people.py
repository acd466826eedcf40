"""Imports together with what people do through the services: labels, merges, undo, the queue."""

from threading import Thread

import pytest
from catalogue_files import NOW, open_shop

from mmcore.errors import RefusedError
from mmcore.services import bulk
from mmcore.services.annotation_import import import_labels
from mmcore.services.browse import product_detail
from mmcore.services.class_merge import merge_classes
from mmcore.services.labelling import Seen, flag, label, product_named, skip, unflag
from mmcore.services.queue import QueueChoice, next_product
from mmcore.services.undoing import undo
from mmcore.store import import_writes

HEADER = "id,title,label\n"
FILE = HEADER + "1,chaise rouge,A\n2,table bleue,B\n3,vase vert,\n"


@pytest.fixture
def shop(store, tmp_path):
    shop = open_shop(store, tmp_path)
    shop.run(FILE)
    return shop


def decide(shop, product_id, code, token, now=NOW + 1):
    ref = product_named(shop.store, product_id)
    return label(shop.store, shop.anna, Seen(ref.id, ref.version, token), code, now)


def act_of(shop, product_id):
    return product_detail(shop.store, product_id).history[-1].act_id


def test_an_import_is_undone_as_one_act_and_done_again(shop):
    done = undo(shop.store, shop.lead, "u1", NOW + 1, act_of(shop, "1"))
    assert done.restored == 2 and shop.labels() == {"1": None, "2": None, "3": None}
    undo(shop.store, shop.lead, "u2", NOW + 2, done.act_id)
    assert shop.labels() == {"1": "A", "2": "B", "3": None}


def test_undoing_an_import_spares_what_people_decided_since(shop):
    decide(shop, "1", "B", "t1")
    done = undo(shop.store, shop.lead, "u1", NOW + 2, act_of(shop, "2"))
    assert (done.restored, done.kept) == (1, 1)
    assert shop.labels() == {"1": "B", "2": None, "3": None}


def test_undoing_a_relabelling_gives_the_label_back_to_whom_it_was(shop):
    decide(shop, "1", "B", "t1")
    shop.run(FILE, now=NOW + 2, relabel=True)
    assert shop.labels()["1"] == "A"
    undo(shop.store, shop.lead, "u1", NOW + 3, act_of(shop, "1"))
    assert shop.labels()["1"] == "B"
    report = shop.run(FILE, now=NOW + 4)
    assert shop.labels()["1"] == "B" and "anna decided 'B'" in report.issues[0].reason


def test_an_undone_label_is_the_files_again(shop):
    decide(shop, "1", "B", "t1")
    undo(shop.store, shop.anna, "u1", NOW + 2)
    assert shop.run(FILE.replace("rouge,A", "rouge,B"), now=NOW + 3).issues == ()
    assert shop.labels()["1"] == "B"


def test_a_merge_of_classes_outlives_the_file(shop):
    merged = merge_classes(shop.store, shop.lead, "A", "B", "m1", NOW + 1)
    before = shop.everything()
    assert shop.run(FILE, now=NOW + 2).issues == () and shop.everything() == before
    undo(shop.store, shop.lead, "u1", NOW + 3, merged.act_id)
    assert shop.labels()["1"] == "A"
    assert shop.run(FILE.replace("rouge,A", "rouge,B"), now=NOW + 4).issues == ()
    assert shop.labels()["1"] == "B", "neither the merge nor its undo made it a person's label"


def test_labels_that_a_file_brought_in_peoples_names_are_theirs(shop, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(f"product_id,label,annotator,time\n1,B,zoe,{NOW + 1}\n")
    assert import_labels(shop.store, shop.lead, path, NOW + 1).changed == 1
    report = shop.run(FILE, now=NOW + 2)
    assert shop.labels()["1"] == "B" and "zoe decided 'B'" in report.issues[0].reason


def test_what_comes_waits_in_the_queue_and_what_leaves_does_not(shop):
    for product_id, code in (("1", "A"), ("2", "B")):
        decide(shop, product_id, code, f"t{product_id}")
    choice = QueueChoice()
    assert next_product(shop.store, shop.anna, choice, NOW + 2).product_id == "3"
    shop.run(HEADER + "9,lampe,\n", now=NOW + 3, replace=True)
    assert next_product(shop.store, shop.lead, choice, NOW + 4).product_id == "9"
    assert next_product(shop.store, shop.anna, choice, NOW + 5) is None


def test_a_file_of_labels_without_times_may_change_what_the_catalogue_said(shop, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("product_id,label\n1,B\n2,A\n")
    decide(shop, "2", "B", "t1")
    done = import_labels(shop.store, shop.lead, path, NOW + 2)
    assert (done.changed, done.left_out) == (1, 1), "anna's word stands, the catalogue's doesn't"
    assert shop.labels() == {"1": "B", "2": "B", "3": None}


def test_people_label_on_while_new_products_are_written(shop, monkeypatch):
    """On SQLite one writes at a time; on PostgreSQL a new class made everybody wait for all."""
    if shop.store.is_sqlite:
        pytest.skip("one writer at a time")
    real, saved = import_writes.bulk_insert, []

    def watched(*arguments):
        real(*arguments)
        person = Thread(target=lambda: saved.append(decide(shop, "1", "B", "t1")), daemon=True)
        person.start()
        person.join(10)

    monkeypatch.setattr(import_writes, "bulk_insert", watched)
    shop.run(HEADER + "4,lampe jaune,0\n", now=NOW + 2)  # its class comes before A and B
    assert [marked.label for marked in saved] == ["B"]
    assert shop.labels() == {"1": "B", "2": "B", "3": None, "4": "0"}


# --- products that left the catalogue


REPLACED = HEADER + "2,table bleue,B\n3,vase vert,A\n"


def test_a_decision_on_a_product_that_was_dropped_meanwhile_is_refused_by_name(shop):
    item = next_product(shop.store, shop.anna, QueueChoice(class_code="A"), NOW + 1)
    assert item.product_id == "1"
    shop.run(REPLACED, now=NOW + 2, replace=True)
    seen, before = Seen(item.id, item.version, item.token), shop.everything()
    for act in (
        lambda: label(shop.store, shop.anna, seen, "B", NOW + 3),
        lambda: flag(shop.store, shop.anna, seen, "odd", NOW + 3),
        lambda: unflag(shop.store, shop.anna, seen, "fine", NOW + 3),
    ):
        with pytest.raises(RefusedError, match="product 1 is not in the catalogue any more.*anot"):
            act()
    assert shop.everything() == before
    skip(shop.store, shop.anna, seen, "", NOW + 3)  # the way on is open
    assert next_product(shop.store, shop.anna, QueueChoice(), NOW + 4).product_id != "1"
    shop.run(FILE, now=NOW + 5)
    assert decide(shop, "1", "B", "t9", NOW + 6).label == "B", "it is back, and can be labelled"


def test_a_selection_with_dropped_products_is_refused_by_name(shop):
    ids = tuple(product_named(shop.store, name).id for name in "12")
    shop.run(REPLACED, now=NOW + 1, replace=True)
    before = shop.everything()
    request = bulk.BulkRequest(bulk.Selection(ids), "b1")
    words = r"1 of the 2 products are not in the catalogue any more \(1\).*select again"
    with pytest.raises(RefusedError, match=words):
        bulk.bulk_label(shop.store, shop.lead, request, "B", NOW + 2)
    with pytest.raises(RefusedError, match=words):
        bulk.preview(shop.store, request.target)
    assert shop.everything() == before
    left = bulk.BulkRequest(bulk.Selection(ids[1:]), "b2")
    assert bulk.bulk_label(shop.store, shop.lead, left, "A", NOW + 3).count == 1
