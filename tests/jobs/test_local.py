"""The local backend: a worker is started where none is alive, once, and outlives its starter."""

import os
import subprocess
import sys
import time

import pytest

from mmcore.errors import NotFoundError, WorkspaceError
from mmcore.jobs.local import START_GRACE_S, LocalBackend, start_worker
from mmcore.jobs.logs import JobLog, log_path, read_from, read_tail
from mmcore.store import jobs, workers


@pytest.fixture
def started():
    return []


@pytest.fixture
def backend(store, workspace, settings, started):
    return LocalBackend(store, workspace, settings, lambda w, s, name: started.append(name))


def test_submitting_starts_a_worker_once(backend, started):
    job, is_new = backend.submit("retrain", {}, None, 100.0)
    assert is_new and len(started) == 1
    again, is_new = backend.submit("retrain", {}, None, 101.0)
    assert (again.id, is_new, len(started)) == (job.id, False, 1)


def test_a_worker_that_never_showed_itself_is_started_again(backend, started):
    backend.submit("retrain", {}, None, 100.0)
    assert not backend.wake(100.0 + START_GRACE_S - 1)
    assert backend.wake(100.0 + START_GRACE_S + 1)
    assert len(set(started)) == 2


def test_nothing_is_started_where_nothing_waits(backend, started):
    assert not backend.wake(100.0) and not started


def test_a_job_whose_worker_died_has_another_one_started(backend, store, started):
    backend.submit("retrain", {}, None, 100.0)
    with store.writing() as session:
        jobs.claim(session, started[0], 110.0, 60.0)
        workers.leave(session, started[0])
    assert not backend.wake(150.0), "its lease still holds"
    assert backend.wake(171.0)


def test_a_worker_that_cannot_be_started_is_said_so_and_tried_again(store, workspace, settings):
    def refuse(workspace, settings, name):
        raise PermissionError(13, "Permission denied")

    backend = LocalBackend(store, workspace, settings, refuse)
    for now in (100.0, 101.0):
        with pytest.raises(WorkspaceError, match="Permission denied; the job waits: start one"):
            backend.submit("retrain", {}, None, now)


def test_status_cancel_and_logs(backend, workspace):
    job, _ = backend.submit("retrain", {}, None, 100.0)
    assert backend.status(job.id) == job
    JobLog(log_path(workspace, job.id), 1, lambda: 0.0).write("hello")
    assert backend.logs(job.id, 1000) == "1970-01-01 00:00:00 [1] hello\n"
    assert backend.cancel(job.id, 101.0).state == "cancelled"
    with pytest.raises(NotFoundError):
        backend.logs(job.id + 1, 1000)


def test_a_long_log_is_cut_at_a_line(tmp_path):
    path = tmp_path / "job.log"
    path.write_text("".join(f"line {i:04d}\n" for i in range(1000)))
    assert read_tail(path, 25) == "line 0998\nline 0999\n"
    assert read_tail(tmp_path / "none.log") == ""


def test_following_a_log_gives_each_whole_line_once(tmp_path):
    path = tmp_path / "job.log"
    assert read_from(path, 0) == ("", 0)
    path.write_text("one\ntw")
    assert read_from(path, 0) == ("one\n", 4)
    path.write_text("one\ntwo é\n")
    assert read_from(path, 4) == ("two é\n", 11)


def test_a_log_on_a_full_disk_does_not_end_the_job(tmp_path):
    JobLog(tmp_path / "no folder" / "job.log", 1, lambda: 0.0).write("lost")


def test_the_worker_is_detached_and_leaves_no_zombie(
    store, workspace, settings, monkeypatch, tmp_path
):
    """A stand-in for the interpreter writes down how it was started."""
    report = tmp_path / "report"
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "print('said on stdout')\n"
        f"open({str(report)!r} + '.new', 'w').write(repr([os.getpid(), os.getsid(0), sys.argv[1:], "
        "sys.stdin.read(), os.environ['MMCORE_OFFLINE']]))\n"
        f"os.rename({str(report)!r} + '.new', {str(report)!r})\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    start_worker(workspace, settings, "w1")
    deadline = time.monotonic() + 20
    while not report.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pid, session_id, arguments, stdin, offline = eval(report.read_text())
    assert (session_id, stdin, offline) == (pid, "", "1")
    assert session_id != os.getsid(0)
    assert arguments[:3] == ["-m", "mmcore", "worker"] and "w1" in arguments
    while is_there(pid):
        assert time.monotonic() < deadline, "a dead child that nobody asked for is a zombie"
        time.sleep(0.01)
    assert "said on stdout" in (workspace.logs / "worker.log").read_text()


def is_there(pid):
    return subprocess.run(["kill", "-0", str(pid)], capture_output=True).returncode == 0
