"""Files meet people's labels: nothing is overwritten in silence, nothing is lost, all is told."""

import threading

import pytest
from catalogue_files import NOW, open_shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.issues import KEPT
from mmcore.config import RunChoices, build_run_config
from mmcore.services import import_run
from mmcore.services.browse import list_products
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.classes import ClassNames, archive_class, rename_class
from mmcore.services.people import ensure_actor
from mmcore.services.training_data import fit_modalities
from mmcore.store.tables import Act, Annotation, Lease, Product, ProductClass

HEADER = "id,title,label\n"
TWO = HEADER + "1,chaise rouge,A\n2,table bleue,\n"


@pytest.fixture
def shop(store, tmp_path):
    return open_shop(store, tmp_path)


# --- labels of a file are annotations


def test_labels_of_a_file_are_one_act_by_import(shop):
    shop.run(TWO + "3,vase vert,B\n")
    with shop.store.reading() as session:
        (act,) = session.scalars(select(Act)).all()
        versions = dict(session.execute(select(Product.product_id, Product.version)).all())
        (lone,) = set(session.scalars(select(Annotation.act_id)))
    assert (act.kind, act.created_at, lone) == ("import", NOW, act.id)
    assert act.details["verb"] == "import" and act.details["by"] == "lea"
    assert shop.history("1") == [("import", "import", None, "A", 1)]
    assert shop.history("2") == [] and versions == {"1": 1, "2": 0, "3": 1}


def test_a_later_file_changes_what_only_files_have_said(shop):
    shop.run(TWO)
    report = shop.run(HEADER + "1,chaise rouge,B\n", now=NOW + 9)
    assert shop.history("1")[1] == ("import", "import", "A", "B", 2)
    assert report.issues == () and report.num_updated == 1


def test_the_queue_is_settled_with_the_imports_act(shop, monkeypatch):
    settled = []
    monkeypatch.setattr(
        import_run, "settle_queue", lambda session, act_id, now: settled.append((act_id, now))
    )
    shop.run(TWO)
    shop.run(TWO)  # nothing changes: no act
    with shop.store.reading() as session:
        assert settled == [(session.scalar(select(Act.id)), NOW)]


# --- people's labels


def test_a_persons_label_is_kept_and_told_of(shop):
    shop.run(TWO + "3,vase vert,B\n")
    shop.mark("1", "B")
    before = shop.everything()
    report = shop.run(TWO + "3,vase vert,B\n", now=NOW + 9)
    assert shop.everything() == before, "the same file again changes nothing"
    (issue,) = report.issues
    assert (issue.line, issue.product_id, issue.column, issue.severity) == (2, "1", "label", KEPT)
    assert "the file says 'A', anna decided 'B' on 2025-06-15; kept" in issue.reason
    assert "--relabel to let the file win" in issue.reason
    assert (report.num_updated, report.num_unchanged) == (0, 3)


def test_relabel_lets_the_file_win_and_the_history_tells(shop):
    shop.run(TWO + "3,vase vert,B\n")
    shop.mark("1", "B")
    report = shop.run(TWO, relabel=True)
    assert report.issues == () and shop.labels()["1"] == "A"
    assert shop.history("1") == [
        ("import", "import", None, "A", 1),
        ("anna", "label", "A", "B", 2),
        ("import", "import", "B", "A", 3),
    ]


@pytest.mark.parametrize("kind", ["label", "accept"])
def test_a_label_that_a_person_confirmed_is_hers(shop, kind):
    shop.run(TWO)
    shop.mark("1", "A", kind)
    report = shop.run(HEADER + "1,chaise rouge,C\n")
    assert shop.labels()["1"] == "A" and "anna decided 'A'" in report.issues[0].reason


def test_a_flag_is_no_decision_on_the_label(shop):
    shop.run(TWO)
    shop.mark("1", "A", "flag")
    assert shop.run(HEADER + "1,chaise rouge,C\n").issues == ()
    assert shop.labels()["1"] == "C"


def test_an_undo_gives_the_label_back_to_whom_it_was(shop):
    shop.run(HEADER + "1,chaise rouge,A\n2,b c,B\n3,d e,B\n")
    undone = shop.mark("1", "B")
    shop.mark("1", "A", "undo", undoes_id=undone)
    shop.mark("2", "A")
    second = shop.mark("2", "B")
    shop.mark("2", "A", "undo", undoes_id=second)
    undone = shop.mark("3", "A")
    undo = shop.mark("3", "B", "undo", undoes_id=undone)
    shop.mark("3", "A", "undo", undoes_id=undo)  # a redo
    report = shop.run(HEADER + "1,chaise rouge,C\n2,b c,C\n3,d e,C\n")
    assert shop.labels() == {"1": "C", "2": "A", "3": "A"}
    assert [issue.product_id for issue in report.issues] == ["2", "3"]


def test_an_empty_label_takes_none_away_and_a_file_may_fill_one_in(shop):
    shop.run(TWO)
    shop.run(HEADER + "1,chaise rouge,\n2,table bleue,B\n")
    assert shop.labels() == {"1": "A", "2": "B"}


def test_a_label_given_while_an_import_runs_is_never_overwritten(shop, monkeypatch):
    shop.run(HEADER + "1,chaise rouge,A\n2,b c,B\n3,d e,C\n")
    plan = import_run.plan_import

    def slowly(*args):
        found = plan(*args)
        shop.mark("1", "C")  # after it was compared, before it is written
        return found

    monkeypatch.setattr(import_run, "plan_import", slowly)
    report = shop.run(HEADER + "1,chaise noire,B\n2,b c,A\n", relabel=True)
    assert shop.labels() == {"1": "C", "2": "A", "3": "C"}
    (issue,) = report.issues
    assert "the file says 'B', but the label was changed while this import ran" in issue.reason
    assert report.num_classes == 2 and report.num_without_label == 0
    assert load_catalogue(shop.store).products["title"][0] == "chaise noire"


# --- replacing


def test_a_replaced_catalogue_keeps_its_rows_and_history(shop):
    shop.run(TWO + "3,vase vert,B\n")
    shop.mark("3", "A")
    with shop.store.writing() as session:
        id = session.scalars(select(Product.id).where(Product.product_id == "3")).one()
        times = {"taken_at": NOW, "expires_at": NOW + 99}
        session.add(Lease(product_id=id, annotator_id=shop.anna.id, token="t", **times))
    report = shop.run(HEADER + "1,chaise rouge,A\n9,lampe,B\n", now=NOW + 9, replace=True)
    assert report.totals.num_products == 2 and shop.labels() == {"1": "A", "9": "B"}
    assert len(shop.history("3")) == 2, "no annotation is ever lost"
    assert [row.product_id for row in list_products(shop.store).rows] == ["1", "9"]
    with shop.store.reading() as session:
        removed = session.scalars(
            select(Product.product_id).where(Product.removed_at == NOW + 9)
        ).all()
        assert sorted(removed) == ["2", "3"] and session.scalars(select(Lease)).all() == []


def test_a_product_that_comes_back_has_its_label_and_history_again(shop):
    shop.run(TWO + "3,vase vert,B\n")
    shop.mark("3", "A")
    shop.run(HEADER + "1,chaise rouge,A\n", now=NOW + 9, replace=True)
    report = shop.run(HEADER + "2,table bleue,\n3,vase vert,B\n")
    assert report.num_added == 2 and "anna decided 'A'" in report.issues[0].reason
    assert shop.labels() == {"1": "A", "2": None, "3": "A"}
    assert len(shop.history("3")) == 2


def test_replacing_takes_labels_of_files_away_but_none_of_people(shop):
    shop.run(HEADER + "1,chaise rouge,A\n2,table bleue,B\n")
    shop.mark("2", "A")
    report = shop.run("id,title,label\n1,chaise rouge,\n2,table bleue,\n", replace=True)
    assert shop.labels() == {"1": None, "2": "A"} and report.issues == ()
    assert shop.history("1")[1] == ("import", "import", "A", None, 2)


def test_the_same_replacing_file_again_changes_nothing(shop):
    text = HEADER + "1,chaise rouge,A\n2,table bleue,B\n"
    shop.run(TWO + "9,autre chose,Z\n")
    shop.mark("2", "A")
    shop.run(text, replace=True)
    before = shop.everything()
    shop.run(text, replace=True, now=NOW + 9)
    assert shop.everything() == before


def test_a_test_product_that_left_is_a_test_product_when_it_comes_back(shop):
    shop.run("id,title,split\n1,chaise rouge,test\n2,table bleue,train\n")
    shop.run("id,title\n2,table bleue\n", now=NOW + 9, replace=True)
    shop.run("id,title\n1,chaise rouge\n3,Chaise ROUGE\n")
    splits = load_catalogue(shop.store).products.set_index("product_id")["split"]
    assert splits["1"] == splits["3"] == "test", "nor is a near-copy of it learnt from"


def test_a_drawn_product_leaves_nothing_to_a_real_one_of_the_same_id(shop):
    shop.run("id,title,label,split\n1,chaise rouge,A,test\n", source="drawn")
    shop.mark("1", "A")
    shop.run("id,title,label\n1,vase vert,B\n2,table bleue,B\n", replace=True, now=NOW + 9)
    assert shop.labels() == {"1": "B", "2": "B"}
    assert load_catalogue(shop.store).products["split"].tolist() == ["train", "train"]


# --- classes


def test_a_merged_class_in_a_file_means_the_one_it_went_into(shop):
    shop.run(HEADER + "1,chaise rouge,A\n2,table bleue,B\n")
    classes = shop.classes()
    with shop.store.writing() as session:
        merged = {"is_archived": True, "merged_into_id": classes["B"].id}
        session.execute(update(ProductClass).where(ProductClass.code == "A").values(**merged))
    shop.mark("1", "B", "undo")  # stands for the merge's own annotation
    before = shop.everything()
    assert shop.run(HEADER + "1,chaise rouge,A\n2,table bleue,B\n").issues == ()
    assert shop.everything() == before
    shop.run(HEADER + "3,vase,A\n")
    assert shop.labels()["3"] == "B"


def test_a_renamed_class_in_a_file_means_the_same_class(shop):
    text = HEADER + "1,chaise rouge,A\n2,table bleue,B\n"
    given = (ClassName("A", "Chaises", "Chairs"),)
    shop.run(text, classes=given)
    lead = ensure_actor(shop.store, "lea", "lead", NOW)
    rename_class(shop.store, lead, "A", ClassNames("seats"), "rename", NOW)
    before = shop.everything()
    assert shop.run(text, classes=given).issues == ()
    assert shop.everything() == before, "the same file again changes nothing"
    shop.run(HEADER + "3,vase,A\n")
    assert shop.labels()["3"] == "seats"


def test_an_archived_class_that_a_file_uses_comes_back_and_it_is_told(shop):
    shop.run(HEADER + "1,chaise rouge,A\n2,table bleue,B\n")
    shop.run(HEADER + "1,chaise rouge,B\n")  # A was but a label: it goes
    assert shop.classes()["A"].is_archived
    report = shop.run(HEADER + "1,chaise rouge,A\n")
    assert not shop.classes()["A"].is_archived
    assert "class 'A' was archived, and 1 products have it now" in report.issues[0].reason


def test_an_archived_class_stays_so_where_an_import_gives_it_to_nobody_new(shop):
    text = HEADER + "1,chaise rouge,A\n2,table bleue,B\n"
    given = (ClassName("A", "Chaises", "Chairs"),)
    shop.run(text, classes=given)
    lead = ensure_actor(shop.store, "lea", "lead", NOW)
    archive_class(shop.store, lead, "A", "archive", NOW)
    before = shop.everything()
    assert shop.run(text, classes=given).issues == ()
    assert shop.everything() == before, "the same file again changes nothing"
    assert shop.run(HEADER + "3,vase,B\n").issues == ()
    assert shop.classes()["A"].is_archived and shop.labels()["1"] == "A"
    shop.run(HEADER + "4,fauteuil,A\n")
    assert not shop.classes()["A"].is_archived


def test_a_name_that_people_see_is_not_overwritten_and_places_follow_the_codes(shop):
    given = (ClassName("10", "Livres", "Books"), ClassName("9", "Vases", "Vases"))
    shop.run(HEADER + "1,chaise,10\n2,table,9\n")
    with shop.store.writing() as session:
        session.execute(
            update(ProductClass).where(ProductClass.code == "9").values(name_fr="Mes vases")
        )
    shop.run(HEADER + "3,lampe,100\n", classes=given)
    classes = shop.classes()
    assert (classes["9"].name_fr, classes["10"].name_fr) == ("Mes vases", "Livres")
    assert [classes[code].position for code in ("9", "10", "100")] == [0, 1, 2]


# --- what a model reads


def test_side_columns_are_kept_and_never_read_by_default(shop):
    rows = "".join(f"{i},mot{i} titre,A,B\n" for i in range(9))
    shop.run("id,title,label,true_label\n" + rows)
    catalogue = load_catalogue(shop.store)
    assert set(catalogue.products["true_label"]) == {"B"}
    modalities, _ = fit_modalities(None, catalogue.products)
    config = build_run_config(RunChoices(modalities=modalities))
    read = {column for m in config.model.modalities for column in m.columns}
    assert read == {"title", "description"}


# --- whatever comes in whatever order

_ROWS = st.lists(
    st.tuples(
        st.integers(0, 5).map(str),
        st.sampled_from(["a b", "c d", "e f g"]),
        st.sampled_from(["", "A", "B", "C"]),
        st.sampled_from(["", "", "test", "train"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row[0],
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_ROWS, st.booleans(), st.booleans(), st.sampled_from("ABC"))
def test_no_order_of_files_and_people_loses_anything(shop, rows, replace, relabel, code):
    """The examples follow each other on one store, so its history gets long."""
    before = sum(len(shop.history(str(i))) for i in range(6))
    text = "id,title,label,split\n" + "".join(",".join(row) + "\n" for row in rows)
    now = NOW + before * 10
    options = {"replace": replace, "classes": [ClassName(c, f"{c} fr", c) for c in "ABC"]}
    shop.run(text, now=now, relabel=relabel, **options)
    after = shop.everything()
    shop.run(text, now=now + 1, relabel=relabel, **options)
    # a replacing file draws splits anew, and what replaced test products were like is gone by then
    same = slice(1, None, 2) if replace else slice(None)
    assert shop.everything()[same] == after[same], "the same file again changes nothing"
    marked = rows[0][0]
    shop.mark(marked, code, now=now + 2)
    shop.run(text, now=now + 3, **options)
    labels = shop.labels()
    assert labels[marked] == code, "a person's label stands"
    assert not replace or set(labels) == {row[0] for row in rows}
    assert sum(len(shop.history(str(i))) for i in range(6)) > before
    assert_history_is_whole(shop)


# --- at the same time


def test_imports_at_the_same_time_all_go_in(shop):
    def work(n):
        shop.run(HEADER + f"{n},produit {n},{n % 2}\nx,commun,{n}\n", name=f"{n}.csv")

    run_all([threading.Thread(target=work, args=(n,)) for n in range(4)])
    assert set(shop.labels()) == {"0", "1", "2", "3", "x"}
    assert_history_is_whole(shop)


def test_people_label_while_files_come_in(shop):
    rows = [f"{i},produit {i},A\n" for i in range(40)]
    shop.run(HEADER + "".join(rows) + "z,autre,B\n")

    def label():
        for i in range(40):
            shop.mark(str(i), "B")

    def bring():
        for code in "BAB":
            text = "".join(f"{i},produit {i} {code},{code}\n" for i in range(40))
            shop.run(HEADER + text, name=f"{code}.csv", relabel=True)

    run_all([threading.Thread(target=label), threading.Thread(target=bring)])
    assert_history_is_whole(shop)
    assert sum(name == "anna" for i in range(40) for name, *_ in shop.history(str(i))) == 40


def run_all(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def assert_history_is_whole(shop):
    """Each product's annotations follow from each other and end with what it is now."""
    labels = shop.labels()
    assert labels
    for product_id, label in labels.items():
        history = shop.history(product_id)
        if not history:
            assert label is None
            continue
        assert [version for *_, version in history] == list(range(1, len(history) + 1))
        befores, afters = [h[2] for h in history], [h[3] for h in history]
        assert befores == [None, *afters[:-1]] and afters[-1] == label
