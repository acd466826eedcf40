"""Whatever text comes along (brackets, escapes, bytes that are none) is printed as it is."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from cli_shop import IMPORT, rows, write_csv
from networks import TinyBackbone

from mmcore.cli import screen
from mmcore.cli.app import main

NASTY = (
    "[red]",
    "[/]",
    "[/nosuch]",
    "a\\[b",
    "[bold]x[/bold]",
    "ends in \\",
    ":rocket:",
    "[link=x]",
)


@pytest.mark.parametrize("text", NASTY)
def test_text_is_never_markup(capsys, text):
    screen.say(text)
    screen.note(text)
    with screen.counting(text) as show:
        show(1, 2)
    captured = capsys.readouterr()
    assert captured.out == f"{text}\n" and captured.err == f"note: {text}\n"


@pytest.mark.parametrize("text", NASTY)
def test_bars_on_a_terminal_show_text_as_it_is(monkeypatch, text):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with screen.progress() as bars:
        bars.show(text, 1, 2, text)
        bars.say(text)
    assert terminal.getvalue().count(text) >= 3


def test_the_remaining_time_has_room_on_a_terminal_of_80_columns(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with screen.progress() as bars:
        bars.show("photos: frozen features", 84_000, 84_916)
        bars.show("phase 2: fine-tuning", 12_345, 123_456, f"epoch 12/30  loss {'0.123 ' * 12}")
    last = re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue().rpartition("phase 2")[2])
    assert "12345/123456" in last and "left -:--:--" in last and "epoch 12/30" in last


def test_classes_titles_and_files_with_brackets(tmp_path, home, capsys):
    names = {"10": "[red]", "1280": "[/]", "2583": "a\\[b\\"}
    products = [{**row, "cat": names[row["cat"]]} for row in rows()]
    folder = tmp_path / "a [bold] folder [/]"
    folder.mkdir(parents=True)
    path = write_csv(folder / "shop [x].csv", [*products, {**products[0], "prix": "[/]"}])
    home = folder / "[/home]"
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(home)]) == 0
    assert main(["train", "--home", str(home), "--epochs1", "4", "--name", "m1"]) == 0
    assert str(home / "models" / "m1") in capsys.readouterr().out
    assert main(["evaluate", "--home", str(home), "--per-class"]) == 0
    printed = capsys.readouterr().out
    assert all(f" {name} " in printed for name in names.values())
    assert main(["predict", "--home", str(home), "--title", "livre", "--explain"]) == 0
    printed = capsys.readouterr().out
    assert all(f" {name} " in printed for name in names.values())
    target = folder / "[out].csv"
    columns = ["--id", "ref", "--title", "titre", "--home", str(home)]
    assert main(["predict-batch", str(path), str(target), *columns]) == 0
    assert f"written to {target}" in capsys.readouterr().out
    assert main(["doctor", "--home", str(home)]) == 0
    assert str(home) in capsys.readouterr().out


def test_an_escape_sequence_in_a_title_does_not_reach_the_terminal(capsys):
    screen.say("a\x1b[2Jb\x07\x9b")
    assert capsys.readouterr().out == "a\\x1b[2Jb\\x07\\x9b\n"
    assert main(["predict", "--home", "x\x1b[2J"]) == 1
    assert "\x1b" not in capsys.readouterr().err


def take_ascii_alone(monkeypatch) -> io.BytesIO:
    """Make stdout and stderr as PYTHONIOENCODING=ascii does; returns what stdout is given."""
    written = io.BytesIO()
    for name in ("stdout", "stderr"):
        stream = io.TextIOWrapper(written if name == "stdout" else io.BytesIO(), "ascii")
        monkeypatch.setattr(sys, name, stream)
    return written


@pytest.mark.parametrize(
    "command",
    [("evaluate", "--per-class"), ("predict", "--title", "piscine été"), ("--help",)],
)
def test_a_stdout_without_accents_gets_escapes(trained, monkeypatch, command):
    written = take_ascii_alone(monkeypatch)
    arguments = command if command == ("--help",) else (*command, "--home", str(trained))
    assert main(arguments) == 0
    assert written.getvalue().isascii() and len(written.getvalue()) > 100


def test_json_stays_json_where_stdout_lacks_the_letters(tmp_path, home, monkeypatch):
    written = take_ascii_alone(monkeypatch)
    path = write_csv(tmp_path / "été.csv", rows())
    arguments = ["import", "csv", str(path), *IMPORT, "--title", "été", "--home", str(home)]
    assert main([*arguments, "--json"]) == 1  # no column is called so
    path = write_csv(tmp_path / "shop.csv", [{"été": "x", **row} for row in rows()])
    arguments = ["import", "csv", str(path), *IMPORT, "--title", "été", "--home", str(home)]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(written.getvalue())["columns"]["title"] == "été"


def test_the_c_locale_as_a_whole(trained):
    environment = {**os.environ, "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "mmcore", "predict", "--title", "piscine été", "--json"]
    result = subprocess.run(
        [*command, "--home", str(trained)], capture_output=True, env=environment, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    assert json.loads(result.stdout)["model"] == "m1"


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys, monkeypatch):
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr(screen.time, "monotonic", lambda: float(next(clock)))
    with screen.counting("rows") as show:
        for done in range(1, 101):
            show(done * 10, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert 3 < len(lines) < 40
    assert lines[0].startswith("rows: ") and " of 1,000, about " in lines[0]


def test_a_short_command_has_no_progress_lines(capsys):
    with screen.counting("rows") as show:
        show(1, 2)
    assert capsys.readouterr().err == ""


def test_every_long_command_counts_its_work(tmp_path, home, capsys, monkeypatch, make_photo):
    seen: dict[str, list[tuple[int, int]]] = {}
    real = screen.Bars.show

    def show(bars, name, done, total, text=""):
        seen.setdefault(name, []).append((done, total))
        real(bars, name, done, total, text)

    monkeypatch.setattr(screen.Bars, "show", show)
    for module in ("services.images", "artifact"):  # a hundredth of the work, the same way
        monkeypatch.setattr(f"mmcore.{module}.build_backbone", lambda *_: TinyBackbone())
    monkeypatch.setattr("mmcore.artifact.outline_backbone", lambda _: TinyBackbone())
    (tmp_path / "photos").mkdir()
    products = [{**row, "photo": f"{row['ref']}.jpg"} for row in rows(per_class=8)]
    for i, row in enumerate(products):
        (tmp_path / "photos" / row["photo"]).write_bytes(make_photo(seed=i))
    path = write_csv(tmp_path / "shop.csv", products)
    photos = ("--image", "photo", "--images", str(tmp_path / "photos"))
    assert main(["import", "csv", str(path), *IMPORT, *photos, "--home", str(home)]) == 0
    assert seen.pop("reading rows")[-1] == (25, 25)
    assert seen.pop("comparing")[-1] == (4, 4)
    assert seen.pop("writing")[-1] == (25, 25)
    options = ["--weights", "random", "--epochs1", "1", "--epochs2", "1"]
    assert main(["train", *options, "--home", str(home)]) == 0
    assert seen.pop("photos: frozen features")[-1] == (24, 24)
    assert seen.pop("phase 1: frozen")[-1] == seen.pop("phase 2: fine-tuning")[-1] == (1, 1)
    assert seen.pop("linear heads")[-1] == (2, 2)  # text, and the column
    assert seen.pop("judging on val")[-1] == seen.pop("judging on test")[-1] == (6, 6)
    assert main(["evaluate", "--home", str(home)]) == 0  # of a backbone that has moved
    assert seen.pop("photos")[-1] == (6, 6)
    columns = ["--id", "ref", "--title", "titre", *photos, "--home", str(home)]
    assert main(["predict-batch", str(path), str(tmp_path / "o.csv"), *columns]) == 0
    assert seen.pop("products")[-1][0] > 0 and seen == {}
