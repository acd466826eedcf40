"""A small drawn catalogue with a model trained on it, made once for all slow tests."""

import pytest

from mmcore.cli.app import main
from mmcore.settings import read_settings
from mmcore.workspace import Workspace


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Return the workspace that `python -m mmcore demo` makes, at a third of its size."""
    home = tmp_path_factory.mktemp("drawn")
    assert main(["demo", "--home", str(home), "--products", "16"]) == 0
    return Workspace(home)


@pytest.fixture(scope="session")
def runtime(drawn):
    from mmcore.services.prediction import load_runtime

    return load_runtime(drawn, read_settings(drawn.home), None)
