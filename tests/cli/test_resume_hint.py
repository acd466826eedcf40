"""What a stopped training tells to type: the run's own name, and the workspace it lies in."""

import shlex

import pytest

from mmcore.cli.app import main
from mmcore.errors import TrainingInterrupted
from mmcore.services import training


@pytest.fixture
def stopped(monkeypatch, tmp_path):
    """Let every training be stopped as the run called 20260101-000000."""
    monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "usual"))

    def events(*_):
        error = TrainingInterrupted("training was stopped in phase 1; its checkpoint is kept")
        error.run = "20260101-000000"
        raise error
        yield

    monkeypatch.setattr(training, "train", events)
    monkeypatch.setattr(training, "resume", events)


def hint(capsys, *arguments: str) -> list[str]:
    assert main(list(arguments)) == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("error: training was stopped in phase 1; its checkpoint is kept; go on")
    return shlex.split(line.partition("`")[2].rstrip("`"))


GO_ON = ["python", "-m", "mmcore", "train", "--resume", "20260101-000000"]


def test_the_run_is_named_whatever_else_waits(stopped, tmp_path, capsys):
    other = tmp_path / "usual" / "runs" / "zzz"
    other.mkdir(parents=True)
    (other / "run.json").write_text("{}")
    assert hint(capsys, "train") == GO_ON
    assert hint(capsys, "train", "--resume", "20260101-000000") == GO_ON


def test_a_home_that_was_given_is_in_it_quoted(stopped, tmp_path, capsys):
    home = str(tmp_path / "my shop")
    assert hint(capsys, "train", "--home", home) == [*GO_ON, "--home", home]
    assert hint(capsys, "--home", home, "train") == [*GO_ON, "--home", home]
