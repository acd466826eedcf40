"""--help: every option says what it means, every example could be typed."""

import shlex

import pytest
import typer

from mmcore import __version__
from mmcore.cli.app import app, main

COMMANDS = {
    "demo": 2,
    "import csv": 3,
    "import rakuten": 1,
    "train": 4,
    "evaluate": 2,
    "predict": 2,
    "predict-batch": 2,
    "doctor": 2,
}  # with the least number of examples; the others have one


def leaves(group=None, path=()):
    """Yield the name of every command, "models list" for one of a group."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name))


ALL = sorted(leaves())


def find(name: str):
    command = typer.main.get_command(app)
    for word in name.split():
        command = command.commands[word]
    return command


def test_the_list_above_is_of_commands():
    assert set(COMMANDS) < set(ALL)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_means_and_what_holds_without_it(name):
    for option in find(name).params:
        text = option.help or ""
        assert len(text) > 10, option.name
        is_switch = option.default is False
        without = ("Without", "repeatable", "Go on with")
        has_default = is_switch or option.required or option.default is not None
        assert has_default or any(word in text for word in without), option.name


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_has_help(name):
    assert find(name).help
    assert all(option.help for option in find(name).params)


@pytest.mark.parametrize("name", ALL)
def test_every_example_could_be_typed(name):
    heading, *examples = find(name).epilog.split("\n\n")
    assert heading == "Examples:" and len(examples) >= COMMANDS.get(name, 1)
    for example in examples:
        words = shlex.split(example.removeprefix("python -m mmcore "))
        assert words[: len(name.split())] == name.split()
        find(name).make_context(name, words[len(name.split()) :])  # raises where it isn't right


@pytest.mark.parametrize("name", ["", *ALL])
def test_help_is_printed_whole(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "100")
    assert main([*name.split(), "--help"]) == 0
    printed = capsys.readouterr().out
    assert "Usage: " in printed and "…" not in printed


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"
