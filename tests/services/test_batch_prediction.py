"""A whole file predicted: every row answered or told of, whole or not at all, ids as they were."""

import csv
import io
import json
from dataclasses import replace

import pandas as pd
import pytest
import torch

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.issues import MAX_ISSUES, IssueLog
from mmcore.config import IMAGE, TEXT, ModelConfig, parse_modality
from mmcore.errors import CatalogueError, ConfigError, WorkspaceError
from mmcore.runtime import Runtime
from mmcore.services import batch_source
from mmcore.services.batch_pace import BatchProgress
from mmcore.services.batch_prediction import BatchRequest, predict_file
from mmcore.services.batch_report import MAX_REMARKS
from mmcore.services.evaluation import write_table
from mmcore.services.prediction_table import FORMATS, columns_of

COLUMNS = CsvColumns("id", "title", image="image")
HEADER = "id,title,image\n"
EXPECTED = [
    *("product_id", "predicted", "name_fr", "probability", "text", "text_probability"),
    *("image", "image_probability", "fused_without_text", "fused_without_text_probability"),
    *("fused_without_image", "fused_without_image_probability", "problems"),
]


@pytest.fixture(scope="module")
def runtime(artifact):
    return Runtime(artifact, torch.device("cpu"))


@pytest.fixture
def predict(tmp_path, runtime):
    """Return a function that predicts the text of a CSV file and gives the report."""

    def run(text, name="out.csv", progress=lambda now: None, model=runtime, **request):
        source = tmp_path / "new.csv"
        source.write_text(text, newline="")
        options = {"columns": COLUMNS, **request}
        return predict_file(model, BatchRequest(source, tmp_path / name, **options), progress)

    return run


def read(path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".jsonl":
        return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("rows", ["", ",no id,\n1,,\n", "1,a,b,c,d\n"], ids=["none", "bad", "odd"])
def test_without_a_usable_row_there_is_a_table_without_rows(predict, tmp_path, suffix, rows):
    report = predict(HEADER + rows, f"out{suffix}")
    path = tmp_path / f"out{suffix}"
    assert (report.num_predicted, report.log.num_left_out) == (0, rows.count("\n"))
    if suffix == ".jsonl":
        assert path.read_bytes() == b""  # a line is a product: there is no header
    else:
        frame = read(path)
        assert list(frame.columns) == EXPECTED and len(frame) == 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_row_each_with_gaps_where_there_is_no_view(predict, tmp_path, suffix):
    report = predict(HEADER + "1,piscine,\n2,inconnu,\n,x,\n3,livre,\n", f"out{suffix}")
    frame = read(tmp_path / f"out{suffix}")
    assert list(frame.columns) == EXPECTED == columns_of(("text", "image"))
    assert list(frame["product_id"]) == ["1", "2", "3"]
    assert (frame["predicted"] != "").tolist() == [True, False, True]
    assert set(frame["image"]) == {""} and "no word the model knows" in frame["problems"][1]
    assert (report.num_predicted, report.num_without_prediction) == (2, 1)
    assert [issue.line for issue in report.issues] == [4]
    assert "1 rows can't be used and are not in the result" in report.summary()[2]
    data = report.to_json()
    assert data["num_left_out"] == 1 and data["issues"][0]["reason"].startswith("no product id")


IDS = {
    "-12": "-12",
    "+33-A": "+33-A",
    "-7.5_b": "-7.5_b",
    "=1+1": "'=1+1",
    "@SUM(1)": "'@SUM(1)",
    "@a": "'@a",
    "-1+cmd|x": "'-1+cmd|x",
    "+A1*2": "'+A1*2",
    "-(1)": "'-(1)",
    "007": "007",
}


def test_ids_stay_as_they_are_unless_a_spreadsheet_would_run_them(predict, tmp_path):
    text = HEADER + "".join(f"{product_id},piscine,\n" for product_id in IDS)
    for suffix in FORMATS:
        predict(text, f"out{suffix}")
        found = list(read(tmp_path / f"out{suffix}")["product_id"])
        assert found == list(IDS.values() if suffix == ".csv" else IDS)


def test_free_text_is_made_harmless(predict, tmp_path, runtime):
    classes = tuple(replace(c, code=f"-{c.code}", name_fr="-nom") for c in runtime.artifact.classes)
    model = Runtime(replace(runtime.artifact, classes=classes), torch.device("cpu"))
    predict(HEADER + "1,piscine,\n", model=model)
    row = read(tmp_path / "out.csv").iloc[0]
    assert row["name_fr"] == "'-nom" and row["predicted"] in ("-10", "-2583")


def test_the_table_of_evaluate_is_as_harmless(tmp_path):
    table = pd.DataFrame({"product_id": ["=1+1", "-2"], "label": ["a", "@b"], "probability": 0.5})
    write_table(table, tmp_path / "p.csv")
    assert read(tmp_path / "p.csv").values.tolist() == [["'=1+1", "a", "0.5"], ["-2", "'@b", "0.5"]]


def test_progress_counts_rows_not_lines(predict, monkeypatch):
    monkeypatch.setattr(batch_source, "PIECE", 4)
    buffer = io.StringIO()
    csv.writer(buffer).writerows([f"{i}", "livre\nsur\r\ntrois lignes", ""] for i in range(10))
    calls = []
    predict(HEADER + buffer.getvalue() + ",no id,\n", progress=calls.append)
    assert [(now.done, now.total) for now in calls] == [(4, 11), (8, 11), (11, 11), (11, 11)]
    assert all(now.kept == 0 and now.rate > 0 and now.left_s >= 0 for now in calls)


def test_a_column_that_the_model_reads_and_the_file_lacks_is_missing(predict, tmp_path):
    columns = replace(COLUMNS, extra=("prix", "marque"))
    report = predict("id,title,image,marque\n1,piscine,,x\n2,livre,,y\n", columns=columns)
    (issue,) = report.issues
    assert (issue.line, issue.column, issue.severity) == (1, "prix", "kept")
    assert "reads column 'prix', which new.csv lacks: it counts as missing" in issue.reason
    assert len(read(tmp_path / "out.csv")) == 2


def test_photos_that_nobody_gave_are_told_of_once(predict):
    report = predict(HEADER + "1,piscine,a.jpg\n2,livre,b.jpg\n")
    (issue,) = report.issues
    assert "named for 2 products, 'a.jpg' for one, but no folder" in issue.reason
    assert "--images PATH" in issue.reason


def test_photos_are_not_read_for_a_model_that_looks_at_none(predict, tmp_path, artifact):
    model = ModelConfig((TEXT,), weights="random")
    from mmcore.build import build_model
    from mmcore.combiner import equal_shares

    text_only = replace(
        artifact,
        config=replace(artifact.config, model=model),
        model=build_model(model, artifact.encoders, 2, None, 0).eval(),
        combiner=equal_shares(("text",), "test"),
    )
    report = predict(
        HEADER + "1,piscine,none.jpg\n2,,none.jpg\n",
        model=Runtime(text_only, torch.device("cpu")),
        images=tmp_path,
    )
    (issue,) = report.issues
    assert "named for 2 products, 'none.jpg' for one, but this model looks at none" in issue.reason
    assert (report.num_predicted, report.num_without_prediction) == (1, 1)


def test_a_bad_photo_is_told_of_and_the_text_decides(predict, tmp_path, make_photo):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "good.jpg").write_bytes(make_photo())
    (folder / "cut.jpg").write_bytes(make_photo()[:300])
    text = HEADER + "1,piscine,good.jpg\n2,livre,cut.jpg\n3,livre,none.jpg\n4,,none.jpg\n"
    report = predict(text, images=folder)
    frame = read(tmp_path / "out.csv").set_index("product_id")
    assert (frame["image"] != "").tolist() == [True, False, False, False]
    assert "cut short or damaged" in frame["problems"]["2"]
    assert [(i.line, i.product_id) for i in report.issues] == [(4, "3"), (5, "4")]
    assert report.num_without_prediction == 1


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_is_interrupted_leaves_the_old_file_and_what_was_done(
    predict, tmp_path, monkeypatch, suffix, error
):
    monkeypatch.setattr(batch_source, "PIECE", 2)
    target = tmp_path / f"out{suffix}"
    target.write_text("old")

    def interrupt(now: BatchProgress):
        if now.done >= 4:
            raise error

    with pytest.raises((KeyboardInterrupt, WorkspaceError)) as caught:
        predict(HEADER + "".join(f"{i},livre,\n" for i in range(9)), f"out{suffix}", interrupt)
    if caught.type is WorkspaceError:
        told = f"can't be written: No space left on device; 4 of 9 rows are kept in {target.name}"
        assert told in str(caught.value) and "the same again goes on" in str(caught.value)
    assert target.read_text() == "old"
    names = ["new.csv", target.name, f"{target.name}.part"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_target_that_cant_be_is_refused_before_the_work(predict, tmp_path, runtime):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigError, match="folder.csv is a folder; name the file to write"):
        predict(HEADER + "1,a,\n", "folder.csv")
    with pytest.raises(ConfigError, match="ends in '.xls': use .csv, .jsonl, .parquet"):
        predict(HEADER + "1,a,\n", "out.xls")
    with pytest.raises(WorkspaceError, match="none/out.csv can't be written: No such file"):
        predict(HEADER + "1,a,\n", "none/out.csv")
    with pytest.raises(CatalogueError, match="can't be read: No such file"):
        request = BatchRequest(tmp_path / "none.csv", tmp_path / "out.csv", COLUMNS)
        predict_file(runtime, request)
    predict(HEADER + "1,a,\n", "OUT.CSV")


def test_remarks_on_a_file_that_is_bad_throughout_are_bounded(predict, monkeypatch):
    assert (MAX_ISSUES, MAX_REMARKS) == (100_000, 10_000)
    monkeypatch.setattr("mmcore.services.batch_report.MAX_REMARKS", 3)
    report = predict(HEADER + "".join(f",a{i},\n" for i in range(9)))
    assert isinstance(report.log, IssueLog) and report.log.num_left_out == 9
    last = report.issues[-1].reason
    assert len(report.issues) == 4 and "6 more remarks are not listed" in last
    assert "mend these 3 and predict again" in last


def test_no_modality_takes_the_name_of_a_column_of_the_result():
    for name in ("problems", "probability", "predicted", "product_id", "text_probability"):
        with pytest.raises(ConfigError, match="choose another, as NAME:KIND:COLUMN"):
            parse_modality(f"{name}:tabular:prix")
    names = tuple(m.name for m in (TEXT, IMAGE, parse_modality("prix")))
    assert len(set(columns_of(names))) == len(columns_of(names)) == 5 + 2 * 6
