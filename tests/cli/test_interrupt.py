"""Ctrl-C, SIGTERM, a reader that leaves, a full disk: no traceback, nothing half-written."""

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_shop import IMPORT, refused, rows, write_csv

from mmcore import workspace
from mmcore.cli import signals
from mmcore.cli.app import main
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.settings import read_settings

SIGNALS = [signal.SIGINT, signal.SIGTERM]
COLUMNS = ("--id", "ref", "--title", "titre", "--description", "texte")


def send_when(monkeypatch, target: str, number: int, call: int = 1) -> None:
    """Send ourselves a signal when the function `target` is called for the n-th time."""
    module, _, name = target.rpartition(".")
    real = getattr(sys.modules[module], name)
    count = iter(range(1, 1_000_000))

    def function(*arguments, **named):
        if next(count) == call:
            os.kill(os.getpid(), number)
        return real(*arguments, **named)

    monkeypatch.setattr(target, function)


def hidden(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob(".*")]


def catalogue_of(home: Path):
    return read_catalogue(workspace.Workspace(home), read_settings(home)).products


def commands(tmp_path: Path, home: Path) -> dict[str, list]:
    more = write_csv(tmp_path / "more.csv", [{**row, "ref": f"new-{row['ref']}"} for row in rows()])
    return {
        "import": ["import", "csv", more, *IMPORT],
        "evaluate": ["evaluate", "--predictions", tmp_path / "p.csv"],
        "predict-batch": ["predict-batch", tmp_path / "shop.csv", tmp_path / "o.csv", *COLUMNS],
    }


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("command", "target"),
    [
        ("import", "mmcore.services.import_rows.take_photos"),
        ("import", "mmcore.services.import_plan._search_text"),  # halfway through plan_import
        ("import", "mmcore.store.import_writes.bulk_insert"),  # in write_import's transaction:
        ("import", "mmcore.store.import_writes.write_facts"),  # nothing, then all of it written
        ("evaluate", "mmcore.views.decide"),
        ("evaluate", "mmcore.workspace.os.fsync"),
        ("predict-batch", "mmcore.runtime.decide"),
        ("predict-batch", "mmcore.workspace.os.fsync"),
    ],
)
def test_a_signal_ends_the_command(trained, tmp_path, capsys, monkeypatch, number, command, target):
    import mmcore.runtime
    import mmcore.services.import_plan
    import mmcore.services.import_rows
    import mmcore.store.import_writes
    import mmcore.views  # noqa: F401  # `send_when` looks them up

    before = catalogue_of(trained)
    if target.endswith("os.fsync"):
        real = os.fsync
        monkeypatch.setattr(
            workspace.os, "fsync", lambda fd: (os.kill(os.getpid(), number), real(fd))
        )
    else:
        send_when(monkeypatch, target, number)
    arguments = [*commands(tmp_path, trained)[command], "--home", trained]
    assert main([str(a) for a in arguments]) == 130
    captured = capsys.readouterr()
    assert captured.err.strip().splitlines()[-1] == "interrupted" and captured.out == ""
    assert catalogue_of(trained).equals(before)
    assert not (tmp_path / "p.csv").exists() and not (tmp_path / "o.csv").exists()
    assert hidden(trained, tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 1)])
def test_a_training_says_how_to_go_on(trained, capsys, monkeypatch, number, code):
    import mmcore.trainer  # noqa: F401

    send_when(monkeypatch, "mmcore.trainer.total_loss", number, call=4)
    options = ["--epochs1", "6", "--name", "m2", "--home", str(trained)]
    assert main(["train", *options]) == code
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: training was stopped") and "--resume m2" in last
    assert main(["train", "--resume", "m2", "--home", str(trained), "--json"]) == 0


def test_a_second_ctrl_c_ends_a_training_at_once(capsys):
    with signals.interruptible(), pytest.raises(signals.Interrupted):
        with signals.stop_on_signal() as asked:
            os.kill(os.getpid(), signal.SIGINT)
            assert asked()
            os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_that_is_to_be_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with signals.interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_an_interrupted_library_raises_is_no_defect(trained, capsys, monkeypatch):
    def fail(*_, **__):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("a half-imported module") from None

    monkeypatch.setattr("mmcore.services.evaluation.read_catalogue", fail)
    assert main(["evaluate", "--home", str(trained)]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


# -- a reader that leaves -------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--help",), ("predict", "--title", "piscine", "--json")])
def test_a_reader_that_has_left(trained, words):
    reader, writer = os.pipe()
    os.close(reader)
    home = [] if words == ("--help",) else ["--home", str(trained)]
    command = [sys.executable, "-m", "mmcore", *words, *home]
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert result.returncode == 1 and result.stderr == ""


def test_an_output_that_is_full():
    command = [sys.executable, "-m", "mmcore", "--help"]
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error: standard output or a file can't be used: No space left")
    assert len(result.stderr.splitlines()) == 1


# -- a disk that is full -------------------------------------------------------------------------


@pytest.fixture
def full(monkeypatch):
    """Let nothing be written durably any more."""

    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda: monkeypatch.setattr(os, "fsync", fail)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predictions_on_a_full_disk(trained, tmp_path, capsys, full, suffix):
    full()
    target = tmp_path / f"out{suffix}"
    message = refused(capsys, "evaluate", "--home", trained, "--predictions", target)
    assert f"{target} can't be written: No space left" in message
    source = tmp_path / "shop.csv"
    message = refused(capsys, "predict-batch", source, target, *COLUMNS, "--home", trained)
    assert f"{target} can't be written: No space left" in message
    assert not target.exists() and hidden(tmp_path) == []


def test_the_table_of_remarks_on_a_full_disk(trained, tmp_path, capsys, full):
    full()
    table = tmp_path / "issues.csv"
    source = tmp_path / "shop.csv"
    message = refused(
        capsys, "import", "csv", source, *IMPORT, "--issues", table, "--home", trained
    )
    assert f"can't be written to {table}: No space left" in message


def test_a_training_on_a_full_disk(trained, capsys, full, monkeypatch):
    full()
    message = refused(capsys, "train", "--epochs1", "2", "--name", "m2", "--home", trained)
    assert "No space left" in message and str(trained / "runs" / "m2") in message
    assert not (trained / "models" / "m2").exists() and hidden(trained) == []


def test_a_model_that_cannot_be_saved(trained, capsys, monkeypatch):
    import mmcore.artifact

    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(mmcore.artifact, "_sync", fail)
        options = ("--epochs1", "2", "--name", "m2", "--home", trained)
        message = refused(capsys, "train", *options)
    assert "No space left" in message and "--resume" in message
    assert main(["train", "--resume", "m2", "--home", str(trained)]) == 0


@pytest.mark.parametrize("name", ["open_cache", "fill_cache"])
def test_a_cache_that_cannot_be_written(tmp_path, home, capsys, monkeypatch, make_photo, name):
    from mmcore.services import images

    (tmp_path / "photos").mkdir()
    products = [{**row, "photo": f"{row['ref']}.jpg"} for row in rows()]
    for i, row in enumerate(products):
        (tmp_path / "photos" / row["photo"]).write_bytes(make_photo(seed=i))
    path = write_csv(tmp_path / "shop.csv", products)
    options = (*IMPORT, "--image", "photo", "--images", tmp_path / "photos")
    assert main([str(a) for a in ("import", "csv", path, *options, "--home", home)]) == 0

    def fail(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(images, name, fail)
    message = refused(capsys, "train", "--weights", "random", "--epochs1", "1", "--home", home)
    assert f"feature cache {home / 'cache'} can't be written: Read-only" in message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a/b"), "/a/b can't be used: No space"),
        (
            PermissionError(13, "Permission denied", b"/a"),
            "/a can't be used: Permission denied; ch",
        ),
        (OSError("odd"), "or a file can't be used: odd; check"),
    ],
)
def test_an_error_of_the_system_that_no_service_told(trained, capsys, monkeypatch, error, message):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("mmcore.services.evaluation.read_catalogue", fail)
    assert message in refused(capsys, "evaluate", "--home", trained)


def test_a_defect_of_ours_keeps_its_traceback(trained, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("mmcore.services.evaluation.read_catalogue", fail)
    with pytest.raises(ZeroDivisionError):
        main(["evaluate", "--home", str(trained)])


def test_a_closed_stdout_and_stderr(trained, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["predict", "--title", "piscine", "--home", str(trained)]) == 0
    assert main(["predict", "--title", "piscine", "--home", str(trained), "--json"]) == 0
    assert main(["predict", "--home", str(trained)]) == 1


def test_a_stderr_whose_reader_has_left(trained, monkeypatch):
    class Left(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Left())
    assert main(["train", "--epochs1", "1", "--home", str(trained)]) == 1
    assert main(["predict", "--home", str(trained)]) == 1
