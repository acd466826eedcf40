"""The Models screen: what is in production, one version by its address, the way back."""

import pytest
from page_texts import texts
from sqlalchemy import delete, select

from mmcore.store.tables import Job, ModelVersion, Prediction, StageChange


def button(app, label):
    return next(b for b in app.button if b.label.startswith(label))


@pytest.fixture
def second(app_shop):
    """Put another version beside m1, made by lena's retrain, its folder gone."""
    with app_shop.store.writing() as session:
        lena = app_shop.people["lena"].id
        job = Job(kind="retrain", state="succeeded", created_at=1.0, annotator_id=lena)
        session.add(job)
        session.flush()
        scores = {"fused": {"macro_f1": 0.75, "n": 5}}
        session.add(
            ModelVersion(
                name="m2", snapshot="ab", created_at=2.0, job_id=job.id, parent_id=1, scores=scores
            )
        )
    return "m2"


def stages(shop):
    with shop.store.reading() as session:
        return dict(session.execute(select(ModelVersion.name, ModelVersion.stage)).all())


def test_without_a_model_the_way_to_one_is_named(visit, app_shop):
    with app_shop.store.writing() as session:
        for table in (Prediction, StageChange, ModelVersion):
            session.execute(delete(table))
    app = visit("models_page", "vera")
    assert "train one on the Retrain screen" in texts(app) and not app.exception


def test_the_table_shows_family_maker_and_scores(visit, app_shop, second):
    app = visit("models_page", "vera")
    assert not app.exception and "m1 answers" in texts(app)
    table = app.dataframe[0].value
    assert [name.strip() for name in table["model"]] == ["m1", "└ m2"]
    assert list(table["by"]) == ["command line", "lena"]
    assert list(table["from"]) == ["–", "m1"] and table["fused"][1] == 0.75


def test_a_version_has_an_address_and_a_missing_folder_is_told(visit, app_shop, second):
    app = visit("models_page", "lena", version=second)
    assert not app.exception and "Model m2" in "".join(s.value for s in app.subheader)
    assert "is not there" in texts(app).replace("\\", "")
    button(app, "Activate").click().run()
    assert stages(app_shop) == {"m1": "production", "m2": "candidate"}, "it has no files"


def test_an_address_of_no_version_is_no_markup(visit, app_shop):
    app = visit("models_page", "vera", version="**x**")
    assert "**x**" in texts(app) and not app.exception


@pytest.mark.parametrize("person", ["vera", "anna"])
def test_below_lead_nothing_can_be_switched(visit, app_shop, second, person):
    assert button(visit("models_page", person, version=second), "Activate").disabled
    assert button(visit("models_page", person, version="m1"), "Roll back").disabled


def test_without_a_model_before_there_is_no_way_back(visit, app_shop):
    assert button(visit("models_page", "lena", version="m1"), "Roll back").disabled


def test_pruning_is_shown_before_it_is_done(visit, app_shop, second):
    app = visit("models_page", "lena")
    assert not [b for b in app.button if b.label.startswith("Delete")], "five are kept"
