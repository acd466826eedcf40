"""Importing: all or nothing, the same file twice changes nothing, every bad photo is told of."""

import csv
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_content import GOOD, HEADER, NOW, counts, everything, products, scene
from photo_files import encode_photo

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.issues import KEPT, LEFT_OUT, IssueLog, RowIssue
from mmcore.errors import CatalogueError, WorkspaceError
from mmcore.photos import PhotoStore
from mmcore.services.catalogue import CsvImport, RakutenImport, import_csv, import_rakuten
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.import_report import write_issues
from mmcore.services.opening import open_store
from mmcore.services.people import ensure_actor
from mmcore.settings import read_settings
from mmcore.workspace import Workspace

# --- what goes in


def test_products_photos_groups_and_splits(shop, workspace, store):
    photo = encode_photo(scene(1))
    report = shop(
        HEADER + "1,Chaise rouge,,a.jpg,c\n2,Table bleue,,b.jpg,c\n3,Lampe verte,,,d\n4,Vase,,,\n",
        {"a.jpg": photo, "b.jpg": photo},
    )
    assert counts(report) == (4, 0, 0, 0) and report.issues == ()
    assert (report.num_without_label, report.num_without_photo) == (1, 2)
    assert (report.num_classes, report.num_groups) == (2, 3)
    assert report.totals.num_products == 4 == report.totals.num_train  # classes of one or two
    rows = products(store)
    assert rows.loc["1", "photo"] == rows.loc["2", "photo"]
    assert PhotoStore(workspace.photos).read(rows.loc["1", "photo"]) == photo
    assert rows.loc["1", "group_id"] == rows.loc["2", "group_id"] != rows.loc["3", "group_id"]
    assert len(rows.loc["1", "photo_hash"]) == 16 and rows.loc["3", "photo_hash"] == ""


@pytest.mark.parametrize("name", ["flipkart", "fashion"])
def test_real_catalogues_go_in_whole(shared_data, workspace, name, store, lead):
    folder = shared_data / name
    expected = {"flipkart": (1050, 7, 1032), "fashion": (3000, 26, 2575)}[name]
    report = import_csv(
        store, lead, workspace, CsvImport(folder / "products.csv", images=folder), NOW
    )
    assert (report.num_added, report.num_classes, report.num_groups) == expected
    assert report.num_left_out == 0 and report.issues == ()
    assert report.totals.num_straddling_groups == 0
    with (folder / "products.csv").open(encoding="utf-8", newline="") as file:
        splits = {row["product_id"]: row["split"] for row in csv.DictReader(file)}
    assert products(store)["split"].to_dict() == splits


def test_extra_columns_stay_and_may_be_joined_later(shop, store):
    shop("id,title,price\n1,a b,5\n2,c d,6\n")
    shop("id,title,brand\n2,c d,Acme\n3,e f,Acme\n")
    rows = products(store)
    assert rows[["price", "brand"]].to_dict("index") == {
        "1": {"price": "5", "brand": ""},
        "2": {"price": "6", "brand": "Acme"},
        "3": {"price": "", "brand": "Acme"},
    }


def test_classes_are_ordered_and_named(shop, store):
    names = (ClassName("10", "Livres", "Books"), ClassName("7", "Vases", "Vases!"))
    shop("id,title,label\n1,a,10\n2,b,9\n", classes=names)
    shop("id,title,label\n2,b,40\n")  # 9 was but a label: without products it goes
    catalogue = load_catalogue(store)
    assert catalogue.class_codes == ("7", "10", "40")
    assert catalogue.classes[:2] == (names[1], names[0])


def test_each_stage_tells_how_far_it_is_and_ends_at_its_end(shop):
    calls = []
    text = HEADER + "".join(f"{i},a b {i},,,x\n" for i in range(1000))
    shop(text, progress=lambda *call: calls.append(call))
    stages = {stage: [call[1:] for call in calls if call[0] == stage] for stage, *_ in calls}
    assert list(stages) == ["reading rows", "comparing", "writing"], "in their order"
    for stage, told in stages.items():
        assert told == sorted(told) and told[-1][0] == told[-1][1], stage
    assert stages["reading rows"][-1] == (1001, 1001) and len(stages["reading rows"]) <= 202
    assert stages["comparing"] == [(i, 4) for i in range(5)]
    assert stages["writing"][0] == (0, 1001) and stages["writing"][-1] == (1001, 1001)


def test_writing_is_told_in_pieces_and_not_at_all_where_nothing_changes(shop, monkeypatch):
    monkeypatch.setattr("mmcore.store.import_writes.PIECE", 100)
    calls = []
    text = HEADER + "".join(f"{i},a b {i},,,x\n" for i in range(1000))
    shop(text, progress=lambda *call: calls.append(call))
    told = [done for stage, done, _ in calls if stage == "writing"]
    assert set(range(0, 1001, 100)) <= set(told)
    calls.clear()
    shop(text, progress=lambda *call: calls.append(call))
    assert {stage for stage, *_ in calls} == {"reading rows", "comparing"}
    changed = text.replace(",x", ",y").replace("a b 7,", "a c 7,")
    shop(changed, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == "writing" and calls[-1][1] == calls[-1][2] > 1000


# --- again, and more


def test_the_same_file_again_changes_nothing(shop, store):
    text = HEADER + "1,Chaise,,a.jpg,c\n2,Table,,none.jpg,c\n3,,,none.jpg,c\n"
    photos = {"a.jpg": encode_photo(scene(1))}
    first = shop(text, photos)
    before = everything(store)
    again = shop(text, photos)
    after = everything(store)
    assert counts(first) == (2, 0, 0, 1) and counts(again) == (0, 0, 2, 1)
    assert again.totals == first.totals and again.issues == first.issues
    assert before == after


def test_an_update_replaces_what_the_file_has_columns_for(shop, store):
    shop("id,title,description,label\n1,old,text,c\n2,b,text,c\n")
    report = shop("id,title,label\n1,new,d\n2,b,c\n3,c,\n")
    assert counts(report) == (1, 1, 1, 0)
    assert products(store).loc["1", ["title", "description", "label"]].tolist() == [
        "new",
        "text",
        "d",
    ]


def test_nothing_a_person_gave_is_lost(shop, store):
    photo = encode_photo(scene(1))
    shop(HEADER + "1,a,,a.jpg,c\n2,,,a.jpg,c\n3,c,,a.jpg,c\n", {"a.jpg": photo})
    report = shop(HEADER + "1,a,,gone.jpg,\n2,,,gone.jpg,\n3,c,,,\n", {})
    rows = products(store)
    assert list(rows["label"]) == ["c", "c", "c"]
    assert (rows["photo"] != "").tolist() == [True, True, False]  # an empty cell means none
    assert [i.severity for i in report.issues] == [KEPT, KEPT]
    assert "kept with the photo it had" in report.issues[0].reason


def test_products_keep_their_split_when_more_come(shop, store):
    rows = [f"{i},title {i},,,c{i % 3}\n" for i in range(300)]
    shop(HEADER + "".join(rows[:100]))
    before = products(store)["split"]
    report = shop(HEADER + "".join(rows), seed=1)
    after = products(store)["split"]
    assert after[:100].equals(before)
    assert abs(report.totals.num_test - 45) <= 3
    assert report.totals.num_straddling_groups == 0


def test_a_split_in_the_file_wins_and_leaving_test_is_remarked_on(shop, store):
    shop("id,title,split\n1,a b,test\n2,c d,train\n")
    report = shop("id,title,split\n1,a b,train\n2,c d,\n")
    assert products(store)["split"].tolist() == ["train", "train"]
    (issue,) = report.issues
    assert "from test to train" in issue.reason and issue.product_id == "1"


def test_straddling_groups_of_the_file_are_counted(shop):
    report = shop("id,title,group,split\n1,a,g,test\n2,b,g,train\n3,c d,,val\n4,c d,,train\n")
    assert report.totals.num_straddling_groups == 2
    assert "groups in several splits, because a file says so: 2" in report.summary()[-1]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 9).map(str),
            st.sampled_from(["", "a b", "c d", "nan"]),
            st.sampled_from(["", "x", "y", "null"]),
            st.sampled_from(["", "g1", "g2"]),
            st.sampled_from(["", "train", "test", "odd"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_import_is_idempotent(tmp_path, rows):
    path = tmp_path / "any.csv"
    path.write_text("id,title,label,group,split\n" + "".join(",".join(r) + "\n" for r in rows))
    workspace = Workspace(tmp_path / "any")
    workspace.database_file.unlink(missing_ok=True)  # of the example before
    store = open_store(workspace, read_settings(workspace.home))
    lead = ensure_actor(store, "lea", "lead", NOW)
    try:
        first = import_csv(store, lead, workspace, CsvImport(path), NOW)
        before = everything(store)
        again = import_csv(store, lead, workspace, CsvImport(path), NOW + 1)
        after = everything(store)
    except CatalogueError:
        return
    finally:
        store.close()
    assert after == before
    assert again == replace(first, num_added=0, num_unchanged=first.num_added, num_updated=0)


def test_a_near_copy_of_a_test_product_is_never_learnt_from(shop, store):
    photo = encode_photo(scene(1))
    shop("id,title,image,split\n1,rouge vif,a.jpg,test\n", {"a.jpg": photo})
    shop(HEADER + "2,bleu nuit,,,c\n")
    assert products(store)["split"].tolist() == ["test", "train"]
    # 3 has the photo of one and the words of the other
    report = shop(HEADER + "3,bleu nuit,,a.jpg,c\n", {})
    assert products(store)["split"].tolist() == ["test", "test", "test"]
    assert report.totals.num_groups == 1 and report.totals.num_straddling_groups == 0
    (issue,) = report.issues
    assert "moved from train to test" in issue.reason and "product '2'; models" in issue.reason


def test_test_products_stay_so_when_the_catalogue_is_replaced(shop, store):
    rows = [f"{i},mot{i} titre,,,c{i % 3}\n" for i in range(60)]
    shop(HEADER + "".join(rows))
    before = products(store)["split"]
    tests = set(before[before == "test"].index)
    gone = min(tests)
    copies = [f"copy,mot{gone} titre,,,c0\n", "other,tout autre,,,c0\n"]
    kept = [row for row in rows if not row.startswith(f"{gone},")]
    report = shop(HEADER + "".join(kept + copies), replace=True, seed=9)
    after = products(store)["split"]
    assert all(after[product] == "test" for product in tests - {gone})
    assert after["copy"] == "test", "the words of a test product that is gone may not be learnt"
    assert report.issues == () and report.totals.num_products == 61
    assert (after[before[before == "val"].index] != "val").any(), "the other splits are drawn anew"


def test_a_file_may_take_a_test_product_out_when_it_replaces(shop, store):
    shop("id,title,split\n1,a b,test\n2,c d,train\n")
    report = shop("id,title,split\n1,a b,train\n2,c d,\n", replace=True)
    assert products(store)["split"].tolist() == ["train", "train"]
    assert "taken out of test by the file's split: product '1'; " in report.issues[0].reason


def test_the_drawn_catalogue_leaves_no_test_products_behind(shop, store):
    shop("id,title,split\n1,a b,test\n", source="drawn")
    shop("id,title\n1,a b\n", replace=True)
    assert products(store)["split"].tolist() == ["train"]


# --- Rakuten


def test_rakuten_goes_in_with_its_names(tmp_path, workspace, store, lead):
    folder = tmp_path / "rakuten"
    photos = folder / "images" / "image_train"
    photos.mkdir(parents=True)
    (folder / "X_train_update.csv").write_text(
        ",designation,description,productid,imageid\n"
        "0,Livre ancien,,11,101\n1,Piscine ronde,Bleue,22,102\n2,Drone,,33,103\n"
    )
    (folder / "Y_train_CVw08PX.csv").write_text(",prdtypecode\n0,10\n1,2583\n2,4\n")
    (photos / "image_101_product_11.jpg").write_bytes(GOOD)
    report = import_rakuten(store, lead, workspace, RakutenImport(folder), NOW)
    assert counts(report) == (2, 0, 0, 1)
    assert [(i.line, i.column, i.severity) for i in report.issues] == [
        (3, "imageid", KEPT),
        (4, "prdtypecode", LEFT_OUT),
    ]
    catalogue = load_catalogue(store)
    assert catalogue.source == "rakuten" and len(catalogue.classes) == 27
    assert catalogue.products["label"].tolist() == ["10", "2583"]
    assert (catalogue.products["photo"] != "").tolist() == [True, False]
    assert catalogue.extra_columns == ()
    again = import_rakuten(store, lead, workspace, RakutenImport(folder), NOW)
    assert counts(again) == (0, 0, 2, 1)


# --- the report


def test_issues_are_written_as_a_harmless_table(shop, tmp_path):
    path = tmp_path / "issues.csv"
    report = shop("=id,title\n=1+1,\n+2,\n-3,\n@4,\n5,ok\n", columns=CsvColumns("=id", "title"))
    write_issues(report, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["line", "product_id", "column", "reason", "severity"]
    assert [row[1] for row in rows[1:]] == ["'=1+1", "'+2", "'-3", "'@4"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(WorkspaceError, match="table of issues can't be written.*choose a folder"):
        write_issues(report, tmp_path / "none" / "issues.csv")


def test_the_report_is_plain_data(shop):
    report = shop(HEADER + "1,a,,,nan\n")
    data = report.to_json()
    assert data["num_added"] == 1 and data["totals"]["num_products"] == 1
    assert data["issues"][0]["line"] == 2
    assert report.summary()[0] == "products: 1 added, 0 updated, 0 unchanged; rows left out: 0"


def test_endless_issues_are_counted_not_kept(monkeypatch):
    monkeypatch.setattr("mmcore.catalog.issues.MAX_ISSUES", 3)
    log = IssueLog()
    for line in range(9, 4, -1):
        log.add(RowIssue(line, "", "", "bad", LEFT_OUT))
    assert log.num_left_out == 5
    assert [issue.line for issue in log.in_order()] == [7, 8, 9, 1]
    assert "2 more remarks are not listed" in log.in_order()[-1].reason
