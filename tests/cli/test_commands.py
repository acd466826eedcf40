"""The command line on small real input: what it prints, how it ends, how it refuses."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from cli_shop import IMPORT, refused, rows, write_csv
from sqlalchemy import select

from mmcore.cli.app import main
from mmcore.errors import WorkspaceError
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.opening import opened_store
from mmcore.settings import read_settings
from mmcore.store.people import ensure_annotator
from mmcore.store.tables import Act, Annotation, Product, ProductClass
from mmcore.workspace import Workspace


def catalogue_of(home):
    return read_catalogue(Workspace(home), read_settings(home))


# -- import ------------------------------------------------------------------------------------


def test_import_reports_and_keeps_the_named_columns(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", rows())
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_added"], report["num_left_out"]) == (36, 0)
    assert report["columns"]["label"] == "cat" and report["columns"]["extra"] == ["prix"]
    frame = catalogue_of(home).products
    assert frame["prix"].tolist()[0] == "10"
    assert frame["split"].value_counts().to_dict() == {"train": 18, "val": 9, "test": 9}


def test_home_may_stand_before_the_command(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", rows())
    assert main(["--home", str(home), "import", "csv", str(path), *IMPORT]) == 0
    assert len(catalogue_of(home).products) == 36


def test_remarks_are_written_as_a_table(tmp_path, home, capsys):
    bad = [*rows(), {**rows()[0], "titre": "=cmd()"}, {**rows()[0], "ref": ""}]
    path = write_csv(tmp_path / "shop.csv", bad)
    table = tmp_path / "issues.csv"
    arguments = ["import", "csv", str(path), *IMPORT, "--home", str(home), "--issues", str(table)]
    assert main(arguments) == 0
    written = table.read_text(encoding="utf-8-sig").splitlines()
    assert len(written) == 3 and "38" in written[1] and "39" in written[2]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "empty|nothing"),
        (b"ref;titre\n1;a\n", ("--separator", ","), "separator"),
        (b"ref,titre\n1,a\n", ("--title", "name"), "no column 'name'"),
        (b"ref,titre\n", ("--id", "ref", "--title", "titre"), "no rows"),
        (b"x,y\n1,2\n", (), "product id"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, home, capsys, content, options, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    import re

    assert re.search(message, refused(capsys, "import", "csv", path, *options, "--home", home))
    with pytest.raises(WorkspaceError, match="no catalogue yet"):
        catalogue_of(home)


def test_a_missing_file(home, capsys):
    assert "nowhere.csv" in refused(capsys, "import", "csv", "nowhere.csv", "--home", home)


def test_an_unknown_option_is_one_line(capsys):
    assert "No such option: --colour" in refused(capsys, "train", "--colour")


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


# -- predict -------------------------------------------------------------------------------------


def test_predict_one(trained, capsys):
    arguments = ["predict", "--home", str(trained), "--title", "piscine bleu", "--json"]
    assert main([*arguments, "--top", "2"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["model"] == "m1" and answer["image"] is None
    assert len(answer["fused"]) == 2
    assert set(answer["fused"][0]) == {"code", "name_fr", "name_en", "probability"}


def test_predict_explains(trained, capsys):
    arguments = ["predict", "--home", str(trained), "--title", "piscine bleu", "--explain"]
    assert main(arguments) == 0
    assert "why" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    why = json.loads(capsys.readouterr().out)["why"]
    assert {word["word"] for word in why["words"]} == {"piscine", "bleu"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give --title, --description or --image"),
        (("--title", "zzz"), "holds no word the model knows"),
        (("--image", "nowhere.jpg"), "nowhere.jpg can't be read"),
        (("--title", "a", "--model", "x"), "no model is named 'x'; there are: m1"),
        (("--title", "a", "--extra", "prix"), "write COLUMN=VALUE"),
    ],
)
def test_nothing_to_predict(trained, capsys, options, message):
    assert message in refused(capsys, "predict", "--home", trained, *options)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_predict_batch(trained, tmp_path, capsys, suffix):
    target = tmp_path / f"out{suffix}"
    source = str(tmp_path / "shop.csv")
    options = ["--id", "ref", "--title", "titre", "--description", "texte"]
    arguments = ["predict-batch", source, str(target), *options, "--home", str(trained)]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_predicted"] == 36
    frame = {
        ".csv": pd.read_csv,
        ".jsonl": lambda p: pd.read_json(p, lines=True),
        ".parquet": pd.read_parquet,
    }[suffix](target)
    assert len(frame) == 36 and frame["probability"].between(0, 1).all()


def test_predict_batch_to_an_unknown_ending(trained, tmp_path, capsys):
    source = tmp_path / "shop.csv"
    message = refused(capsys, "predict-batch", source, tmp_path / "o.xls", "--home", trained)
    assert "ends in '.xls': use .csv, .jsonl, .parquet" in message


def test_predict_batch_never_writes_over_its_source(trained, tmp_path, capsys):
    source = tmp_path / "shop.csv"
    before = source.read_bytes()
    message = refused(capsys, "predict-batch", source, source, "--id", "ref", "--home", trained)
    assert "is the source itself; write to another file" in message
    assert source.read_bytes() == before


# -- doctor --------------------------------------------------------------------------------------


def test_doctor_is_content_with_a_good_workspace(trained, capsys):
    assert main(["doctor", "--home", str(trained), "--json"]) == 0
    found = {f["what"]: f["state"] for f in json.loads(capsys.readouterr().out)["findings"]}
    assert found["catalogue"] == found["model"] == found["weights of efficientnet_lite0"] == "ok"


def test_a_workspace_with_damaged_models_only_says_so(trained, capsys):
    (trained / "models" / "m1" / "MANIFEST.json").write_text("{}")
    message = refused(capsys, "predict", "--home", trained, "--title", "piscine")
    assert "no readable model (1 damaged)" in message and "doctor" in message


def test_a_photo_for_a_model_without_photos_is_told(trained, tmp_path, capsys, make_photo):
    (tmp_path / "a.jpg").write_bytes(make_photo())
    options = ["--title", "piscine", "--image", str(tmp_path / "a.jpg")]
    assert main(["predict", "--home", str(trained), *options]) == 0
    assert "the photo is left out: this model looks at none" in capsys.readouterr().err


def test_doctor_names_a_damaged_model(trained, capsys):
    (trained / "models" / "m1" / "vocab.json").write_text("{}")
    assert main(["doctor", "--home", str(trained)]) == 1
    assert "vocab.json was altered" in capsys.readouterr().out


# -- looking through -----------------------------------------------------------------------------


def test_products_are_listed_shown_and_counted(imported, capsys):
    def run(*arguments):
        assert main(["products", *arguments, "--home", str(imported)]) == 0
        return capsys.readouterr().out

    arguments = ("--class", "10", "--search", "MODELE rouge", "--no-photo", "--order", "newest")
    found = json.loads(run("list", *arguments, "--limit", "4", "--json"))
    assert found["count"] == {"num": 6, "is_more": False} and len(found["products"]) == 4
    assert {p["label"]["code"] for p in found["products"]} == {"10"}
    rest = json.loads(run("list", *arguments, "--after", found["next_page"], "--json"))
    assert len(rest["products"]) == 2 and rest["next_page"] is None
    assert "36 of 36 products" in run("list")
    shown = run("show", "livre-0")
    assert "livre modèle 0 rouge" in shown and "import: import, none -> 10" in shown
    assert json.loads(run("show", "livre-0", "--json"))["extra"] == {"prix": "20"}
    assert "36 products (18 train, 9 val, 9 test); 36 labelled" in run("count")
    assert json.loads(run("count", "--json"))["num_without_photo"] == 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "--class", "11"), "no class '11'; there are: 10, 1280, 2583"),
        (("list", "--split", "dev"), "split 'dev': use one of train, val, test"),
        (("list", "--order", "best"), "order 'best': use one of catalogue"),
        (("list", "--annotator", "zoe"), "no annotator 'zoe'"),
        (("list", "--after", "2"), "page '2' is no page of a list"),
        (("show", "x"), "no product 'x'"),
    ],
)
def test_products_that_cannot_be_shown(imported, capsys, arguments, message):
    assert message in refused(capsys, "products", *arguments, "--home", imported)


def test_looking_makes_no_workspace(home, capsys):
    assert "no catalogue yet" in refused(capsys, "products", "list", "--home", home)
    assert not home.exists()


def test_a_persons_label_is_kept_unless_relabel_is_given(tmp_path, imported, capsys):
    settings = read_settings(imported)
    with opened_store(Workspace(imported), settings) as store, store.writing() as session:
        product = session.scalars(select(Product).where(Product.product_id == "livre-0")).one()
        other = session.scalars(select(ProductClass).where(ProductClass.code == "2583")).one()
        me = ensure_annotator(session, "anna", "annotator", 1.0)
        act = Act(kind="single", annotator_id=me.id, token="t", created_at=1.0)
        session.add(act)
        session.flush()
        session.add(
            Annotation(
                act_id=act.id,
                product_id=product.id,
                annotator_id=me.id,
                kind="label",
                class_id=other.id,
                class_before_id=product.class_id,
                version=2,
                created_at=1.0,
            )
        )
        product.class_id, product.version = other.id, 2
    again = ["import", "csv", str(tmp_path / "shop.csv"), *IMPORT, "--home", str(imported)]
    assert main(again) == 0
    assert "anna decided '2583' on 1970-01-01; kept; import with" in capsys.readouterr().out
    assert main([*again, "--relabel"]) == 0
    assert "1 updated" in capsys.readouterr().out
