"""Jobs as people see them: who may press the button, what is shown, what would be learnt."""

import pytest

from mmcore.errors import ConfigError, NotFoundError, RefusedError
from mmcore.jobs.logs import JobLog, log_path
from mmcore.services import jobs as service
from mmcore.services.opening import open_store
from mmcore.services.people import ensure_actor
from mmcore.services.retrain_choices import RetrainChoices, choices_from_json
from mmcore.settings import Settings
from mmcore.store import jobs
from mmcore.store.tables import Act, Annotation, ModelVersion, Product, ProductClass
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home")


@pytest.fixture
def store(workspace):
    store = open_store(workspace, Settings(workspace.home, "cpu", 1))
    yield store
    store.close()


@pytest.fixture
def lead(store):
    return ensure_actor(store, "léa", "lead", 0.0)


def submit(store, actor, now=100.0):
    return service.submit_retrain(store, actor, RetrainChoices(epochs1=2), now)


# -- the button --------------------------------------------------------------------------------


def test_a_lead_may_submit_and_a_second_click_returns_the_same_job(store, lead):
    first = submit(store, lead)
    assert first.is_new
    assert submit(store, lead) == service.Submitted(first.job_id, False)


@pytest.mark.parametrize("role", ["viewer", "annotator"])
def test_below_lead_nobody_submits_or_cancels(store, lead, role):
    other = ensure_actor(store, "ali", role, 0.0)
    with pytest.raises(RefusedError, match="this needs lead"):
        submit(store, other)
    job_id = submit(store, lead).job_id
    with pytest.raises(RefusedError, match="this needs lead"):
        service.cancel_job(store, other, job_id, 1.0)
    assert service.list_jobs(store, 1.0)[0].state == "queued"


@pytest.mark.parametrize(
    "choices",
    [
        RetrainChoices(preset="weak"),
        RetrainChoices(backbone="vgg"),
        RetrainChoices(epochs1=0, epochs2=0),
        RetrainChoices(modalities=("a:b:c:d",)),
        RetrainChoices(fresh=False),
    ],
)
def test_a_choice_that_cannot_be_trained_is_refused_before_a_job_is_made(store, lead, choices):
    with pytest.raises(ConfigError):
        service.submit_retrain(store, lead, choices, 0.0)
    assert service.list_jobs(store, 0.0) == []


def test_choices_come_back_from_the_row_as_they_were():
    choices = RetrainChoices("seed", "mobilenet_v2", "random", ("text", "price"), 3, 1, False, 7)
    assert choices_from_json(choices.to_json()) == choices
    with pytest.raises(ConfigError, match="can't be read.*colour.*submit the retrain again"):
        choices_from_json({"colour": "red"})


# -- the view ----------------------------------------------------------------------------------


def test_a_queued_job_is_shown(store, workspace, lead):
    view = service.view_job(store, workspace, submit(store, lead).job_id, 100.0)
    assert (view.state, view.who, view.stage, view.log) == ("queued", "léa", "", "")
    assert (view.created_at, view.started_at, view.eta_s) == (100.0, None, None)
    assert view.is_active and not view.is_silent


def test_a_running_job_is_shown_with_its_progress_and_log(store, workspace, lead):
    job_id = submit(store, lead).job_id
    progress = {
        **{"stage": "training", "phase": 1, "num_phases": 2, "epoch": 3, "num_epochs": 9},
        **{"step": 4, "num_steps": 10, "loss": 0.5, "macro_f1": 0.7, "eta_s": 33.0},
        **{"num_train": 80, "num_val": 20},
    }
    with store.writing() as session:
        job = jobs.claim(session, "w", 110.0, 60.0)
        held = jobs.Claim(job.id, job.attempt)
        jobs.write_progress(session, held, progress)
        jobs.write_result(session, held, {"num_new_labels": 12})
    JobLog(log_path(workspace, job_id), 1, lambda: 0.0).write("epoch 3")
    view = service.view_job(store, workspace, job_id, 120.0)
    assert (view.stage, view.epoch, view.step, view.macro_f1) == ("training", 3, 4, 0.7)
    assert (view.eta_s, view.num_labels, view.num_new_labels, view.attempt) == (33.0, 100, 12, 1)
    assert view.log.endswith("epoch 3\n") and not view.is_silent
    assert service.view_job(store, workspace, job_id, 171.0).is_silent, "no word for a lease long"


def test_an_ended_job_keeps_its_message_and_has_no_time_left(store, workspace, lead):
    job_id = submit(store, lead).job_id
    with store.writing() as session:
        job = jobs.claim(session, "w", 110.0, 60.0)
        held = jobs.Claim(job.id, job.attempt)
        jobs.write_progress(session, held, {"eta_s": 5.0})
        jobs.fail(session, held, "too few labels; label more", 120.0)
    view = service.view_job(store, workspace, job_id, 130.0)
    assert (view.state, view.error) == ("failed", "too few labels; label more")
    assert (view.ended_at, view.eta_s) == (120.0, None)


def test_cancelling_tells_what_became_of_it(store, lead):
    job_id = submit(store, lead).job_id
    with store.writing() as session:
        jobs.claim(session, "w", 110.0, 60.0)
    view = service.cancel_job(store, lead, job_id, 120.0)
    assert (view.state, view.cancel_requested) == ("running", True)
    with pytest.raises(NotFoundError, match="no job 99"):
        service.cancel_job(store, lead, 99, 120.0)


def test_the_list_pages_and_names_people(store, lead):
    for _ in range(3):
        job_id = submit(store, lead).job_id
        service.cancel_job(store, lead, job_id, 101.0)
    first = service.list_jobs(store, 200.0, limit=2)
    assert [v.id for v in first] == [3, 2] and {v.who for v in first} == {"léa"}
    assert [v.id for v in service.list_jobs(store, 200.0, before_id=2)] == [1]
    assert service.list_jobs(store, 200.0, is_active=True) == []


# -- what would be learnt ----------------------------------------------------------------------


@pytest.fixture
def catalogue(store, lead):
    """Fill in two classes and six products; return a function that labels one of them."""
    with store.writing() as session:
        for i, code in enumerate(("10", "20")):
            session.add(ProductClass(code=code, name_fr=code, name_en=code, position=i))
        for i in range(6):
            split = "test" if i == 5 else "val" if i == 4 else "train"
            session.add(
                Product(
                    product_id=f"p{i}", group_id=f"g{i}", split=split, random_rank=0, created_at=0
                )
            )

    def label(product, class_id, kind="label", now=50.0):
        with store.writing() as session:
            act = Act(kind="single", annotator_id=lead.id, token=f"{now}-{product}", created_at=now)
            session.add(act)
            session.flush()
            row = session.get(Product, product)
            before, row.class_id = row.class_id, class_id
            mark = Annotation(
                act_id=act.id,
                product_id=product,
                annotator_id=lead.id,
                kind=kind,
                class_id=class_id,
                class_before_id=before,
                version=1,
                created_at=now,
            )
            session.add(mark)
            session.flush()
            return mark.id

    return label


def production(store, job_id=None, created_at=60.0):
    with store.writing() as session:
        session.add(
            ModelVersion(
                name="m", stage="production", snapshot="s", job_id=job_id, created_at=created_at
            )
        )


def test_without_a_model_every_label_is_new_but_those_of_test_products(store, catalogue):
    for product in (1, 2, 5, 6):
        catalogue(product, 1, now=50.0 + product)
    catalogue(2, 2, now=70.0)
    assert service.new_labels_since_production(store) == service.NewLabels(3, {"10": 2, "20": 1})


def test_after_a_retrain_only_what_came_since_its_snapshot_is_new(store, catalogue, lead):
    last = catalogue(1, 1)
    job_id = submit(store, lead).job_id
    with store.writing() as session:
        job = jobs.claim(session, "w", 110.0, 60.0)
        jobs.finish(session, jobs.Claim(job.id, 1), {"last_annotation_id": last}, 120.0)
    production(store, job_id, created_at=1e9)
    assert service.new_labels_since_production(store) == service.NewLabels(0, {})
    catalogue(2, 2, now=55.0)  # while it trained
    assert service.new_labels_since_production(store) == service.NewLabels(1, {"20": 1})


def test_of_a_model_without_a_job_the_time_decides(store, catalogue):
    catalogue(1, 1, now=50.0)
    production(store, created_at=60.0)
    catalogue(2, 1, now=70.0)
    assert service.new_labels_since_production(store).total == 1


def test_skips_and_confirmations_teach_nothing_new(store, catalogue):
    catalogue(1, 1, now=50.0)
    production(store, created_at=60.0)
    catalogue(1, 1, kind="accept", now=70.0)
    catalogue(2, None, kind="skip", now=71.0)
    assert service.new_labels_since_production(store).total == 0
    catalogue(1, None, kind="undo", now=72.0)
    assert service.new_labels_since_production(store) == service.NewLabels(1, {"": 1})
