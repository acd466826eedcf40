"""What tests of workers look at, wait for and raise."""

import time

from mmcore.jobs.logs import log_path, read_tail
from mmcore.jobs.records import record
from mmcore.store import jobs

PATIENCE_S = 20  # for what should take a moment


def read(store, job_id):
    with store.reading() as session:
        return record(jobs.find_job(session, job_id))


def until(fact):
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline, "this should have come true by now"
        time.sleep(0.01)


def log_of(workspace, job_id):
    return read_tail(log_path(workspace, job_id))


def cancel(store, job_id, now=1000.0):
    with store.writing() as session:
        jobs.request_cancel(session, job_id, now)


def raises(error):
    def run(context):
        raise error

    return run
