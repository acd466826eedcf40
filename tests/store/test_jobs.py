"""The job table: one active retrain, one worker a job, a fence that a late worker can't pass."""

import multiprocessing
import threading

import pytest

from mmcore.errors import JobLostError, NotFoundError
from mmcore.jobs.records import record
from mmcore.store import jobs, workers
from mmcore.store.engine import Store
from mmcore.store.jobs import Claim, Signal
from mmcore.store.tables import WorkerLease

LEASE_S = 60.0
CLICKERS, CLICKS = 6, 5  # processes, threads in each
# a server that has loaded the store once, so that thirty processes start in a moment
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "mmcore.store.jobs"])


def submit(store, now=0.0, kind="retrain"):
    with store.writing() as session:
        job, is_new = jobs.submit(session, kind, {"preset": "strong"}, None, now)
        return job.id, is_new


def claim(store, now, worker="w", max_attempts=jobs.MAX_ATTEMPTS):
    with store.writing() as session:
        job = jobs.claim(session, worker, now, LEASE_S, max_attempts)
        return job and Claim(job.id, job.attempt)


def call(store, verb, *arguments):
    with store.writing() as session:
        return verb(session, *arguments)


def read(store, job_id):
    with store.reading() as session:
        return jobs.find_job(session, job_id)


# -- submitting --------------------------------------------------------------------------------


def test_a_second_click_returns_the_active_job_and_a_click_after_its_end_makes_one(store):
    first, is_new = submit(store)
    assert is_new and submit(store) == (first, False)
    held = claim(store, 1)
    assert submit(store) == (first, False), "a running one is active, too"
    call(store, jobs.finish, held, {}, 2.0)
    second, is_new = submit(store)
    assert is_new and second != first


def click(url, barrier, found):
    store, together = Store(url), threading.Barrier(CLICKS)

    def press():
        together.wait(60)
        found.put(submit(store))

    barrier.wait(60)
    threads = [threading.Thread(target=press) for _ in range(CLICKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    store.close()


def test_thirty_clicks_at_once_make_one_job(store):
    barrier, found = PROCESSES.Barrier(CLICKERS), PROCESSES.Queue()
    clickers = [
        PROCESSES.Process(target=click, args=(store.url, barrier, found)) for _ in range(CLICKERS)
    ]
    for process in clickers:
        process.start()
    answers = [found.get(timeout=60) for _ in range(CLICKERS * CLICKS)]
    for process in clickers:
        process.join(60)
    assert len({job_id for job_id, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    with store.reading() as session:
        assert len(jobs.list_jobs(session, 100)) == 1


# -- jobs that look at what is there ---------------------------------------------------------------


def submit_again(store, now=0.0):
    with store.writing() as session:
        job, is_new = jobs.submit_again(session, "predict", None, now)
        return job.id, is_new


def test_one_job_at_a_time_predicts_and_a_running_one_looks_once_more(store):
    first, is_new = submit_again(store)
    assert is_new and submit_again(store) == (first, False)
    held = claim(store, 1)
    assert read(store, first).choices == {}, "asked for while it waited: it hadn't looked yet"
    assert submit_again(store) == (first, False)
    assert call(store, jobs.finish, held, {"num_predicted": 3}, 2.0)
    row = read(store, first)
    assert (row.state, row.choices, row.ended_at) == ("queued", {}, None)
    again = claim(store, 3)
    assert again == Claim(first, 2) and read(store, first).num_lost == 0
    call(store, jobs.finish, again, {}, 4.0)
    assert read(store, first).state == "succeeded"
    assert submit_again(store)[1]


def test_a_job_that_was_asked_for_again_and_cancelled_ends(store):
    job_id, _ = submit_again(store)
    held = claim(store, 1)
    submit_again(store)
    call(store, jobs.request_cancel, job_id, 2.0)
    assert call(store, jobs.cancelled, held, 3.0)
    assert read(store, job_id).state == "cancelled" and claim(store, 4) is None


def test_many_imports_that_end_at_once_make_one_job(store):
    together, found = threading.Barrier(CLICKS * 2), []

    def press():
        together.wait(60)
        found.append(submit_again(store))

    threads = [threading.Thread(target=press) for _ in range(CLICKS * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == CLICKS * 2 and len({job_id for job_id, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1


def test_an_error_that_is_no_race_reaches_the_caller(store):
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.writing() as session:
        jobs.submit(session, "retrain", {}, 999, 0.0)  # there is no such annotator


# -- claiming ----------------------------------------------------------------------------------


def test_the_oldest_job_is_claimed_and_by_one_worker_only(store):
    first, _ = submit(store, kind="a")
    second, _ = submit(store, kind="b")
    assert claim(store, 1) == Claim(first, 1)
    assert claim(store, 1) == Claim(second, 1)
    assert claim(store, 1) is None
    row = read(store, first)
    assert (row.state, row.worker, row.lease_until, row.started_at) == ("running", "w", 61, 1)


def claim_all(url, barrier, found):
    store = Store(url)
    barrier.wait(60)
    mine = []
    while (held := claim(store, 1.0)) is not None:
        mine.append(held.job_id)
    found.put(mine)
    store.close()


def test_workers_in_a_race_claim_each_job_once(store):
    wanted = {submit(store, kind=f"k{i}")[0] for i in range(24)}
    barrier, found = PROCESSES.Barrier(6), PROCESSES.Queue()
    racers = [
        PROCESSES.Process(target=claim_all, args=(store.url, barrier, found)) for _ in range(6)
    ]
    for racer in racers:
        racer.start()
    claimed = [job_id for _ in racers for job_id in found.get(timeout=60)]
    for racer in racers:
        racer.join(60)
    assert sorted(claimed) == sorted(wanted)


def test_an_expired_lease_is_another_attempt_and_a_live_one_is_not(store):
    job_id, _ = submit(store)
    claim(store, 0.0)
    assert claim(store, LEASE_S) is None
    assert claim(store, LEASE_S + 1, "other") == Claim(job_id, 2)
    row = read(store, job_id)
    assert (row.worker, row.num_lost, row.started_at) == ("other", 1, 0.0)


def test_the_last_of_the_allowed_attempts_ends_as_failed_with_a_message(store):
    job_id, _ = submit(store)
    for attempt in (1, 2, 3):
        assert claim(store, attempt * 100.0) == Claim(job_id, attempt)
    assert claim(store, 400.0) is None
    row = read(store, job_id)
    assert (row.state, row.num_lost, row.ended_at) == ("failed", 3, 400.0)
    assert "died or stalled 3 times (limit 3)" in row.error and "submit it again" in row.error
    assert submit(store)[1], "a failed job is in nobody's way"


def test_renewing_keeps_the_job(store):
    submit(store)
    held = claim(store, 0.0)
    for now in (50.0, 100.0, 150.0):
        assert call(store, jobs.renew, held, now, LEASE_S) is Signal.GO_ON
    assert claim(store, 200.0) is None


def test_a_job_given_back_waits_again_and_does_not_count_as_lost(store):
    job_id, _ = submit(store)
    for attempt in range(1, 6):
        held = claim(store, 0.0)
        assert held == Claim(job_id, attempt)
        assert call(store, jobs.give_back, held, 1.0)
    assert (read(store, job_id).state, read(store, job_id).num_lost) == ("queued", 0)


# -- the fence ---------------------------------------------------------------------------------

LATE_WRITES = {
    "progress": lambda s, held: jobs.write_progress(s, held, {"step": 99}),
    "result": lambda s, held: jobs.write_result(s, held, {"model": "late"}),
    "finish": lambda s, held: jobs.finish(s, held, {"model": "late"}, 500.0),
    "fail": lambda s, held: jobs.fail(s, held, "late", 500.0),
    "cancelled": lambda s, held: jobs.cancelled(s, held, 500.0),
    "give back": lambda s, held: jobs.give_back(s, held, 500.0),
    "renew": lambda s, held: jobs.renew(s, held, 500.0, LEASE_S) is not Signal.LOST,
}


@pytest.mark.parametrize("end", ["taken over", "given back", "failed", "cancelled"])
def test_a_worker_that_lost_its_job_writes_nothing(store, end):
    job_id, _ = submit(store)
    held = claim(store, 0.0)
    if end == "taken over":
        claim(store, 100.0, "other")
    elif end == "given back":
        call(store, jobs.give_back, held, 1.0)
    elif end == "failed":
        call(store, jobs.fail, held, "first", 1.0)
    else:
        call(store, jobs.request_cancel, job_id, 100.0)
    before = record(read(store, job_id))
    for name, late_write in LATE_WRITES.items():
        assert call(store, late_write, held) is False, name
        assert record(read(store, job_id)) == before, name


def test_require_held_lets_in_the_holder_alone(store):
    submit(store)
    held = claim(store, 0.0)
    call(store, jobs.require_held, held)
    claim(store, 100.0)
    with pytest.raises(JobLostError, match="is no longer attempt 1's"):
        call(store, jobs.require_held, held)


# -- cancelling --------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_at_once(store):
    job_id, _ = submit(store)
    assert call(store, jobs.request_cancel, job_id, 5.0).state == "cancelled"
    assert read(store, job_id).ended_at == 5.0
    assert claim(store, 6.0) is None


def test_a_running_job_is_asked_and_its_worker_hears_it_from_every_write(store):
    job_id, _ = submit(store)
    held = claim(store, 0.0)
    assert call(store, jobs.write_progress, held, {"step": 1}) is True
    assert call(store, jobs.request_cancel, job_id, 5.0).state == "running"
    assert call(store, jobs.write_progress, held, {"step": 2}) is False
    assert call(store, jobs.renew, held, 6.0, LEASE_S) is Signal.CANCEL
    assert call(store, jobs.cancelled, held, 7.0) is True
    assert read(store, job_id).state == "cancelled"


def test_a_cancelled_job_of_a_dead_worker_is_not_tried_again(store):
    job_id, _ = submit(store)
    claim(store, 0.0)
    call(store, jobs.request_cancel, job_id, 5.0)
    assert claim(store, 100.0) is None
    assert read(store, job_id).state == "cancelled"


def test_a_cancelled_job_that_is_given_back_ends(store):
    job_id, _ = submit(store)
    held = claim(store, 0.0)
    call(store, jobs.request_cancel, job_id, 5.0)
    call(store, jobs.give_back, held, 6.0)
    assert read(store, job_id).state == "cancelled"


def test_cancelling_what_has_ended_changes_nothing(store):
    job_id, _ = submit(store)
    call(store, jobs.finish, claim(store, 0.0), {"model": "m"}, 1.0)
    found = call(store, jobs.request_cancel, job_id, 5.0)
    assert (found.state, found.ended_at, found.cancel_requested) == ("succeeded", 1.0, False)


def test_a_job_that_does_not_exist(store):
    with pytest.raises(NotFoundError, match="no job 7; there is none yet"):
        call(store, jobs.request_cancel, 7, 0.0)
    submit(store)
    with pytest.raises(NotFoundError, match="no job 7; the newest is 1"):
        read(store, 7)


def test_the_list_is_newest_first_and_pages(store):
    made = [submit(store, kind=f"k{i}")[0] for i in range(5)]
    claim(store, 0.0)
    call(store, jobs.finish, Claim(made[0], 1), {}, 1.0)
    with store.reading() as session:
        assert [j.id for j in jobs.list_jobs(session, 2)] == made[:-3:-1]
        assert [j.id for j in jobs.list_jobs(session, 9, before_id=made[2])] == [made[1], made[0]]
        assert made[0] not in [j.id for j in jobs.list_jobs(session, 9, is_active=True)]


# -- who is alive ------------------------------------------------------------------------------


def worker_row(name, expires_at):
    return WorkerLease(name=name, host="h", pid=1, started_at=0.0, expires_at=expires_at)


def test_one_worker_is_reserved_and_another_when_it_was_never_heard_of(store):
    assert call(store, workers.reserve, worker_row("a", 60.0), 0.0)
    assert not call(store, workers.reserve, worker_row("b", 60.0), 1.0)
    assert call(store, workers.reserve, worker_row("c", 200.0), 61.0)


def test_showing_up_renews(store):
    call(store, workers.show_up, worker_row("a", 60.0))
    call(store, workers.show_up, worker_row("a", 90.0))
    with store.reading() as session:
        assert workers.live_workers(session, 80.0) == 1
        assert workers.live_workers(session, 95.0) == 0


def test_an_idle_worker_stays_while_a_job_waits(store):
    call(store, workers.show_up, worker_row("a", 60.0))
    submit(store)
    assert not call(store, workers.leave_if_idle, "a")
    claim(store, 0.0)
    assert call(store, workers.leave_if_idle, "a")
    with store.reading() as session:
        assert workers.live_workers(session, 1.0) == 0


def reserve_at(url, barrier, found, number):
    store = Store(url)
    barrier.wait(60)
    found.put(call(store, workers.reserve, worker_row(f"w{number}", 60.0), 0.0))
    store.close()


def test_many_who_find_no_worker_start_one(store):
    barrier, found = PROCESSES.Barrier(8), PROCESSES.Queue()
    starters = [
        PROCESSES.Process(target=reserve_at, args=(store.url, barrier, found, i)) for i in range(8)
    ]
    for process in starters:
        process.start()
    assert sum(found.get(timeout=60) for _ in starters) == 1
    for process in starters:
        process.join(60)
