"""The commands around jobs: submit, work, look, cancel; and a worker that ends when it is told."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import tiny_shop

from mmcore.cli.app import main
from mmcore.services.opening import open_store
from mmcore.settings import Settings
from mmcore.store import workers
from mmcore.workspace import Workspace

PATIENCE_S = 60
QUICK = ("--weights", "random", "--epochs1", "1", "--epochs2", "0", "--seed", "5")


@pytest.fixture
def home(tmp_path, monkeypatch):
    import mmcore.artifact
    import mmcore.services.images  # noqa: F401

    monkeypatch.setenv("MMCORE_OFFLINE", "1")
    monkeypatch.setattr("mmcore.jobs.local.start_worker", lambda *arguments: None)
    monkeypatch.setattr("mmcore.services.retraining.usual_parts", lambda: tiny_shop.PARTS)
    monkeypatch.setattr("mmcore.cli.job_commands.WATCH_EVERY_S", 0.01)
    tiny_shop.shrink(monkeypatch.setattr)
    home = tmp_path / "home"
    with opened(home) as store:
        tiny_shop.fill(Workspace(home), store)
    return home


@contextmanager
def opened(home):
    store = open_store(Workspace(home), Settings(home, "cpu", 1))
    yield store
    store.close()


def run(capsys, *arguments, home):
    code = main([*arguments, "--home", str(home)])
    return code, capsys.readouterr()


def as_json(capsys, *arguments, home):
    code, said = run(capsys, *arguments, "--json", home=home)
    assert code == 0, said.err
    return json.loads(said.out)


def test_a_retrain_from_click_to_log(home, capsys):
    first = as_json(capsys, "retrain", *QUICK, home=home)
    assert (first["state"], first["who"], first["choices"]["epochs1"]) == ("queued", "local", 1)
    code, said = run(capsys, "retrain", *QUICK, home=home)
    assert code == 0 and f"job {first['id']} is active already" in said.err

    code, said = run(capsys, "worker", "--once", home=home)
    assert code == 0 and "ends after 1 jobs" in said.err

    view = as_json(capsys, "jobs", "show", str(first["id"]), home=home)
    assert (view["state"], view["error"], view["num_labels"]) == ("succeeded", "", 54)
    assert (home / "models" / view["model"]).is_dir()
    listed = as_json(capsys, "jobs", "list", home=home)["jobs"]
    assert [row["id"] for row in listed] == [first["id"]]
    code, said = run(capsys, "jobs", "logs", str(first["id"]), "--follow", home=home)
    assert code == 0 and "phase 1 (frozen) epoch 1/1" in said.out
    assert said.out.splitlines()[-1].endswith("succeeded")


def test_the_tables_name_state_model_and_person(home, capsys):
    job = as_json(capsys, "retrain", *QUICK, home=home)
    for arguments in (("jobs", "list"), ("jobs", "show", str(job["id"]))):
        code, said = run(capsys, *arguments, home=home)
        assert code == 0 and "queued" in said.out and "local" in said.out


def test_a_queued_job_is_cancelled(home, capsys):
    job = as_json(capsys, "retrain", *QUICK, home=home)
    view = as_json(capsys, "jobs", "cancel", str(job["id"]), home=home)
    assert view["state"] == "cancelled"
    assert run(capsys, "worker", "--once", home=home)[1].err.endswith("ends after 0 jobs\n")


def test_waiting_ends_with_the_jobs_own_message(home, capsys, monkeypatch):
    """The stand-in for a worker process runs the job at once, and fails."""
    with opened(home) as store:
        tiny_shop.relabel(store)
    monkeypatch.setattr(
        "mmcore.jobs.local.start_worker",
        lambda workspace, settings, name: main(["worker", "--once", "--home", str(home)]),
    )
    code, said = run(capsys, "retrain", *QUICK, "--wait", home=home)
    assert code == 1
    assert "error: job 1 failed: the train products have 1 class (10)" in said.err


def test_waiting_for_a_good_end(home, capsys, monkeypatch):
    monkeypatch.setattr(
        "mmcore.jobs.local.start_worker",
        lambda workspace, settings, name: main(["worker", "--once", "--home", str(home)]),
    )
    view = as_json(capsys, "retrain", *QUICK, "--wait", home=home)
    assert view["state"] == "succeeded" and view["model_version_id"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("retrain", "--preset", "weak"), "weak"),
        (("retrain", "--epochs1", "0", "--epochs2", "0"), "no phase has an epoch"),
        (("jobs", "show", "9"), "there is no job 9; there is none yet"),
        (("jobs", "logs", "9"), "there is no job 9"),
        (("jobs", "cancel", "9"), "there is no job 9"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(home, capsys, arguments, message):
    code, said = run(capsys, *arguments, home=home)
    assert code == 1 and message in said.err and "Traceback" not in said.err


def test_a_worker_that_is_told_to_end_leaves_with_0(tmp_path):
    home = tmp_path / "home"
    store = open_store(Workspace(home), Settings(home, "cpu", 1))
    process = subprocess.Popen(
        [sys.executable, "-m", "mmcore", "worker", "--home", str(home), "--name", "w1"],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not alive(store):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0 and "worker w1 ends after 0 jobs" in said
    assert not alive(store)
    store.close()


def alive(store):
    with store.reading() as session:
        return workers.live_workers(session, time.time())


def test_the_detached_worker_makes_a_candidate_and_leaves(tmp_path, monkeypatch, capsys):
    """The whole way through real processes, registry and comparison."""
    home = tmp_path / "home"
    monkeypatch.setattr("mmcore.jobs.local.IDLE_EXIT_MIN", 0)
    with opened(home) as store:
        tiny_shop.fill(Workspace(home), store)
        arguments = ("retrain", "--modalities", "text", "--epochs1", "2", "--wait")
        view = as_json(capsys, *arguments, home=home)
        assert (view["state"], view["stage"], view["attempt"]) == (
            "succeeded",
            "checking labels",
            1,
        )
        assert tiny_shop.versions(store) == [(view["model"], "candidate")]
        deadline = time.monotonic() + PATIENCE_S
        while alive(store):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert "ends after 1 jobs" in (home / "logs" / "worker.log").read_text()
