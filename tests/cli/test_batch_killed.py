"""predict-batch killed in the middle: the same command goes on, and nobody can tell afterwards."""

import json
import os
import signal
import subprocess
import sys

import pytest
from cli_shop import rows, write_csv

from mmcore.cli.app import main
from mmcore.services.batch_journal import part_of

COLUMNS = ("--id", "ref", "--title", "titre", "--description", "texte")
NUM_PIECES = 5
# runs the command line; the n-th call of a function kills it, before or in the middle of a write
KILLED = """
import os, signal, sys
from mmcore.cli.app import main
from mmcore.services import batch_journal, batch_prediction, prediction_table
import mmcore.workspace

module, name, call, half = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "half"
owner = sys.modules[module]
real, count = getattr(owner, name), iter(range(1, 100_000))

def function(*arguments, **named):
    if next(count) != call:
        return real(*arguments, **named)
    if half:
        file, data = arguments
        whole = os.path.getsize(file.name)
        real(file, data)
        os.truncate(file.name, (whole + os.path.getsize(file.name)) // 2)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, function)
sys.exit(main(sys.argv[5:]))
"""
MOMENTS = {
    "before the header": ("mmcore.services.batch_journal", "_append", 1, ""),
    "in the header": ("mmcore.services.batch_journal", "_append", 1, "half"),
    "before the first piece": ("mmcore.services.batch_journal", "_append", 2, ""),
    "in the first piece": ("mmcore.services.batch_journal", "_append", 2, "half"),
    "in the third piece": ("mmcore.services.batch_journal", "_append", 4, "half"),
    "before the last piece": ("mmcore.services.batch_journal", "_append", NUM_PIECES + 1, ""),
    "before the target": ("mmcore.services.batch_prediction", "write_atomically", 1, ""),
    "in the target": ("mmcore.services.prediction_table", "_cell", 1200, ""),
    "before it is safe on disk": ("os", "fsync", 1, ""),
    "before it is renamed": ("os", "replace", 1, ""),
    "before the part goes": ("mmcore.workspace", "sync_folder", 1, ""),
}


@pytest.fixture
def command(trained, tmp_path):
    """Return the words of the command, for 320 products in five pieces."""
    source = write_csv(tmp_path / "many.csv", rows(107)[: 64 * NUM_PIECES])
    target = tmp_path / "out.csv"
    return ["predict-batch", str(source), str(target), *COLUMNS, "--home", str(trained)]


def killed(command: list[str], moment: str) -> int:
    words = [str(word) for word in MOMENTS[moment]]
    return subprocess.run([sys.executable, "-c", KILLED, *words, *command]).returncode


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_command_goes_on(command, tmp_path, capsys, moment):
    assert main(command) == 0
    target = tmp_path / "out.csv"
    expected = target.read_bytes()
    target.write_bytes(b"old")
    assert killed(command, moment) == -signal.SIGKILL
    is_there = moment == "before the part goes"
    assert target.read_bytes() == (expected if is_there else b"old")
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    assert target.read_bytes() == expected
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    pieces = {"in the third piece": 2, "before the last piece": NUM_PIECES - 1}
    kept = pieces.get(moment, NUM_PIECES if "piece" not in moment and "header" not in moment else 0)
    assert report["num_kept"] == 64 * kept and report["num_predicted"] == 64 * NUM_PIECES
    assert (f"{64 * kept} rows are done already: it goes on there" in shown.err) == bool(kept)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"home", "shop.csv", "many.csv", "out.csv"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_what_is_kept_and_how_to_go_on(command, tmp_path, capsys, monkeypatch, number):
    from mmcore.services import batch_journal

    real, count = batch_journal._append, iter(range(100))

    def append(*arguments):
        real(*arguments)
        if next(count) == 3:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(batch_journal, "_append", append)
        assert main(command) == 130
    lines = capsys.readouterr().err.strip().splitlines()
    told = "note: 192 of 320 rows are done and kept in out.csv.part: the same command goes on"
    assert lines[-2:] == [told, "interrupted"]
    assert not (tmp_path / "out.csv").exists()
    assert main([*command[:2], str(tmp_path / "whole.csv"), *command[3:]]) == 0
    assert main(command) == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_another_choice_is_refused_and_anew_drops_what_is_there(command, tmp_path, capsys):
    killed(command, "in the third piece")
    words = [*command, "--description", ""]
    assert main(words) == 1
    message = capsys.readouterr().err
    assert "out.csv.part holds 128 of 320 rows" in message and "--anew to drop it" in message
    assert main([*words, "--anew", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_kept"] == 0
    assert not part_of(tmp_path / "out.csv").exists()


def test_the_pace_is_told(command, capsys):
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["products_per_s"] > 0
    assert main(command) == 0
    assert " a second), written to" in capsys.readouterr().out
