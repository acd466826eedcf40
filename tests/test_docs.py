"""README and requirements say what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmcore.cli.app import app, imports, listing

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_stands_in_the_readme():
    commands = [c.name for c in app.registered_commands]
    commands += [f"import {c.name}" for c in imports.registered_commands]
    assert len(listing.registered_commands) == 3  # they stand together: products list, show, count
    commands.append("products list")
    assert len(commands) >= 8
    missing = [
        name for name in commands if not re.search(rf"mmcore {name}\b|`{name}`|make app", README)
    ]
    assert missing == []


@pytest.mark.parametrize("command", [c.name for c in app.registered_commands])
def test_every_command_has_help(command):
    result = subprocess.run(
        [sys.executable, "-m", "mmcore", command, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert result.returncode == 0 and len(result.stdout.splitlines()) > 8


def test_files_the_readme_names_exist():
    named = re.findall(r"`(mmcore/[\w/]+\.py|[\w.]+\.md|Makefile)`", README)
    assert len(named) >= 4
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_options_the_readme_names_exist():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", README)) - {
        "--extra-index-url",
        "--help",
    }
    assert len(named) > 10
    text = "".join(
        subprocess.run(
            [sys.executable, "-m", "mmcore", *command, "--help"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"COLUMNS": "200", "PATH": "", "HOME": "/tmp"},
        ).stdout
        for command in (
            ["import", "csv"],
            ["retrain"],
            ["products", "list"],
            ["train"],
            ["evaluate"],
            ["predict"],
            ["predict-batch"],
            ["queue", "settings", "set"],
            ["labels", "bulk"],
            ["serve"],
        )
    )
    assert [option for option in named if option not in text] == []


def test_every_dependency_has_lower_and_upper_bound():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 10
    assert [p for p in pins if not re.fullmatch(r"[\w-]+>=[\d.]+,<=?[\d.]+", p)] == []


def test_the_changelog_has_an_unreleased_section():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
