"""A worker's lease: renewed while it works, lost while it sleeps or the database is away."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy.exc import OperationalError
from worker_jobs import PATIENCE_S, log_of, read, until

from mmcore.store import jobs, workers

# -- leases ------------------------------------------------------------------------------------


def test_the_lease_is_renewed_while_the_job_runs(store, make_worker, job_id, clock):
    def run(context):
        for _ in range(5):
            clock.now += 50
            until(lambda: read(store, job_id).lease_until == clock.now + 60)
        with store.reading() as session:
            assert workers.live_workers(session, clock.now) == 1
        return {}

    make_worker(run).step(clock.now)
    assert read(store, job_id).state == "succeeded"


def test_a_worker_that_slept_and_lost_its_job_writes_nothing(
    store, workspace, make_worker, job_id, clock, monkeypatch
):
    # the listening thread sleeps, too
    monkeypatch.setattr("mmcore.jobs.leash.Leash._listen", lambda self: None)

    def run(context):
        clock.now += 100
        with store.writing() as session:
            assert jobs.claim(session, "other", clock.now, 60.0).attempt == 2
        context.should_stop()
        raise AssertionError("should_stop raises")

    make_worker(run).step(clock.now)
    job = read(store, job_id)
    assert (job.state, job.attempt, job.worker, job.progress) == ("running", 2, "other", {})
    assert "no longer attempt 1's" in log_of(workspace, job_id)


def test_a_worker_that_slept_and_kept_its_job_goes_on(
    store, make_worker, job_id, clock, monkeypatch
):
    monkeypatch.setattr("mmcore.jobs.leash.Leash._listen", lambda self: None)

    def run(context):
        clock.now += 100
        assert context.should_stop() is False
        return {}

    make_worker(run).step(clock.now)
    assert (read(store, job_id).state, read(store, job_id).num_lost) == ("succeeded", 0)


def test_a_database_that_is_away_ends_neither_the_job_nor_its_heartbeat(
    store, make_worker, job_id, clock, monkeypatch
):
    renew, write, failures = jobs.renew, jobs.write_progress, []

    def away(*arguments):
        failures.append(1)
        raise OperationalError("UPDATE", {}, Exception("connection refused"))

    def run(context):
        monkeypatch.setattr(jobs, "renew", away)
        monkeypatch.setattr(jobs, "write_progress", away)
        clock.now += 20
        context.report({"step": 1}, is_due=True)
        until(lambda: len(failures) > 3)
        monkeypatch.setattr(jobs, "renew", renew)
        monkeypatch.setattr(jobs, "write_progress", write)
        until(lambda: read(store, job_id).lease_until == clock.now + 60)
        return {}

    make_worker(run).step(clock.now)
    assert read(store, job_id).state == "succeeded"


def test_a_lease_that_passed_while_the_database_was_away_is_given_up(
    store, workspace, make_worker, job_id, clock, monkeypatch
):
    def away(*arguments):
        raise OperationalError("UPDATE", {}, Exception("connection refused"))

    def run(context):
        monkeypatch.setattr(jobs, "renew", away)
        clock.now += 100
        context.should_stop()
        raise AssertionError("should_stop raises")

    make_worker(run).step(clock.now)
    assert read(store, job_id).state == "running", "another attempt takes it"
    assert "doesn't say whose the job is now" in log_of(workspace, job_id)


STALLING = """
import sys, time
from pathlib import Path
from mmcore.jobs.context import Surroundings
from mmcore.jobs.leash import LeaseTimes
from mmcore.jobs.worker import Worker, WorkerOptions
from mmcore.services.opening import open_store
from mmcore.settings import Settings
from mmcore.workspace import Workspace

workspace = Workspace(Path(sys.argv[1]))
settings = Settings(workspace.home, "cpu", 1)

def run(context):
    n = 0
    while not context.should_stop():
        n += 1
        context.report({"step": n}, is_due=True)
        time.sleep(0.01)

around = Surroundings(open_store(workspace, settings), workspace, settings, time.time)
times = LeaseTimes(lease_s=1.0, renew_s=0.2, listen_s=0.05)
Worker(around, {"retrain": run}, WorkerOptions(times=times)).step(time.time())
"""


def test_a_process_that_is_stopped_past_its_lease_and_wakes_up_writes_nothing(
    store, workspace, job_id
):
    process = subprocess.Popen(
        [sys.executable, "-c", STALLING, str(workspace.home)], cwd=Path(__file__).parents[2]
    )
    try:
        until(lambda: read(store, job_id).progress.get("step", 0) > 3)
        os.kill(process.pid, signal.SIGSTOP)
        until(lambda: read(store, job_id).is_silent(time.time()))
        with store.writing() as session:
            held = jobs.claim(session, "other", time.time(), 60.0)
            held = jobs.Claim(held.id, held.attempt)
            jobs.write_progress(session, held, {"step": "of the other"})
        before = read(store, job_id)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert held.attempt == 2 and read(store, job_id) == before
    assert "no longer attempt 1's" in log_of(workspace, job_id)
