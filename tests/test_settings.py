"""Machine facts from the environment."""

from pathlib import Path

import pytest

from mmcore.errors import ConfigError, WorkspaceError
from mmcore.settings import read_settings
from mmcore.workspace import Workspace, write_atomically


def test_the_option_wins_over_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "a"))
    assert read_settings().home == tmp_path / "a"
    assert read_settings(tmp_path / "b").home == tmp_path / "b"


def test_the_default_home_is_outside_the_source_tree(monkeypatch):
    monkeypatch.delenv("MMCORE_HOME", raising=False)
    source = Path(__file__).resolve().parents[1]
    assert source not in read_settings().home.parents


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("0", False), ("", False)])
def test_offline(monkeypatch, value, expected):
    monkeypatch.setenv("MMCORE_OFFLINE", value)
    assert read_settings().offline is expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MMCORE_DEVICE", "tpu", "MMCORE_DEVICE is 'tpu'; use one of auto, cpu, cuda, mps"),
        ("MMCORE_DECODE_THREADS", "0", "is '0'; use a whole number from 1 to 256"),
        ("MMCORE_DECODE_THREADS", "two", "is 'two'"),
    ],
)
def test_a_bad_value_is_named(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=message):
        read_settings()


def test_a_workspace_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="can't be written.*choose another with --home"):
        Workspace(tmp_path / "file" / "home").create()


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["x"]
