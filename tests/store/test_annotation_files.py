"""Labels to a file and back: the same labels, nothing a spreadsheet runs, nothing overwritten."""

import csv
import io
import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from shop import NOW, open_shop
from sqlalchemy import update

from mmcore.errors import CatalogueError, RefusedError, WorkspaceError
from mmcore.services import labelling
from mmcore.services.annotation_export import ExportChoices, export_labels
from mmcore.services.annotation_import import ImportChoices, import_labels
from mmcore.services.class_merge import merge_classes
from mmcore.services.classes import archive_class
from mmcore.services.history import history
from mmcore.services.label_tables import guarded, unguarded
from mmcore.services.undoing import redo, undo
from mmcore.store.product_filter import ProductFilter
from mmcore.store.tables import Product
from mmcore.times import iso_utc

FORMATS = ("csv", "jsonl", "parquet")
MANY = 10_000
SECONDS = 30  # generous: it takes about two on two busy cores
NASTY = ("=1+1", "+33", "-5", "@x", "'=a", "''-b", "é;à", 'quo"te', "=\n", "a,b")


@pytest.fixture
def shop(store):
    return open_shop(store)


def label(shop, actor, product_id, code, now=NOW):
    token = f"{actor.name}-{product_id}-{code}-{now}"
    return labelling.label(shop.store, actor, shop.seen(product_id, token), code, now)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def wipe(shop):
    """Take every label away, as a database that was begun anew would have it."""
    with shop.store.writing() as session:
        session.execute(update(Product).values(class_id=None))


@pytest.mark.parametrize("kind", FORMATS)
def test_labels_come_back_from_a_file_as_they_were(shop, tmp_path, kind):
    with shop.store.writing() as session:
        for product_id, shop_id in enumerate(NASTY[:5], start=1):
            where = Product.id == product_id
            session.execute(update(Product).where(where).values(product_id=shop_id))
    for product_id, code in ((1, "A"), (2, "B"), (3, "C"), (4, "D"), (5, "A")):
        label(shop, (shop.anna, shop.bob)[product_id % 2], product_id, code, NOW + product_id / 7)
    before = shop.labels()
    report = export_labels(shop.store, tmp_path / f"labels.{kind}")
    assert (report.format, report.count) == (kind, 5)
    wipe(shop)
    result = import_labels(shop.store, shop.lead, report.path, NOW + 9, ImportChoices(True))
    assert (result.rows, result.changed, result.left_out) == (5, 5, 0)
    assert shop.labels() == before
    line = history(shop.store, 3)[-1]
    assert (line.verb, line.label, line.annotator) == ("import", "C", "bob")
    assert line.created_at == pytest.approx(NOW + 3 / 7, abs=1e-6)
    # nothing in the file is news any more, whatever its format
    for other in FORMATS:
        again = export_labels(shop.store, tmp_path / f"again.{other}").path
        result = import_labels(shop.store, shop.lead, again, NOW + 10)
        assert (result.act_id, result.unchanged, result.changed) == (None, 5, 0)


def test_the_same_file_acts_once_and_is_undone_as_a_whole(shop, tmp_path):
    path = write(tmp_path / "l.csv", "product_id,label\np1,A\np2,B\nnope,A\n")
    first = import_labels(shop.store, shop.lead, path, NOW)
    label(shop, shop.anna, 1, "C", NOW + 1)
    again = import_labels(shop.store, shop.lead, path, NOW + 2)
    assert again.is_repeated and (again.act_id, again.changed) == (first.act_id, 2)
    assert again.left_out == first.left_out == 1
    assert shop.labels()[:2] == ["C", "B"]
    undone = undo(shop.store, shop.lead, "u", NOW + 3, act_id=first.act_id)
    assert (undone.restored, undone.kept) == (1, 1) and shop.labels()[:2] == ["C", None]
    with pytest.raises(RefusedError, match="imported already, by lea as act 1, and undone; redo"):
        import_labels(shop.store, shop.lead, path, NOW + 4)
    redo(shop.store, shop.lead, "r", NOW + 5, act_id=first.act_id)
    assert shop.labels()[:2] == ["C", "B"]


def test_later_decisions_of_people_stay_unless_told(shop, tmp_path):
    label(shop, shop.anna, 1, "C", NOW + 10)
    label(shop, shop.anna, 2, "C", NOW + 10)
    label(shop, shop.anna, 3, "C", NOW + 10)
    rows = [
        f"p1,A,{iso_utc(NOW + 9)}",
        f"p2,A,{iso_utc(NOW + 11)}",
        "p3,A,",
        "p4,A,",
    ]
    path = write(tmp_path / "l.csv", "\n".join(["product_id,label,time", *rows]))
    result = import_labels(shop.store, shop.lead, path, NOW + 20)
    assert shop.labels()[:4] == ["C", "A", "C", "A"]
    reasons = [(issue.line, issue.reason) for issue in result.issues]
    assert [line for line, _ in reasons] == [2, 4]
    assert reasons[0][1].startswith("it was labelled C by anna at 2025-06-15 15:06:50 UTC, after")
    assert "and the row has no time; import again with overwrite" in reasons[1][1]
    result = import_labels(shop.store, shop.lead, path, NOW + 21, ImportChoices(overwrite=True))
    assert (result.changed, result.unchanged, result.left_out) == (2, 2, 0)
    assert shop.labels()[:4] == ["A"] * 4


def test_rows_that_cannot_be_used_are_told_by_line(shop, tmp_path):
    archive_class(shop.store, shop.lead, "C", "t", NOW)
    merge_classes(shop.store, shop.lead, "D", "B", "t2", NOW)
    rows = [
        "p1,A,",
        "nope,A,",
        "p2,Z,",
        "p3,C,",
        "p4,D,",
        ",A,",
        "p5,,",
        "p6,A,yesterday",
        "p6,A,9999-01-01",
        "p1,B,",
    ]
    path = write(tmp_path / "l.csv", "\n".join(["Product_ID,Label,time", *rows]))
    result = import_labels(shop.store, shop.lead, path, NOW)
    assert (result.rows, result.changed, result.left_out) == (10, 1, 9)
    assert shop.labels()[0] == "B"
    expected = {
        2: "line 11 is a later row of the same product",
        3: "no product has this id",
        4: "there is no class 'Z'",
        5: "class C (Classe C) is archived; take it back first",
        6: "class D (Classe D) was merged into B (Classe B); write B",
        7: "product_id is empty",
        8: "label is empty",
        9: "time 'yesterday' lies before 1970 or in the future",
        10: "time '9999-01-01' lies",
    }
    assert {issue.line for issue in result.issues} == set(expected)
    for issue in result.issues:
        assert issue.reason.startswith(expected[issue.line]), issue


def test_of_several_rows_of_a_product_the_latest_wins(shop, tmp_path):
    rows = [f"p1,A,{iso_utc(NOW + 2)}", f"p1,B,{iso_utc(NOW + 1)}"]
    path = write(tmp_path / "l.csv", "\n".join(["product_id,label,time", *rows]))
    result = import_labels(shop.store, shop.lead, path, NOW + 9)
    assert shop.labels()[0] == "A" and [issue.line for issue in result.issues] == [3]


def test_annotators_of_a_file_are_known_by_name_but_not_let_in(shop, tmp_path):
    from mmcore.services.people import actor_named

    path = write(tmp_path / "l.csv", "product_id,label,annotator,comment\np1,A,Zoë,seen\np2,A,bob,")
    result = import_labels(shop.store, shop.lead, path, NOW)
    assert result.new_annotators == ("Zoë",)
    lines = [history(shop.store, n)[0] for n in (1, 2)]
    assert [(line.annotator, line.comment) for line in lines] == [("Zoë", "seen"), ("bob", "")]
    with pytest.raises(RefusedError, match="Zoë was deactivated"):
        actor_named(shop.store, "Zoë")


def test_json_lines_and_parquet_of_other_programs(shop, tmp_path):
    lines = [
        '{"product_id": "p1", "label": "A", "time": 1750000000}',
        "not json",
        "[1]",
        '{"product_id": "p2", "label": true}',
        '{"label": "A"}',
        '{"product_id": "p3", "label": "B", "time": "2025-06-15T17:00:00+02:00", "more": {}}',
    ]
    path = write(tmp_path / "l.jsonl", "\n".join(lines))
    result = import_labels(shop.store, shop.lead, path, NOW)
    assert shop.labels()[:3] == ["A", None, "B"]
    assert [issue.line for issue in result.issues] == [2, 3, 4, 5]
    table = pa.table({"product_id": ["p4", "p5"], "label": [None, "C"], "time": [1.5, None]})
    pq.write_table(table, tmp_path / "l.parquet")
    result = import_labels(shop.store, shop.lead, tmp_path / "l.parquet", NOW)
    assert shop.labels()[3:5] == [None, "C"] and result.left_out == 1


def test_files_that_cannot_serve_are_refused(shop, tmp_path):
    label(shop, shop.anna, 1, "A")
    told = export_labels(shop.store, tmp_path / "h.csv", ExportChoices(with_history=True)).path
    cases = [
        (told, "is a history: every step"),
        (write(tmp_path / "a.csv", "product_id,class\np1,A\n"), "has no column label; it has prod"),
        (write(tmp_path / "a.xlsx", "x"), "unknown kind; name it .csv, .jsonl or .parquet"),
        (write(tmp_path / "a.parquet", "x" * 50), "can't be read as Parquet"),
        (tmp_path / "none.jsonl", "none.jsonl can't be read: No such file"),
    ]
    for path, message in cases:
        with pytest.raises(CatalogueError, match=message):
            import_labels(shop.store, shop.lead, path, NOW)
    with pytest.raises(RefusedError, match="anna is annotator, this needs lead"):
        import_labels(shop.store, shop.anna, told, NOW)
    with pytest.raises(WorkspaceError, match="can't be written: No such file"):
        export_labels(shop.store, tmp_path / "nowhere" / "l.csv")


@pytest.mark.parametrize("kind", FORMATS)
def test_the_history_file_tells_every_step(shop, tmp_path, kind):
    seen = shop.seen(1, "t", "B", seconds=2.5)
    labelling.label(shop.store, shop.anna, seen, "A", NOW)
    labelling.flag(shop.store, shop.bob, shop.seen(1, "f"), "=evil()", NOW + 1)
    undo(shop.store, shop.bob, "u", NOW + 2)
    path = tmp_path / f"h.{kind}"
    assert export_labels(shop.store, path, ExportChoices(with_history=True)).count == 3
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        assert rows[1]["comment"] == "'=evil()"
    elif kind == "jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        rows = pq.read_table(path).to_pylist()
    assert [row["kind"] for row in rows] == ["label", "flag", "undo"]
    assert [row["undone"] in (True, "yes") for row in rows] == [False, True, False]
    assert rows[0]["suggested"] == "B" and float(rows[0]["probability"]) == 0.9
    assert int(rows[2]["undoes_act"]) == int(rows[1]["act"])


def test_an_export_follows_a_filter_and_says_who_gave_a_label(shop, tmp_path):
    with shop.store.writing() as session:
        session.execute(update(Product).where(Product.id == 1).values(class_id=1))
    label(shop, shop.anna, 2, "B")
    label(shop, shop.bob, 2, "C")
    undo(shop.store, shop.bob, "u", NOW)
    path = export_labels(shop.store, tmp_path / "l.csv").path
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    told = [(row["product_id"], row["label"], row["annotator"], row["given_by"]) for row in rows]
    assert told == [("p1", "A", "", "catalogue"), ("p2", "B", "anna", "label")]
    only = ExportChoices(ProductFilter(class_ids=(1,)))
    assert export_labels(shop.store, path, only).count == 1


@given(st.text(max_size=12) | st.sampled_from(NASTY))
@example("'\t=x")
def test_no_cell_is_a_formula_and_each_comes_back(cell):
    written = guarded(cell)
    assert not written.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert unguarded(written) == cell


def test_many_labels_take_seconds(store, tmp_path):
    shop = open_shop(store, MANY)
    rows = [f"p{i},{'ABCD'[i % 4]},anna,{NOW}" for i in range(1, MANY + 1)]
    path = write(tmp_path / "l.csv", "\n".join(["product_id,label,annotator,time", *rows]))
    started = time.perf_counter()
    found = import_labels(store, shop.lead, path, NOW)
    assert found.changed == MANY
    for kind in FORMATS:
        assert export_labels(store, tmp_path / f"out.{kind}").count == MANY
    undone = undo(store, shop.lead, "u", NOW, found.act_id)
    assert undone.restored == MANY and set(shop.labels()) == {None}
    assert time.perf_counter() - started < SECONDS
