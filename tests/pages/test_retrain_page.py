"""The Retrain screen: one button for leads, the state of a job wherever it stands, its end."""

import time

import pytest
from page_texts import texts
from sqlalchemy import select

from mmcore.jobs.local import LocalBackend
from mmcore.store.tables import Job, ModelVersion


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    """No worker is started; what would have been is counted."""
    calls = []
    monkeypatch.setattr(LocalBackend, "wake", lambda self, now: calls.append(now) or False)
    return calls


def add_job(shop, **columns):
    job = {"kind": "retrain", "created_at": time.time(), "annotator_id": 1}
    with shop.store.writing() as session:
        row = Job(**{**job, **columns})
        session.add(row)
        session.flush()
        return row.id


def jobs(shop):
    with shop.store.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def button(app, label):
    return next(b for b in app.button if b.label.startswith(label))


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize(
    ("person", "is_open"), [("vera", False), ("anna", False), ("lena", True), ("adam", True)]
)
def test_only_leads_may_press_the_button(visit, app_shop, person, is_open):
    app = visit("retrain_page", person)
    assert not app.exception
    assert button(app, "Retrain").disabled is not is_open


def test_the_card_counts_what_would_be_learnt(visit, app_shop):
    shown = metrics(visit("retrain_page", "lena"))
    # 24 products, every fifth without a label; splits take turns: train, train, val, test
    assert (shown["Learnt from (train)"], shown["Chosen by (val)"]) == ("10", "5")
    assert (shown["Judged on (test)"], shown["Without a label"]) == ("5", "4")


def test_one_press_makes_one_job_with_the_choices(visit, app_shop, woken):
    app = visit("retrain_page", "lena")
    app.selectbox(key="r.start").select("fresh")
    app.number_input(key="r.epochs2").set_value(1)
    app.run()
    button(app, "Retrain").click().run()
    (job,) = jobs(app_shop)
    assert (job.choices["fresh"], job.choices["epochs2"]) == (True, 1)
    assert app.query_params["job"] == str(job.id)
    assert button(app, "Cancel") and woken, "the live run stands in the place of the card"
    assert not [b for b in app.button if b.label == "Retrain"]


def test_a_run_is_shown_to_whoever_comes_and_can_be_cancelled(visit, app_shop):
    progress = {
        **{"stage": "training", "stage_number": 3, "num_stages": 7, "phase": 1, "num_phases": 1},
        **{"phase_name": "frozen", "epoch": 2, "num_epochs": 4, "step": 5, "num_steps": 10},
        **{"num_train": 10, "num_val": 5, "device": "cpu", "eta_s": 30.0},
    }
    until = time.time() + 60
    job_id = add_job(
        app_shop, state="running", progress=progress, lease_until=until, started_at=time.time()
    )
    assert button(visit("retrain_page", "vera"), "Cancel").disabled
    app = visit("retrain_page", "lena")  # no job in the address: the active one is found
    assert metrics(app)["Labels"] == "15"
    button(app, "Cancel").click().run()
    assert next(j for j in jobs(app_shop) if j.id == job_id).cancel_requested
    assert button(app, "Cancelling").disabled


def test_a_failure_says_why_and_can_be_tried_again(visit, app_shop):
    choices = {"preset": "seed", "fresh": True}
    failed = add_job(app_shop, state="failed", error="no *disk* space", choices=choices)
    app = visit("retrain_page", "lena", job=str(failed))
    assert "no *disk* space" in texts(app), "a message is no Markdown"
    button(app, "Try again").click().run()
    again = jobs(app_shop)[-1]
    assert again.id != failed and again.choices["preset"] == "seed"
    assert app.query_params["job"] == str(again.id)


def test_choices_of_another_version_are_not_tried_again(visit, app_shop):
    failed = add_job(app_shop, state="failed", error="x", choices={"colour": "red"})
    app = visit("retrain_page", "lena", job=str(failed))
    button(app, "Try again").click().run()
    assert not app.exception and len(jobs(app_shop)) == 1


def test_a_job_that_never_was_is_named(visit, app_shop):
    app = visit("retrain_page", "lena", job="99")
    assert "there is no job 99" in texts(app) and not app.exception


def test_the_result_needs_a_reason_where_the_gate_says_no(visit, app_shop):
    verdict = {
        **{"against": "m1", "passed": False, "sentence": "the gate says no: worse", "n": 5},
        "scores": {"candidate": {}},
        "checks": [{"passed": False, "sentence": "worse", "what": "x", "value": 0, "limit": 0}],
    }
    job_id = add_job(app_shop, state="succeeded", result={"model": "m2"})
    with app_shop.store.writing() as session:
        session.add(ModelVersion(name="m2", snapshot="", created_at=1.0, verdict=verdict))
    app = visit("retrain_page", "lena", job=str(job_id))
    assert not app.exception and "The gate says no" in texts(app)
    assert button(app, "Activate").disabled
    app.text_input(key=f"r.{job_id}.reason").set_value("the season begins").run()
    assert not button(app, "Activate").disabled
    assert button(visit("retrain_page", "anna", job=str(job_id)), "Activate").disabled
