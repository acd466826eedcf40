"""A run's folder: who may have its name, who holds it, what a damaged one says."""

import json
import subprocess
import sys
import threading

import pytest

from mmcore.config import TEXT, RunChoices, build_run_config
from mmcore.errors import WorkspaceError
from mmcore.services.run_lock import held
from mmcore.services.runs import begin_run, find_run
from mmcore.workspace import Workspace

CONFIG = build_run_config(RunChoices(modalities=(TEXT,)))


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def run(workspace):
    return begin_run(workspace, "r1", CONFIG, "ab" * 32)


def test_what_was_begun_is_found(workspace, run):
    assert find_run(workspace, "r1") == run
    assert find_run(workspace, "r1").checkpoint_hash == run.checkpoint_hash
    run.remove()
    assert list(workspace.runs.iterdir()) == []
    with pytest.raises(WorkspaceError, match="no unfinished run is named 'r1'; there is none"):
        find_run(workspace, "r1")


def test_a_name_is_used_once(workspace, run):
    with pytest.raises(WorkspaceError, match="has not ended; go on with --resume r1"):
        begin_run(workspace, "r1", CONFIG, "ab" * 32)
    (run.folder / "run.json").unlink()
    with pytest.raises(WorkspaceError, match="left over from a run that was killed.*delete it"):
        begin_run(workspace, "r1", CONFIG, "ab" * 32)


def test_a_run_that_could_not_be_recorded_leaves_its_name_free(workspace, monkeypatch):
    def full(path, write):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mmcore.services.runs.write_atomically", full)
        with pytest.raises(WorkspaceError, match="can't be written: No space left.*free some"):
            begin_run(workspace, "r1", CONFIG, "ab" * 32)
    begin_run(workspace, "r1", CONFIG, "ab" * 32)


def record(run) -> dict:
    return json.loads((run.folder / "run.json").read_text())


def config_with(run, **changes) -> str:
    found = record(run)
    return json.dumps({**found, "config": {**found["config"], **changes}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda run: "", "Expecting value"),
        (lambda run: '{"config": ', "Expecting value"),
        (lambda run: "[" * 100_000, "recursion"),
        (lambda run: "[]", "list indices"),
        (lambda run: "null", "not subscriptable"),
        (lambda run: "{}", "run.json lacks 'config'"),
        (lambda run: json.dumps({"config": record(run)["config"]}), "run.json lacks 'snapshot'"),
        (lambda run: json.dumps({**record(run), "snapshot": 3}), "its snapshot is 3"),
        (lambda run: json.dumps({**record(run), "config": 7}), "not subscriptable"),
        (lambda run: config_with(run, colour=1), "unexpected keyword argument 'colour'"),
        (lambda run: config_with(run, batch_size="8"), "batch_size is '8'; it must be a whole"),
        (lambda run: config_with(run, batch_size=8.5), "batch_size is 8.5; it must be a whole"),
        (lambda run: config_with(run, batch_size=10**9), "it must lie from 2 to 4096"),
        (lambda run: config_with(run, use_combiner=1), "use_combiner is 1; it must be true or fal"),
        (lambda run: config_with(run, weight_decay=float("nan")), "weight_decay is nan"),
        (lambda run: config_with(run, phases=[{"name": "x", "epochs": None}]), "epochs is None"),
        (lambda run: config_with(run, phases=3), "not iterable"),
        (lambda run: config_with(run, model="abc"), "can't be read"),
        (lambda run: config_with(run, model={"modalities": [1]}), "not subscriptable"),
        (
            lambda run: config_with(
                run, model={"modalities": [{"name": "a", "kind": "text", "columns": "title"}]}
            ),
            "the columns of modality 'a' are 'title'",
        ),
    ],
)
def test_a_damaged_record_is_refused_with_its_remedy(workspace, run, content, message):
    (run.folder / "run.json").write_text(content(run))
    with pytest.raises(WorkspaceError, match=message) as caught:
        find_run(workspace, "r1")
    assert "run 'r1' can't be read: " in str(caught.value)
    assert f"; delete {run.folder} and train again" in str(caught.value)


def test_bytes_that_are_no_text_are_refused(workspace, run):
    (run.folder / "run.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkspaceError, match="can't be read: .*; delete"):
        find_run(workspace, "r1")


HOLDER = """
import sys
from pathlib import Path
from mmcore.services.run_lock import held
from mmcore.services.runs import find_run
from mmcore.workspace import Workspace

with held(find_run(Workspace(Path(sys.argv[1])), "r1")):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_is_held_by_one_process_until_it_dies(workspace, run):
    command = [sys.executable, "-c", HOLDER, str(workspace.home)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        message = rf"run 'r1' is going on already, in process {process.pid} on .* since 20.*; wait"
        with pytest.raises(WorkspaceError, match=message), held(run):
            pass
        process.kill()  # without a chance to clean up: the lock must die with it
    with held(run):
        assert json.loads((run.folder / "process.json").read_text())["pid"] != process.pid
    assert sorted(p.name for p in run.folder.iterdir()) == ["lock", "run.json"]


def test_a_held_run_is_held_in_the_same_process_too(run):
    with held(run):
        (run.folder / "process.json").write_text("damaged")
        with pytest.raises(WorkspaceError, match="already, in another process; wait"), held(run):
            pass


def test_a_run_that_ended_meanwhile_is_not_gone_on_with(workspace, run):
    found = find_run(workspace, "r1")
    with held(run):
        run.remove()
    with pytest.raises(WorkspaceError, match="was ended by another process meanwhile"), held(found):
        pass
    assert list(workspace.runs.iterdir()) == []


def test_a_run_may_be_let_go_by_another_thread(run):
    # a generator that holds it may be closed by whichever thread drops it
    block = held(run)
    block.__enter__()
    thread = threading.Thread(target=block.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with held(run):
        pass
