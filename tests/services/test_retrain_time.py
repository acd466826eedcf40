"""How long a retrain may take: measured where one like it ran here, else a rule that says so."""

import socket

import pytest

from mmcore.services.opening import open_store
from mmcore.services.retrain_choices import RetrainChoices
from mmcore.services.retrain_time import Load, estimate
from mmcore.settings import Settings
from mmcore.store.tables import Job
from mmcore.workspace import Workspace

LOAD = Load(num_learnt=2000, num_products=2500, num_photos=2500)


@pytest.fixture
def store(tmp_path):
    store = open_store(Workspace(tmp_path), Settings(tmp_path, "cpu", 1))
    yield store
    store.close()


def ran(store, seconds, **columns):
    """Put a retrain of 1,000 products into the table, done on this machine at the first try."""
    job = {
        "kind": "retrain",
        "state": "succeeded",
        "choices": RetrainChoices().to_json(),
        "progress": {"num_train": 800, "num_val": 200, "device": "cpu"},
        "attempt": 1,
        "worker": f"{socket.gethostname()}-1",
        "created_at": 0.0,
        "started_at": 10.0,
        "ended_at": 10.0 + seconds,
    }
    with store.writing() as session:
        session.add(Job(**{**job, **columns}))


def test_the_median_of_like_runs_is_scaled_to_the_products(store):
    for seconds in (100, 20, 30):
        ran(store, seconds)
    found = estimate(store, RetrainChoices(), LOAD, on_gpu=False)
    assert found.is_measured and found.seconds == pytest.approx(60.0)
    assert "last 3 retrains" in found.source


@pytest.mark.parametrize(
    "other",
    [
        {"choices": RetrainChoices(epochs2=3).to_json()},
        {"choices": RetrainChoices(fresh=True).to_json()},
        {"choices": {"of": "another version"}},
        {"worker": "elsewhere-1"},
        {"attempt": 2},
        {"state": "cancelled"},
        {"progress": {}},
        {"progress": {"num_train": 800, "num_val": 200, "device": "cuda"}},
    ],
    ids=str,
)
def test_other_runs_tell_nothing(store, other):
    ran(store, 1.0, **other)
    found = estimate(store, RetrainChoices(), LOAD, on_gpu=False)
    assert not found.is_measured and "rule of thumb" in found.source


def test_the_rule_knows_that_unfreezing_is_slow(store):
    def seconds(**choices):
        return estimate(store, RetrainChoices(**choices), LOAD, on_gpu=False).seconds

    plain, tuned = seconds(epochs2=0, fresh=False), seconds(epochs2=2, fresh=False)
    assert seconds(epochs2=0) > plain, "a start from the beginning is weighed on folds"
    assert tuned > plain + 2 * LOAD.num_learnt / 15  # about a second per dozen photos and epoch
