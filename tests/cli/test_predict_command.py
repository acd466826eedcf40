"""predict, predict-batch and doctor on the command line."""

import json

import pandas as pd
import pytest
from cli_shop import refused

from mmcore.cli.app import main

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
