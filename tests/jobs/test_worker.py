"""The worker: how jobs end, what people are told, and when it must let go of one."""

import errno
import threading
import time

import pytest
from sqlalchemy.exc import OperationalError
from worker_jobs import PATIENCE_S, cancel, log_of, raises, read, until

from mmcore.errors import StoreError, TrainingDataError, TrainingInterrupted
from mmcore.jobs.worker import Shift, work
from mmcore.store import jobs, workers

# -- ends --------------------------------------------------------------------------------------


def test_a_job_is_run_with_its_choices_and_its_result_is_kept(
    store, workspace, make_worker, job_id, clock
):
    def run(context):
        assert context.job.choices == {"seed": 3}
        context.report({"step": 1})
        context.log("half way\nthrough")
        return {"model": "m1"}

    worker = make_worker(run)
    assert worker.step(clock.now) is True
    job = read(store, job_id)
    assert (job.state, job.result, job.progress) == ("succeeded", {"model": "m1"}, {"step": 1})
    assert (job.started_at, job.ended_at, job.lease_until) == (1000.0, 1000.0, None)
    lines = log_of(workspace, job_id).splitlines()
    assert all(line.startswith("1970-01-01 00:16:40 [1] ") for line in lines)
    assert [line[24:] for line in lines[1:]] == ["half way", "through", "succeeded"]
    assert worker.step(clock.now) is False


def test_a_users_error_is_kept_word_for_word(store, workspace, make_worker, job_id, clock):
    message = "there are 3 labelled train products, at least 8 are needed; label more"
    make_worker(raises(TrainingDataError(message))).step(clock.now)
    job = read(store, job_id)
    assert (job.state, job.error) == ("failed", message)
    assert "Traceback" not in log_of(workspace, job_id)


def test_a_defect_is_named_and_its_traceback_is_in_the_log_only(
    store, workspace, make_worker, job_id, clock
):
    make_worker(raises(ZeroDivisionError("by zero"))).step(clock.now)
    job = read(store, job_id)
    assert (job.state, job.error) == ("failed", "internal error: ZeroDivisionError: by zero")
    assert "Traceback" in log_of(workspace, job_id)


def full_database():
    import sqlite3

    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorcode = sqlite3.SQLITE_FULL
    return OperationalError("UPDATE", {}, cause)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), full_database()])
def test_a_full_disk_is_said_so_with_the_remedy(
    store, workspace, make_worker, job_id, clock, error
):
    make_worker(raises(error)).step(clock.now)
    job = read(store, job_id)
    assert job.state == "failed"
    assert str(workspace.home) in job.error and "is full; free some space" in job.error


def test_a_job_of_a_kind_from_the_future_fails(store, make_worker, clock):
    with store.writing() as session:
        job_id = jobs.submit(session, "export", {}, None, 0.0)[0].id
    make_worker(raises(AssertionError)).step(clock.now)
    assert "knows no job of kind 'export'" in read(store, job_id).error


def test_a_worker_that_is_asked_to_end_gives_the_job_back(store, make_worker, job_id, clock):
    def run(context):
        assert context.should_stop()
        raise TrainingInterrupted("stopped; its checkpoint is kept")

    make_worker(run, is_stopping=lambda: True).step(clock.now)
    job = read(store, job_id)
    assert (job.state, job.num_lost, job.attempt) == ("queued", 0, 1)
    make_worker(lambda context: {}).step(clock.now)
    assert (read(store, job_id).state, read(store, job_id).attempt) == ("succeeded", 2)


def test_an_interruption_nobody_asked_for_fails_instead_of_going_round(
    store, make_worker, job_id, clock
):
    make_worker(raises(TrainingInterrupted("why?"))).step(clock.now)
    assert (read(store, job_id).state, read(store, job_id).error) == ("failed", "why?")


def test_the_end_is_written_again_when_the_database_was_away(
    store, make_worker, job_id, clock, monkeypatch
):
    finish, failures = jobs.finish, [1, 2]

    def flaky(*arguments):
        if failures:
            raise OperationalError("UPDATE", {}, Exception(f"away {failures.pop()}"))
        return finish(*arguments)

    monkeypatch.setattr(jobs, "finish", flaky)
    monkeypatch.setattr("mmcore.jobs.worker.END_WAIT_S", 0)
    make_worker(lambda context: {}).step(clock.now)
    assert read(store, job_id).state == "succeeded" and not failures


# -- progress ----------------------------------------------------------------------------------


def test_progress_is_written_once_a_second_and_at_each_turn(store, make_worker, job_id, clock):
    seen = []

    def run(context):
        for n in range(30):
            clock.now += 0.1
            context.report({"step": n}, is_due=n == 7)
            seen.append(read(store, job_id).progress["step"])
        return {}

    make_worker(run).step(clock.now)
    assert sorted(set(seen)) == [0, 7, 17, 27]
    assert seen == sorted(seen)


def test_the_log_can_be_read_while_the_job_runs(store, workspace, make_worker, job_id, clock):
    def run(context):
        context.log("epoch 1")
        assert log_of(workspace, job_id).splitlines()[-1].endswith("epoch 1")
        return {}

    make_worker(run).step(clock.now)
    assert read(store, job_id).state == "succeeded"


# -- cancel ------------------------------------------------------------------------------------


def test_a_cancel_is_heard_between_two_steps(store, make_worker, job_id, clock):
    def run(context):
        cancel(store, job_id)
        until(context.should_stop)
        raise AssertionError("should_stop raises")

    make_worker(run).step(clock.now)
    assert read(store, job_id).state == "cancelled"


def test_a_cancel_is_heard_by_the_next_progress(store, make_worker, job_id, clock):
    def run(context):
        cancel(store, job_id)
        context.report({"step": 1}, is_due=True)
        raise AssertionError("report raises")

    make_worker(run).step(clock.now)
    assert read(store, job_id).state == "cancelled"


def test_a_step_that_takes_too_long_does_not_keep_a_cancel_waiting(
    store, workspace, make_worker, job_id
):
    """The table says cancelled while the step still goes on; its end changes nothing."""
    stuck, go_on = threading.Event(), threading.Event()

    def run(context):
        stuck.set()
        go_on.wait(PATIENCE_S)
        return {"model": "too late"}

    worker = make_worker(run, clock=time.time)
    thread = threading.Thread(target=worker.step, args=(time.time(),))
    thread.start()
    stuck.wait(PATIENCE_S)
    cancel(store, job_id, time.time())
    until(lambda: read(store, job_id).state == "cancelled")
    go_on.set()
    thread.join(PATIENCE_S)
    job = read(store, job_id)
    assert (job.state, job.result) == ("cancelled", {})
    assert "ended before" in log_of(workspace, job_id)


# -- a shift -----------------------------------------------------------------------------------


def test_a_worker_without_work_leaves_when_its_time_is_up(store, make_worker, clock, monkeypatch):
    def sleep(seconds):
        clock.now += seconds

    monkeypatch.setattr("mmcore.jobs.worker.time.sleep", sleep)
    worker = make_worker(lambda context: {})
    start = clock.now
    assert work(worker, Shift(idle_exit_s=30), clock, lambda: False, print) == 0
    assert clock.now - start == 30
    with store.reading() as session:
        assert workers.live_workers(session, clock.now) == 0


def test_once_runs_the_job_that_waits_and_no_more(store, make_worker, job_id, clock):
    worker = make_worker(lambda context: {})
    assert work(worker, Shift(once=True), clock, lambda: False, print) == 1
    assert work(worker, Shift(once=True), clock, lambda: False, print) == 0


def test_a_shift_outlives_a_database_that_is_away(make_worker, clock, monkeypatch):
    monkeypatch.setattr("mmcore.jobs.worker.time.sleep", lambda seconds: None)
    worker, complaints = make_worker(lambda context: {}), []

    def away(now):
        raise StoreError("connection refused")

    monkeypatch.setattr(worker, "step", away)
    work(worker, Shift(), clock, lambda: len(complaints) == 3, complaints.append)
    assert "the database can't be used just now: " in complaints[0]
    assert "connection refused" in complaints[0]
