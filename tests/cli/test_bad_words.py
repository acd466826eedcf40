"""Paths, names and bytes that can't be meant: one clear line each, at once, and no work done."""

import os
import socket

import pytest
from cli_shop import IMPORT, refused, rows, write_csv

from mmcore.cli.app import main
from mmcore.errors import ImageError
from mmcore.images import MAX_BYTES, read_photo
from mmcore.workspace import write_atomically

PREDICT = ("predict", "--title", "piscine")


# -- the workspace ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", [PREDICT, ("doctor",), ("train",), ("evaluate",), ("demo",)])
def test_a_home_that_is_a_file(tmp_path, home, capsys, command):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        message = refused(capsys, *command, "--home", place)
        assert f"{tmp_path / 'file'} is a file; name another folder" in message


def test_homes_that_are_no_folder(capsys, monkeypatch, home):
    assert "Could not determine home" in refused(capsys, *PREDICT, "--home", "~nosuchuser/x")
    assert "it is empty; name a file or folder" in refused(capsys, *PREDICT, "--home", "")
    assert "NUL character" in refused(capsys, *PREDICT, "--home", "a\0b")
    assert "File name too long" in refused(capsys, *PREDICT, "--home", "a" * 300)
    monkeypatch.setenv("MMCORE_HOME", "~nosuchuser/x")
    assert "MMCORE_HOME '~nosuchuser/x' can't be the workspace" in refused(capsys, *PREDICT)


def test_a_home_of_links_in_a_circle(tmp_path, capsys):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert "can't be the workspace" in refused(capsys, *PREDICT, "--home", tmp_path / "a" / "c")


def test_a_home_that_cannot_be_written(tmp_path, home, capsys):
    path = write_csv(tmp_path / "shop.csv", rows())
    message = refused(capsys, "import", "csv", path, *IMPORT, "--home", "/proc/nowhere")
    assert "can't be written: " in message and "choose another with --home" in message


def test_a_home_whose_name_is_no_text(trained, tmp_path, capsys):
    place = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    os.rename(trained, place)
    message = refused(capsys, *PREDICT, "--home", place)
    assert "caf\\udce9" in message and "its name holds bytes that aren't UTF-8" in message


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there(trained, capsys, monkeypatch, device):
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is a GPU here")
    monkeypatch.setenv("MMCORE_DEVICE", device)
    for command in (PREDICT, ("evaluate",), ("train", "--epochs1", "1")):
        message = refused(capsys, *command, "--home", trained)
        assert f"MMCORE_DEVICE is '{device}'" in message and "MMCORE_DEVICE=auto" in message
    assert main(["doctor", "--home", str(trained)]) == 1
    assert "MMCORE_DEVICE=auto" in capsys.readouterr().out


# -- text and names ----------------------------------------------------------------------------


def test_bytes_that_are_no_text(trained, capsys):
    bad = os.fsdecode(b"piscine \xff caf\xc3\xa9")
    assert main(["predict", "--home", str(trained), "--title", bad, "--explain"]) == 0
    assert main(["predict", "--home", str(trained), "--title", "piscine \ud800", "--json"]) == 0
    assert main(["predict", "--home", str(trained), "--title", "piscine\0bleu", "--json"]) == 0
    capsys.readouterr()
    for option in ("--image", "--model"):
        message = refused(capsys, *PREDICT, "--home", trained, option, f"{bad}.jpg")
        assert "\\udcff" in message
    message = refused(capsys, "train", "--home", trained, "--name", bad)
    assert "\\udcff" in message and "can't be used: take 1 to 80 letters" in message
    message = refused(capsys, "import", "csv", f"{bad}.csv", "--home", trained)
    assert "\\udcff" in message


def test_nul_and_empty_file_names(trained, capsys):
    for command in (
        (*PREDICT, "--image"),
        ("import", "csv"),
        ("import", "rakuten"),
        ("evaluate", "--predictions"),
    ):
        assert "it is empty; name" in refused(capsys, *command, "", "--home", trained)
        assert "NUL character" in refused(capsys, *command, "a\0b", "--home", trained)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../models/m1", "a\0b", "x" * 300, "/"])
def test_a_model_name_leads_nowhere_else(trained, capsys, name):
    message = refused(capsys, *PREDICT, "--home", trained, "--model", name)
    assert "no model is named" in message and "there are: m1" in message


# -- what is no file -----------------------------------------------------------------------------


@pytest.fixture
def odd_files(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    return ("/dev/zero", "/dev/null", "/dev", "/proc/kmsg", tmp_path / "fifo", tmp_path / "socket")


@pytest.mark.timeout(30)
def test_a_photo_that_is_no_regular_file(trained, capsys, odd_files):
    for path in odd_files:
        message = refused(capsys, *PREDICT, "--home", trained, "--image", path)
        assert "is no regular file" in message or "is empty (0 bytes)" in message, path


def test_a_photo_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageError, match=f"has {MAX_BYTES + 1:,} bytes, the limit is"):
        read_photo(path)


@pytest.mark.timeout(60)
def test_a_catalogue_that_is_no_regular_file(trained, tmp_path, capsys, odd_files):
    for path in odd_files:
        target = tmp_path / "out.csv"
        for command in (("import", "csv", path), ("predict-batch", path, target)):
            message = refused(capsys, *command, "--home", trained)
            expected = ("is no regular file", "is empty (0 bytes)", "Is a directory")
            assert any(text in message for text in expected), (command, message)
        if path != "/dev":
            source = tmp_path / "shop.csv"
            message = refused(capsys, "import", "csv", source, "--images", path, "--home", trained)
            assert "is no regular file" in message or "is empty" in message
    assert not (tmp_path / "out.csv").exists()


# -- what is written -----------------------------------------------------------------------------


def targets(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "fifo.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    return {
        tmp_path / "folder.csv": "is a folder; name a file in it",
        tmp_path / "fifo.csv": "is no regular file",
        tmp_path / "zero.csv": "is no regular file",
        tmp_path / "nowhere" / "a.csv": "doesn't exist; make it or choose another",
        tmp_path / "shop.csv" / "a.csv": "doesn't exist; make it or choose another",
        tmp_path / f"{'x' * 300}.csv": "File name too long",
    }


def test_a_target_that_cannot_be_written_is_told_before_the_work(
    trained, tmp_path, capsys, monkeypatch
):
    from mmcore.services import evaluation, import_rows

    def no_work(*_, **__):
        raise AssertionError("the work began")

    monkeypatch.setattr(evaluation, "read_catalogue", no_work)
    monkeypatch.setattr(import_rows, "take_photos", no_work)
    monkeypatch.setattr("mmcore.services.prediction.load_runtime", no_work)
    source = tmp_path / "shop.csv"
    for path, expected in targets(tmp_path).items():
        for command in (
            ("evaluate", "--predictions", path),
            ("predict-batch", source, path),
            ("import", "csv", source, *IMPORT, "--issues", path),
        ):
            assert expected in refused(capsys, *command, "--home", trained), command


def test_the_table_of_remarks_never_replaces_the_source(trained, tmp_path, capsys):
    source = tmp_path / "shop.csv"
    before = source.read_bytes()
    message = refused(capsys, "import", "csv", source, "--issues", source, "--home", trained)
    assert "write --issues to another file" in message and source.read_bytes() == before


def test_root_cannot_replace_a_device_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # stands for /dev/null, which a failing test would destroy
    with pytest.raises(OSError, match="no regular file"):
        write_atomically(tmp_path / "pipe", lambda file: None)
    assert not (tmp_path / "pipe").is_file()


# -- choices of a training -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            (("--name", name), "can't be used: take 1 to 80 letters")
            for name in ("", "a/b", "a\\b", "..", ".x", "a b", "x" * 300, "-x", "é", "[x]")
        ),
        (("--name", "m1"), "a model named 'm1' exists; choose another --name"),
        (("--name", "waits"), "go on with --resume waits"),
        (("--seed", "99999999999999"), "seed is 99999999999999; it must lie from 0 to 2147483647"),
        (("--seed", "-1"), "Invalid value for '--seed'"),
        (("--epochs1", "0", "--epochs2", "0"), "no phase has an epoch to train"),
        (("--epochs1", "0"), "no phase has an epoch to train"),
        (("--epochs1", "99999"), "epochs is 99999; it must lie from 0 to 10000"),
        (("--modalities", ""), "--modalities '' names none; write for example text,image"),
        (("--modalities", " , "), "names none"),
        (("--modalities", "text,text"), "each once"),
        (("--modalities", "a:b:c:d"), "can't be read; write NAME"),
        (("--backbone", "foo"), "backbone 'foo': use one of"),
        (("--backbone", ""), "backbone '': use one of"),
        (("--preset", "foo"), "preset 'foo': use one of strong, seed"),
        (("--weights", "foo"), "weights 'foo': use one of imagenet, random"),
        (("--resume", ""), "no unfinished run is named ''"),
        (("--resume", "waits", "--epochs1", "3"), "leave the other options out"),
        (("--resume", "waits", "--name", "x"), "leave the other options out"),
        (("--resume", "../models/m1"), "no unfinished run is named"),
    ],
)
def test_a_wrong_choice_is_told_before_any_work(trained, capsys, monkeypatch, options, message):
    from mmcore.services import training

    def no_work(*_, **__):
        raise AssertionError("the work began")

    monkeypatch.setattr(training, "read_catalogue", no_work)
    (trained / "runs" / "waits").mkdir(parents=True)
    (trained / "runs" / "waits" / "run.json").write_text("{}")
    assert message in refused(capsys, "train", "--home", trained, *options)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trian",), "No such command 'trian'. Did you mean 'train', 'retrain'?"),
        (("import", "cvs", "x"), "No such command 'cvs'. Did you mean 'csv'?"),
        (("train", "--epoch", "3"), "--epochs1"),
        (("train", "--sede", "3"), "--seed"),
        (("predict", "--titel", "x"), "--title"),
        (("predict-batch", "a.csv"), "Missing argument 'TARGET'"),
        (("predict", "--top", "0"), "'--top'"),
        (("import", "rakuten", "x", "--part", "foo"), "part 'foo'"),
        (("evaluate", "--split", "foo"), "split 'foo': use one of train, val, test"),
    ],
)
def test_a_mistyped_command(home, capsys, words, message):
    assert message in refused(capsys, *words)


@pytest.mark.parametrize("words", [(), ("import",)])
def test_a_command_without_its_words_shows_the_help(capsys, words):
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "Usage: " in captured.out and captured.err == ""
