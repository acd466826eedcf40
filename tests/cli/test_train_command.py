"""train and evaluate on the command line: what is printed, saved and refused."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from cli_shop import IMPORT, refused, rows, write_csv

from mmcore.cli.app import main

# -- train and evaluate --------------------------------------------------------------------------


def test_train_prints_scores_and_saves_the_folder(imported, capsys):
    arguments = ["train", "--home", str(imported), "--epochs1", "3", "--name", "m1", "--json"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["model"] == "m1" and set(result["scores"]) == {"val", "test"}
    assert "no train product has image" in captured.err
    assert (imported / "models" / "m1" / "MANIFEST.json").exists()
    assert list((imported / "runs").iterdir()) == []


def test_evaluate_prints_the_object_of_the_design(trained, capsys, tmp_path):
    table = tmp_path / "p.csv"
    arguments = ["evaluate", "--home", str(trained), "--split", "test", "--json"]
    assert main([*arguments, "--predictions", str(table)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result) == [
        *("model", "split", "n", "text", "image", "fused"),
        *("fused_without_image", "fused_without_text"),
    ]
    assert set(result["text"]) == {"macro_f1", "weighted_f1", "accuracy", "ece", "n"}
    assert result["image"] is None and result["n"] == 9
    frame = pd.read_csv(table, dtype=str)
    assert {"product_id", "label", "view", "predicted", "probability"} <= set(frame.columns)
    assert set(frame["view"]) == {"text", "fused"}
    assert len(frame[frame["view"] == "text"]) == 9


def test_predictions_may_be_parquet(trained, tmp_path):
    table = tmp_path / "p.parquet"
    assert main(["evaluate", "--home", str(trained), "--predictions", str(table)]) == 0
    assert len(pd.read_parquet(table)) == 18


@pytest.mark.parametrize(("split", "has_learnt"), [("train", True), ("val", True), ("test", False)])
def test_scores_of_what_a_model_has_learnt_from_are_called_flattering(
    trained, capsys, split, has_learnt
):
    assert main(["evaluate", "--home", str(trained), "--split", split, "--json"]) == 0
    assert (f"the model has learnt from {split}" in capsys.readouterr().err) is has_learnt


def test_the_seed_has_not_learnt_from_val(imported, capsys):
    options = ["--preset", "seed", "--epochs1", "1"]
    assert main(["train", "--home", str(imported), *options]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--home", str(imported), "--split", "val", "--json"]) == 0
    assert "has learnt" not in capsys.readouterr().err


def test_evaluate_per_class(trained, capsys):
    assert main(["evaluate", "--home", str(trained), "--json", "--per-class"]) == 0
    details = json.loads(capsys.readouterr().out)["classes"]["fused"]
    assert [row["label"] for row in details["per_class"]] == ["10", "1280", "2583"]
    assert sum(map(sum, details["confusion"])) == 9


def test_further_modalities_join_by_option(imported, capsys):
    arguments = ["train", "--home", str(imported), "--modalities", "text,prix", "--epochs1", "3"]
    assert main([*arguments, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]["test"]
    assert scores["prix"]["n"] == 9 and scores["fused_without_prix"]["n"] == 9


def test_a_catalogue_that_lost_a_column_is_scored_with_a_note(imported, tmp_path, capsys):
    arguments = ["train", "--home", str(imported), "--epochs1", "2", "--modalities"]
    assert main([*arguments, "text,prix", "--name", "m1"]) == 0
    assert main([*arguments, "prix", "--name", "m2"]) == 0
    without = [{k: v for k, v in row.items() if k != "prix"} for row in rows()]
    path = write_csv(tmp_path / "again.csv", without)
    options = [*IMPORT[:-2], "--replace", "--home", str(imported)]
    assert main(["import", "csv", str(path), *options]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--home", str(imported), "--model", "m1", "--json"]) == 0
    captured = capsys.readouterr()
    assert "the model reads column 'prix', which the catalogue lacks" in captured.err
    scores = json.loads(captured.out)
    assert scores["prix"] is None and scores["fused"]["n"] == 9
    message = refused(capsys, "evaluate", "--home", imported, "--model", "m2")
    assert "no product of split 'test' has anything that model 'm2' reads (prix)" in message
    options = ["--title", "piscine", "--extra", "prix=sur devis"]
    message = refused(capsys, "predict", "--home", imported, "--model", "m2", *options)
    assert "prix (prix) holds no number or value the model knows" in message


def test_towers_may_be_trained_apart(imported):
    options = ["--modalities", "text,prix", "--separate", "--epochs1", "2", "--name", "apart"]
    assert main(["train", "--home", str(imported), *options]) == 0
    config = json.loads((imported / "models" / "apart" / "config.json").read_text())
    assert config["run"]["model"]["joint"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "best"), "preset 'best': use one of strong, seed"),
        (("--backbone", "resnet"), "backbone 'resnet': use one of"),
        (("--modalities", "image"), "no train product has a photo"),
        (("--modalities", "text,poids"), "column 'poids', which the catalogue lacks"),
        (("--modalities", "text,label"), "column 'label': it is what is to be predicted"),
        (("--epochs1", "0"), "no phase has an epoch"),
        (("--name", "../m"), "can't be used: take 1 to 80 letters"),
        (("--resume", "m7"), "no unfinished run is named 'm7'"),
        (("--epochs1", "x"), "Invalid value for '--epochs1'"),
    ],
)
def test_bad_choices(imported, capsys, options, message):
    assert message in refused(capsys, "train", "--home", imported, *options)


def test_a_taken_name_is_refused(trained, capsys):
    assert "'m1' exists; choose another" in refused(
        capsys, "train", "--home", trained, "--name", "m1"
    )


def test_no_catalogue_no_model(home, capsys):
    assert "holds no catalogue yet" in refused(capsys, "train", "--home", home)
    assert "has no model yet" in refused(capsys, "evaluate", "--home", home)


def test_one_class_only(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", [r for r in rows() if r["cat"] == "10"])
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home)]) == 0
    message = refused(capsys, "train", "--home", home)
    assert "have 1 class (10), at least 2 are needed" in message


def test_a_class_with_one_product_trains_and_is_named(tmp_path, home, capsys):
    lonely = {**rows()[0], "ref": "x", "titre": "chose unique", "cat": "9999"}
    path = write_csv(tmp_path / "shop.csv", [*rows(), lonely])
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home)]) == 0
    assert main(["train", "--home", str(home), "--epochs1", "2"]) == 0
    assert "class 9999 with fewer than 5 train products" in capsys.readouterr().err


def test_no_val_and_no_test_products_train_with_a_note(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", [{**row, "part": "train"} for row in rows()])
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home)]) == 0
    assert main(["train", "--home", str(home), "--epochs1", "2", "--json"]) == 0
    captured = capsys.readouterr()
    assert "no val products: no early stopping, no calibration" in captured.err
    assert "no test products: the model can't be judged" in captured.err
    assert "no labelled product" in refused(capsys, "evaluate", "--home", home)
    assert main(["evaluate", "--home", str(home), "--split", "train", "--per-class"]) == 0
    assert main(["predict", "--home", str(home), "--title", "piscine"]) == 0


def test_a_class_that_only_test_has_counts_as_wrong(tmp_path, home, capsys):
    stranger = {**rows()[0], "ref": "x", "titre": "piscine", "cat": "9999", "part": "test"}
    path = write_csv(tmp_path / "shop.csv", [*rows(), stranger])
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home)]) == 0
    capsys.readouterr()
    assert main(["train", "--home", str(home), "--epochs1", "8", "--json"]) == 0
    captured = capsys.readouterr()
    assert "class 9999 without a train product can't be learnt" in captured.err
    scores = json.loads(captured.out)["scores"]["test"]["fused"]
    assert scores["n"] == 10 and scores["accuracy"] <= 0.9


def test_photos_that_vanish_after_the_import_count_as_missing(tmp_path, home, capsys, make_photo):
    (tmp_path / "photos").mkdir()
    products = [{**row, "photo": f"{row['ref']}.jpg"} for row in rows()]
    for i, row in enumerate(products):
        (tmp_path / "photos" / row["photo"]).write_bytes(make_photo(seed=i))
    path = write_csv(tmp_path / "shop.csv", products)
    options = (*IMPORT, "--image", "photo", "--images", str(tmp_path / "photos"))
    assert main(["import", "csv", str(path), *options, "--home", str(home)]) == 0
    stored = [p for p in (home / "photos").rglob("*") if p.is_file()]
    assert len(stored) == 36
    for photo in stored:
        photo.unlink()
    arguments = ["train", "--home", str(home), "--epochs1", "2", "--weights", "random", "--json"]
    capsys.readouterr()
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert any("36 photos can't be read and count as missing" in n for n in result["notes"])
    assert result["scores"]["test"]["image"] is None
    assert main(["doctor", "--home", str(home)]) == 1
    assert "36 of 36 are missing" in capsys.readouterr().out


def test_labels_that_say_nan_are_no_class(tmp_path, home, capsys):
    unlabelled = {**rows()[0], "ref": "x", "titre": "sans classe", "cat": "NaN"}
    path = write_csv(tmp_path / "shop.csv", [*rows(), unlabelled])
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_without_label"], report["num_classes"]) == (1, 3)


def test_missing_weights_name_the_remedies(tmp_path, home, capsys, make_photo, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "photos").mkdir()
    products = [{**row, "photo": f"{row['ref']}.jpg"} for row in rows()]
    for i, row in enumerate(products):
        (tmp_path / "photos" / row["photo"]).write_bytes(make_photo(seed=i))
    path = write_csv(tmp_path / "shop.csv", products)
    options = (*IMPORT, "--image", "photo", "--images", str(tmp_path / "photos"))
    assert main(["import", "csv", str(path), *options, "--home", str(home)]) == 0
    message = refused(capsys, "train", "--home", home, "--preset", "seed")
    assert "mobilenet_v2" in message and "--weights random" in message
    arguments = ["train", "--home", str(home), "--preset", "seed", "--weights", "random"]
    assert main([*arguments, "--epochs1", "1", "--epochs2", "1", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]["test"]
    assert all(scores[view]["n"] == 9 for view in scores)


def test_a_damaged_model_is_refused(trained, capsys):
    path = trained / "models" / "m1" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    message = refused(capsys, "predict", "--home", trained, "--title", "piscine")
    assert "model.safetensors was altered" in message


def test_a_run_stopped_by_sigterm_resumes(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", rows(per_class=120))  # seconds of training
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home)]) == 0
    options = ["--epochs1", "40", "--name", "long"]
    command = [sys.executable, "-m", "mmcore", "train", "--home", str(home), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "epoch 2/40" in line:
                break
        process.terminate()
        last = process.stderr.read().strip().splitlines()[-1]
    assert process.returncode == 1
    assert last.startswith("error: training was stopped in phase 1") and "--resume long" in last
    capsys.readouterr()
    assert main(["train", "--home", str(home), "--resume", "long", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["model"] == "long"
    assert "epoch 1/40" not in captured.err, "it began again instead of going on"
