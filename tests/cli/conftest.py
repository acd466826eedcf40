"""Workspaces for the commands: none yet, with the small shop imported, with a model of it."""

import shutil

import pytest
from cli_shop import IMPORT, rows, write_csv

from mmcore.cli.app import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("MMCORE_HOME", raising=False)
    monkeypatch.setenv("MMCORE_OFFLINE", "1")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """Return a workspace with the catalogue and one model of text, m1; copy it, don't change it."""
    folder = tmp_path_factory.mktemp("shop")
    path = write_csv(folder / "shop.csv", rows())
    assert main(["import", "csv", str(path), *IMPORT, "--home", str(folder / "home")]) == 0
    options = ["--epochs1", "8", "--name", "m1"]
    assert main(["train", "--home", str(folder / "home"), *options]) == 0
    return folder / "home"


@pytest.fixture
def trained(tmp_path, home, shop, capsys):
    write_csv(tmp_path / "shop.csv", rows())
    shutil.copytree(shop, home)
    capsys.readouterr()
    return home


@pytest.fixture
def imported(trained):
    shutil.rmtree(trained / "models" / "m1")
    return trained
