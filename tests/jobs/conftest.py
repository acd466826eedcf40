"""A workspace with a database, and a worker on it whose clock the test sets."""

import pytest

from mmcore.jobs.context import Surroundings
from mmcore.jobs.leash import LeaseTimes
from mmcore.jobs.worker import Worker, WorkerOptions
from mmcore.services.opening import open_store
from mmcore.settings import Settings
from mmcore.store import jobs
from mmcore.workspace import Workspace

QUICK = LeaseTimes(lease_s=60, renew_s=10, listen_s=0.01, cancel_patience_s=0.2)


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home")


@pytest.fixture
def settings(workspace):
    return Settings(workspace.home, "cpu", 1, offline=True)


@pytest.fixture
def store(workspace, settings):
    store = open_store(workspace, settings)
    yield store
    store.close()


@pytest.fixture
def make_worker(store, workspace, settings, clock):
    """Return a function that makes a worker around one runner."""

    def make(runner, is_stopping=lambda: False, clock=clock, times=QUICK, **options):
        around = Surroundings(store, workspace, settings, clock)
        return Worker(
            around, {"retrain": runner}, WorkerOptions(times=times, **options), is_stopping
        )

    return make


@pytest.fixture
def job_id(store):
    with store.writing() as session:
        return jobs.submit(session, "retrain", {"seed": 3}, None, 900.0)[0].id
