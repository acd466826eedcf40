"""Production catches up with products and labels that came since, and the queue with it."""

import pandas as pd
import pytest
from sqlalchemy import select, update
from store_rows import add_classes, add_products
from tiny_models import save_model, tiny_parts

from mmcore.encoders import with_ngrams
from mmcore.errors import RefusedError, TrainingInterrupted
from mmcore.services import predictions as service
from mmcore.services import registry
from mmcore.services.class_merge import merge_classes
from mmcore.services.labelling import Seen, label
from mmcore.services.neighbour_texts import make_plan
from mmcore.services.people import ensure_actor
from mmcore.services.predictions import catch_up, predict_missing, unpredicted
from mmcore.services.undoing import undo
from mmcore.services.watch import Watch
from mmcore.settings import Settings
from mmcore.store.queue import fill
from mmcore.store.suspicions import is_check_due
from mmcore.store.tables import ModelVersion, Prediction, Product, QueueEntry
from mmcore.workspace import Workspace

NOTHING = service.Unpredicted()


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def settings(workspace, store):
    return Settings(workspace.home, "cpu", 1, offline=True, database_url=store.url)


@pytest.fixture
def lead(store):
    return ensure_actor(store, "lea", "lead", 0.0)


@pytest.fixture
def versions(store, workspace):
    """Return the ids of two registered models that read text and price, and answer differently."""
    return [save_model(store, workspace, tiny_parts(seed), f"m{seed}") for seed in (1, 2)]


def produce(store, version_id):
    with store.writing() as session:
        session.get(ModelVersion, version_id).stage = "production"


def entries(store):
    with store.reading() as session:
        return {row.product_id: row for row in session.scalars(select(QueueEntry))}


def said(store, version_id):
    with store.reading() as session:
        rows = session.scalars(select(Prediction).where(Prediction.model_version_id == version_id))
        return {row.product_id: row for row in rows}


def caught_up(store, lead, workspace, settings, watch=None):
    return catch_up(store, lead, workspace, settings, watch or Watch())


# -- products ------------------------------------------------------------------------------------


def test_products_without_a_prediction_get_one_and_a_place_in_the_queue(
    store, workspace, settings, lead, versions
):
    add_products(store, 2)
    assert unpredicted(store) == NOTHING, "nobody answers yet"
    assert caught_up(store, lead, workspace, settings) is None
    produce(store, versions[0])
    assert unpredicted(store).num_products == 2
    assert caught_up(store, lead, workspace, settings).num_predicted == 2
    assert not unpredicted(store)
    found = said(store, versions[0])
    assert {i: e.disagreement for i, e in entries(store).items()} == {
        i: row.disagreement for i, row in found.items()
    }


def test_an_activation_while_the_older_model_predicts_wins(
    store, workspace, settings, lead, versions
):
    add_products(store, 3, extra=lambda i: {"price": str(i + 1)})
    old, new = versions
    produce(store, old)
    predict_missing(store, workspace, settings, new)
    asked = []

    def activate_meanwhile(done, total):
        if not asked:
            asked.append(True)
            registry.activate(store, lead, workspace, "m2", 5.0)

    report = caught_up(store, lead, workspace, settings, Watch(activate_meanwhile))
    assert report.version == "m2" and asked
    answers = said(store, new)
    assert {i: e.entropy for i, e in entries(store).items()} == {
        i: row.entropy for i, row in answers.items()
    }
    assert all(row.entropy != said(store, old)[i].entropy for i, row in answers.items())


def test_a_stop_before_the_queue_is_told_leaves_what_is_predicted(
    store, workspace, settings, lead, versions
):
    add_products(store, 3)
    produce(store, versions[0])
    is_done = []
    watch = Watch(lambda done, total: is_done.append(done), should_stop=lambda: bool(is_done))
    with pytest.raises(TrainingInterrupted, match="what is stored stays"):
        caught_up(store, lead, workspace, settings, watch)
    assert len(said(store, versions[0])) == 3 and entries(store) == {}


def test_below_lead_nobody_sets_a_model_to_work(store, workspace, settings, versions):
    produce(store, versions[0])
    anna = ensure_actor(store, "anna", "annotator", 0.0)
    with pytest.raises(RefusedError, match="anna is annotator, this needs lead"):
        catch_up(store, anna, workspace, settings)


# -- labels --------------------------------------------------------------------------------------


@pytest.fixture
def suspects(store, workspace, settings, lead, versions):
    """Return ids of 60 products in three classes; the first two have the third class's label."""
    classes = add_classes(store)
    words = {"10": "piscine gonflable", "20": "roman policier", "30": "console manette"}
    codes = list(words)
    ids = add_products(store, 60, title=lambda i: f"titre {words[codes[i % 2]]} {i}")
    with store.writing() as session:
        for i, product_id in enumerate(ids):
            wrong = "30" if i < 6 else codes[i % 2]
            values = {"class_id": classes[wrong]}
            session.execute(update(Product).where(Product.id == product_id).values(values))
        fill(session)
    produce(store, versions[0])
    caught_up(store, lead, workspace, settings)
    return ids


def test_no_label_is_suspect_by_the_model_that_learnt_it(suspects, store, versions):
    """A suspicion stands beside the label it is about, and comes from the check alone."""
    found = said(store, versions[0])
    classes = {i: row.label_class_id for i, row in found.items()}
    with store.reading() as session:
        assert classes == dict(session.execute(select(Product.id, Product.class_id)).all())
    assert {entries(store)[i].suspicion > 0 for i in suspects[:6]} == {True}


def test_who_relabels_a_product_ends_the_suspicion_and_an_undo_brings_it_back(
    suspects, store, workspace, settings, lead, versions
):
    first, before = suspects[0], entries(store)[suspects[0]].suspicion
    label(store, lead, Seen(first, 0, "t1"), "10", 5.0)
    assert first not in entries(store)
    undo(store, lead, "t2", 6.0)
    assert entries(store)[first].suspicion == before > 0


def test_a_label_of_a_person_is_suspect_only_once_a_later_check_opposes_it(
    suspects, store, workspace, settings, lead, versions
):
    from mmcore.services.browse import list_products

    right, wrong = suspects[0], suspects[10]  # both sell pools: mended, and spoilt
    for product_id, code in ((right, "10"), (wrong, "20")):
        label(store, lead, Seen(product_id, 0, f"t{product_id}"), code, 5.0)
    assert unpredicted(store) == service.Unpredicted(0, is_check_due=True)
    order = [row.id for row in list_products(store, order="suspicion").rows]
    assert right not in order and wrong not in order, "nobody was asked about these labels"
    caught_up(store, lead, workspace, settings)
    found = said(store, versions[0])
    assert found[wrong].suspicion > 0.2 > found[right].suspicion
    assert list_products(store, order="suspicion").rows[0].id in (wrong, *suspects[1:6])


def test_merged_labels_are_not_suspect_until_they_are_checked_anew(
    suspects, store, workspace, settings, lead, versions
):
    merge_classes(store, lead, "30", "10", "t1", 5.0)
    merged = suspects[:6]
    assert {entries(store)[i].suspicion for i in merged} == {-1.0}, "unknown, not cleared"
    with store.reading() as session:
        assert is_check_due(session, versions[0])
    registry.activate(store, lead, workspace, "m1", 6.0)
    assert {entries(store)[i].suspicion for i in merged} == {-1.0}, "activating asks nobody"
    caught_up(store, lead, workspace, settings)
    found = {i: entries(store)[i].suspicion for i in merged}
    # of "10" now: right for every other one, wrong for those that sell novels
    assert min(found[i] for i in merged[1::2]) > 0.2 > max(found[i] for i in merged[0::2])
    assert unpredicted(store) == NOTHING


def test_a_check_of_the_labels_that_was_killed_is_made_up_for(
    store, workspace, settings, versions, monkeypatch
):
    add_products(store, 3)
    check = service.cross_check

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(service, "cross_check", killed)
    with pytest.raises(KeyboardInterrupt):
        predict_missing(store, workspace, settings, versions[0])
    checked = []

    def counted(*arguments):
        checked.append(True)
        return check(*arguments)

    monkeypatch.setattr(service, "cross_check", counted)
    for _ in range(2):
        assert predict_missing(store, workspace, settings, versions[0]).num_predicted == 0
    assert len(checked) == 1, "once, and not again where it is done"


def test_a_candidate_s_rival_is_predicted_without_a_check_of_labels(
    store, workspace, settings, versions
):
    add_products(store, 3)
    predict_missing(store, workspace, settings, versions[0], checks_labels=False)
    with store.reading() as session:
        assert is_check_due(session, versions[0])


# -- likeness ------------------------------------------------------------------------------------


@pytest.fixture
def texts(store, workspace):
    """Put a model with n-grams into production; return what its texts are to be kept in."""
    config, model, encoders = tiny_parts()
    frame = pd.DataFrame({"title": ["titre 1 2", "titre 2 3"], "description": ["", "titre"]})
    encoders = encoders | with_ngrams(encoders, frame)
    add_products(store, 3)
    produce(store, save_model(store, workspace, (config, model, encoders), "n1"))
    return lambda: make_plan(store, workspace, encoders["text"])


def test_texts_are_read_for_likeness_once_the_queue_is_in_line(
    store, lead, workspace, settings, texts
):
    assert texts().missing()
    assert caught_up(store, lead, workspace, settings).notes == ()
    assert texts().parts and texts().missing() == []


def test_texts_that_cannot_be_kept_take_nothing_from_the_predictions(
    store, lead, workspace, settings, texts
):
    workspace.cache.mkdir(exist_ok=True)
    (workspace.cache / "neighbours").write_text("in the way")
    report = caught_up(store, lead, workspace, settings)
    assert report.num_predicted and "texts can't be kept" in report.notes[-1]
