"""Predictions as a job: submitted where something is due, run by the worker, stopped at once."""

import threading
import time

import pytest
from sqlalchemy import func, select
from tiny_models import save_model, tiny_parts

from mmcore.errors import RefusedError
from mmcore.jobs.context import Surroundings
from mmcore.jobs.leash import LeaseTimes
from mmcore.jobs.logs import log_path
from mmcore.jobs.worker import Worker, WorkerOptions
from mmcore.services import catching_up, registry
from mmcore.services import predictions as prediction_service
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.catching_up import PREDICT, follow_up, run_predict, submit_predictions
from mmcore.services.class_merge import merge_classes
from mmcore.services.jobs import cancel_job, view_job
from mmcore.services.people import ensure_actor
from mmcore.settings import Settings
from mmcore.store.tables import ModelVersion, Prediction, QueueEntry
from mmcore.workspace import Workspace

NOW = 1_000.0
PATIENCE_S = 5.0  # from a cancel to the end of the job
TIMES = LeaseTimes(lease_s=60, renew_s=10, listen_s=0.05, cancel_patience_s=60)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def settings(workspace, store):
    return Settings(workspace.home, "cpu", 1, offline=True, database_url=store.url)


@pytest.fixture
def lead(store):
    return ensure_actor(store, "léa", "lead", 0.0)


@pytest.fixture
def shop(store, workspace, lead, tmp_path):
    """Return a function that imports products of three classes, numbered from and to."""

    def load(start, stop, num_words=0):
        lines = ["id,title,price,label"]
        for i in range(start, stop):
            more = " ".join(f"mot{i * k % 9973}" for k in range(1, num_words + 1))
            lines.append(f"p{i},titre {i % 9} objet{i} {more},{i},{(10, 20, 30)[i % 3]}")
        path = tmp_path / "shop.csv"
        path.write_text("\n".join(lines))
        return import_csv(store, lead, workspace, CsvImport(path), NOW)

    load(0, 12)
    return load


@pytest.fixture
def versions(shop, store, workspace):
    return [save_model(store, workspace, tiny_parts(seed), f"m{seed}") for seed in (1, 2)]


@pytest.fixture
def production(versions, store):
    with store.writing() as session:
        session.get(ModelVersion, versions[0]).stage = "production"
    return versions[0]


@pytest.fixture
def run(store, workspace, settings):
    """Return a function that lets a worker look at the table once."""

    def step(is_stopping=lambda: False):
        around = Surroundings(store, workspace, settings, time.time)
        options = WorkerOptions(times=TIMES)
        return Worker(around, {PREDICT: run_predict}, options, is_stopping).step(time.time())

    return step


def job(store, workspace, job_id):
    return view_job(store, workspace, job_id, NOW)


def num_predicted(store, version_id):
    with store.reading() as session:
        count = select(func.count()).where(Prediction.model_version_id == version_id)
        return session.scalar(count)


def num_scored(store):
    with store.reading() as session:
        return session.scalar(select(func.count()).where(QueueEntry.entropy >= 0))


# -- submitting ----------------------------------------------------------------------------------


def test_without_a_model_in_production_nothing_is_submitted(store, lead, versions):
    assert follow_up(store, lead, NOW) is None


def test_a_second_submission_returns_the_same_job(store, lead, production):
    first = submit_predictions(store, lead, NOW)
    assert first.is_new
    again = submit_predictions(store, lead, NOW)
    assert (again.job_id, again.is_new) == (first.job_id, False)


def test_below_lead_nobody_submits(store, production):
    anna = ensure_actor(store, "anna", "annotator", 0.0)
    for submit in (submit_predictions, follow_up):
        with pytest.raises(RefusedError, match="anna is annotator, this needs lead"):
            submit(store, anna, NOW)


def test_the_backend_is_woken(store, lead, production):
    woken = []

    class Backend:
        def wake(self, now):
            woken.append(now)
            return True

    follow_up(store, lead, NOW, Backend())
    assert woken == [NOW]


# -- what brings it about ------------------------------------------------------------------------


def test_an_import_is_followed_by_predictions_and_the_queue(
    store, workspace, lead, shop, production, run
):
    assert run() is False, "nobody has submitted a job"
    follow_up(store, lead, NOW)
    assert run() and not run()
    assert follow_up(store, lead, NOW) is None, "everything is predicted and checked"
    shop(12, 20)
    assert num_scored(store) == 12
    found = follow_up(store, lead, NOW)
    assert (found.is_new, found.num_products) == (True, 8)
    assert "8 products are being made for the queue" in found.sentence
    assert run()
    view = job(store, workspace, found.job_id)
    assert (view.state, view.model, view.stage) == ("succeeded", "m1", "checking labels")
    assert "m1 predicted 8 products" in view.log
    assert num_predicted(store, production) == 20 == num_scored(store)


def test_a_switch_to_a_model_that_lacks_products_is_followed_by_them(
    store, workspace, lead, production, versions, run
):
    follow_up(store, lead, NOW)
    run()
    registry.activate(store, lead, workspace, "m2", NOW)
    assert num_scored(store) == 0
    assert follow_up(store, lead, NOW).num_products == 12
    run()
    assert num_predicted(store, versions[1]) == 12 == num_scored(store)


def test_a_merge_is_followed_by_a_check_of_the_labels(store, lead, production, run):
    follow_up(store, lead, NOW)
    run()
    merge_classes(store, lead, "30", "10", "t1", NOW)
    found = follow_up(store, lead, NOW)
    assert (found.num_products, found.checks_labels) == (0, True)
    assert "labels that changed are being checked" in found.sentence
    run()
    assert follow_up(store, lead, NOW) is None
    with store.reading() as session:
        assert session.scalar(select(func.min(QueueEntry.suspicion))) >= 0, "all are checked"


def test_what_comes_in_while_the_job_runs_is_not_missed(
    store, workspace, lead, shop, production, run, monkeypatch
):
    """The job has looked at the catalogue already, and is active: no second one is made."""
    first = follow_up(store, lead, NOW)
    refresh, asked = prediction_service.bring_up_to_date, []

    def and_then_an_import(*arguments):
        report = refresh(*arguments)
        if not asked:
            shop(12, 20)
            asked.append(follow_up(store, lead, NOW))
        return report

    monkeypatch.setattr(catching_up, "bring_up_to_date", and_then_an_import)
    assert run()
    assert (asked[0].job_id, asked[0].is_new) == (first.job_id, False)
    assert job(store, workspace, first.job_id).state == "queued"
    assert run() and not run()
    assert job(store, workspace, first.job_id).state == "succeeded"
    assert num_predicted(store, production) == 20 == num_scored(store)


# -- stopping ------------------------------------------------------------------------------------


def test_a_worker_that_is_told_to_end_gives_the_job_back(store, workspace, lead, production, run):
    found = follow_up(store, lead, NOW)
    asked = iter([False, True])
    run(lambda: next(asked, True))
    assert job(store, workspace, found.job_id).state == "queued"
    assert run()
    assert job(store, workspace, found.job_id).state == "succeeded"
    assert num_predicted(store, production) == 12


def test_production_that_is_damaged_fails_the_job_with_the_reason(
    store, workspace, lead, production, run
):
    import shutil

    found = follow_up(store, lead, NOW)
    shutil.rmtree(workspace.models / "m1")
    run()
    view = job(store, workspace, found.job_id)
    assert view.state == "failed" and "m1" in view.error


def test_a_cancel_while_labels_are_checked_ends_the_job_within_seconds(
    store, workspace, lead, shop, production, run
):
    """On a catalogue whose check takes longer than that; production's answers stay."""
    shop(12, 9_000, num_words=50)
    found = follow_up(store, lead, NOW)
    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 120
    while "checking labels" not in job(store, workspace, found.job_id).stage:
        assert time.monotonic() < deadline and thread.is_alive()
        time.sleep(0.05)
    time.sleep(1.0)  # well inside
    view = job(store, workspace, found.job_id)
    assert view.state == "running" and view.done < view.total / 2
    cancel_job(store, lead, found.job_id, NOW)
    cancelled_at = time.monotonic()
    thread.join(60)
    assert time.monotonic() - cancelled_at < PATIENCE_S
    assert job(store, workspace, found.job_id).state == "cancelled"
    assert "cancelled" in log_path(workspace, found.job_id).read_text()
    assert num_predicted(store, production) == 9_000
