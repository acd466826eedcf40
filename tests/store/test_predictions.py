"""What a model says about the catalogue is stored once, by version, and kept true."""

import numpy as np
import pytest
from catalogue_files import open_shop
from sqlalchemy import func, select, update
from store_rows import add_classes, add_predictions, add_products, add_version
from tiny_models import save_model, tiny_parts

from mmcore.errors import NotFoundError, RefusedError, TrainingInterrupted
from mmcore.services import predictions as service
from mmcore.services.classes import ClassNames, add_class, rename_class
from mmcore.services.people import ensure_actor
from mmcore.services.prediction_rows import Answers, ClassMap, build_rows
from mmcore.services.predictions import predict_missing
from mmcore.services.undoing import undo
from mmcore.services.watch import Watch
from mmcore.settings import Settings
from mmcore.store import predictions
from mmcore.store.tables import Prediction, Product, ProductClass
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def settings(workspace, store):
    return Settings(workspace.home, "cpu", 1, offline=True, database_url=store.url)


@pytest.fixture(scope="module")
def model_parts():
    return tiny_parts()


@pytest.fixture
def version(store, workspace, model_parts):
    """Return the id of a registered model that reads text and price."""
    return save_model(store, workspace, model_parts, "m1", ("10", "20", "30"))


def stored(store, version_id):
    with store.reading() as session:
        rows = session.scalars(
            select(Prediction)
            .where(Prediction.model_version_id == version_id)
            .order_by(Prediction.product_id)
        )
        return {row.product_id: row for row in rows}


def price(i):
    return {"price": str(i + 1)}


# -- predicting ----------------------------------------------------------------------------------


def test_every_product_gets_the_answer_the_runtime_gives(store, workspace, settings, version):
    from mmcore.runtime import ProductInput
    from mmcore.services.prediction import load_runtime

    ids = add_products(store, 9, extra=price)
    classes = {i: code for code, i in add_classes(store).items()}
    report = predict_missing(store, workspace, settings, version)
    assert (report.num_predicted, report.num_silent) == (9, 0)
    rows = stored(store, version)
    runtime = load_runtime(workspace, settings, "m1")
    for i, product_id in enumerate(ids):
        answer = runtime.predict_one(ProductInput(title=f"titre {i}", extra=price(i)))
        for view, pairs in rows[product_id].top.items():
            expected = [(r.code, pytest.approx(r.probability, abs=2e-6)) for r in answer.top(view)]
            assert [(classes[c], p) for c, p in pairs] == expected, view
        row = rows[product_id]
        best = [row.fused_class_id, pytest.approx(row.fused_probability, abs=1e-6)]
        assert row.top["fused"][0] == best
        assert rows[product_id].image_class_id is None
        assert set(rows[product_id].top) == {"text", "price", "fused"}


def test_what_is_stored_is_passed_over_and_new_products_are_filled_in(
    store, workspace, settings, version, monkeypatch
):
    monkeypatch.setattr(service, "PIECE", 4)
    add_products(store, 10)
    seen = []
    answers = iter([False] * 4 + [True])  # asked before each piece and each batch
    with pytest.raises(TrainingInterrupted, match="what is stored stays"):
        watch = Watch(lambda *p: seen.append(p), should_stop=lambda: next(answers))
        predict_missing(store, workspace, settings, version, watch)
    assert seen == [(4, 10), (8, 10)] and len(stored(store, version)) == 8
    assert predict_missing(store, workspace, settings, version).num_predicted == 2
    assert predict_missing(store, workspace, settings, version).num_predicted == 0
    (new,) = add_products(store, 1)
    assert predict_missing(store, workspace, settings, version).num_predicted == 1
    assert new in stored(store, version)


def test_a_product_the_model_has_nothing_to_go_by_is_counted(store, workspace, settings, version):
    add_products(store, 3, title=lambda i: "mot inconnu" if i == 1 else "titre")
    report = predict_missing(store, workspace, settings, version)
    assert (report.num_predicted, report.num_silent) == (2, 1)


def test_versions_do_not_shadow_each_other(store, workspace, settings, version, model_parts):
    add_products(store, 3)
    other = save_model(store, workspace, model_parts, "m2", ("30", "20", "10"))
    for each in (version, other):
        predict_missing(store, workspace, settings, each)
    first, second = stored(store, version), stored(store, other)
    assert len(first) == len(second) == 3
    ids = add_classes(store)
    swapped = {ids["10"]: ids["30"], ids["20"]: ids["20"], ids["30"]: ids["10"]}
    for product_id, row in first.items():
        assert second[product_id].fused_class_id == swapped[row.fused_class_id]


def test_a_product_that_changes_while_it_is_predicted_is_not_stored(
    store, workspace, settings, version, monkeypatch
):
    ids = add_products(store, 3)
    predict = service._Predictor._predict

    def predict_slowly(self, rows, watch):
        found = predict(self, rows, watch)
        with store.writing() as session:
            session.execute(update(Product).where(Product.id == ids[1]).values(title="titre 9"))
        return found

    monkeypatch.setattr(service._Predictor, "_predict", predict_slowly)
    assert predict_missing(store, workspace, settings, version).num_predicted == 2
    assert set(stored(store, version)) == {ids[0], ids[2]}


def test_forgotten_products_are_predicted_anew(store, workspace, settings, version):
    ids = add_products(store, 3)
    predict_missing(store, workspace, settings, version)
    with store.writing() as session:
        session.execute(update(Product).where(Product.id == ids[0]).values(title="titre 5 5 5"))
        predictions.forget_products(session, [ids[0]])
    assert set(stored(store, version)) == set(ids[1:])
    assert predict_missing(store, workspace, settings, version).num_predicted == 1


def test_products_that_left_the_catalogue_are_not_predicted(store, workspace, settings, version):
    ids = add_products(store, 3, removed_at=lambda i: 9.0 if i == 1 else None)
    assert predict_missing(store, workspace, settings, version).num_predicted == 2
    assert set(stored(store, version)) == {ids[0], ids[2]}
    with store.reading() as session:
        assert predictions.count_missing(session, version) == 0


@pytest.mark.parametrize(
    ("values", "is_forgotten"),
    [
        ({"title": "neu", "description": ""}, True),
        ({"title": "titre 0", "description": ""}, False),
        ({"photo": "", "extra": {}, "split": "val"}, False),
        ({"photo": "", "extra": {"price": "3"}}, True),
        ({"photo": "k", "extra": {}}, True),
    ],
)
def test_only_what_a_model_reads_makes_an_answer_old(store, values, is_forgotten):
    ids = add_products(store, 2)
    versions = [add_version(store, name) for name in "ab"]
    for each in versions:
        add_predictions(store, each, ids)
    with store.writing() as session:
        predictions.forget_changed(session, [{"id": ids[0], **values}])
    for each in versions:
        assert set(stored(store, each)) == (set(ids[1:]) if is_forgotten else set(ids))


def test_an_import_that_changes_a_text_makes_its_answers_old(store, tmp_path):
    shop = open_shop(store, tmp_path)
    shop.run("id,title,label\n1,chaise rouge,A\n2,table bleue,B\n")
    with store.reading() as session:
        ids = dict(session.execute(select(Product.product_id, Product.id)).all())
    version_id = add_version(store)
    add_predictions(store, version_id, ids.values())
    shop.run("id,title,label\n1,chaise verte,A\n2,table bleue,A\n")
    assert set(stored(store, version_id)) == {ids["2"]}, "a label alone makes no answer old"


def test_merged_classes_answer_as_the_class_they_became(store, workspace, settings, version):
    ids = add_classes(store)
    with store.writing() as session:
        session.execute(
            update(ProductClass)
            .where(ProductClass.id == ids["30"])
            .values(merged_into_id=ids["10"], is_archived=True)
        )
    add_products(store, 4)
    predict_missing(store, workspace, settings, version)
    for row in stored(store, version).values():
        assert {pair[0] for pair in row.top["fused"]} == {ids["10"], ids["20"]}
        assert sum(pair[1] for pair in row.top["fused"]) == pytest.approx(1, abs=1e-5)


def test_a_renamed_class_is_still_known_to_an_older_model(store, workspace, settings, version):
    """Even where a new class has got its code since."""
    ids = add_classes(store)
    lead = ensure_actor(store, "lea", "lead", 1.0)
    rename_class(store, lead, "10", ClassNames("11"), "t1", 1.0)
    add_class(store, lead, ClassNames("10"), "t2", 2.0)
    rename_class(store, lead, "20", ClassNames("21"), "t3", 3.0)
    undo(store, lead, "t4", 4.0, act_id=3)
    add_products(store, 4)
    assert predict_missing(store, workspace, settings, version).num_predicted == 4
    for row in stored(store, version).values():
        assert {pair[0] for pair in row.top["fused"]} == set(ids.values())


def test_a_class_renamed_while_a_model_was_trained_is_known_by_its_code_before(
    store, workspace, settings, model_parts
):
    ids = add_classes(store)
    add_products(store, 1)
    lead = ensure_actor(store, "lea", "lead", 1.0)
    rename_class(store, lead, "10", ClassNames("11"), "t1", -1.0)
    rename_class(store, lead, "11", ClassNames("12"), "t2", -0.5)
    version = save_model(store, workspace, model_parts, "m1", ("10", "20", "30"))
    predict_missing(store, workspace, settings, version)
    (row,) = stored(store, version).values()
    assert {pair[0] for pair in row.top["fused"]} == set(ids.values())


def test_a_model_of_another_catalogue_is_refused(store, workspace, settings, model_parts):
    add_products(store, 1)
    version = save_model(store, workspace, model_parts, "alien", ("10", "20", "999"))
    with pytest.raises(RefusedError, match="alien knows 1 classes that this catalogue .*999"):
        predict_missing(store, workspace, settings, version)


def test_an_unknown_version(store, workspace, settings):
    with pytest.raises(NotFoundError, match="no model version with id 77"):
        predict_missing(store, workspace, settings, 77)


def test_storing_twice_keeps_the_first(store):
    (product_id,) = add_products(store, 1)
    version_id = add_version(store)
    add_predictions(store, version_id, [product_id])
    with store.reading() as session:
        row = session.execute(select(Prediction.__table__)).mappings().one()
    with store.writing() as session:
        predictions.add_predictions(session, [{**row, "fused_probability": 0.1}])
    assert stored(store, version_id)[product_id].fused_probability == 0.9


# -- rows ----------------------------------------------------------------------------------------


def answers(n, k, seed=0):
    draw = np.random.default_rng(seed)
    probs = {view: draw.dirichlet(np.ones(k), n) for view in ("text", "image", "fused")}
    has = {"text": draw.random(n) < 0.7, "image": draw.random(n) < 0.7}
    has["fused"] = has["text"] | has["image"]
    return Answers(probs, has, np.arange(k) * 10)


def test_rows_hold_the_best_classes_of_every_view_there_is():
    found = answers(40, 8)
    rows = build_rows(found, 3, range(100, 140))
    by_product = {row["product_id"]: row for row in rows}
    assert set(by_product) == {100 + i for i in np.flatnonzero(found.has["fused"])}
    for i in np.flatnonzero(found.has["fused"]):
        row = by_product[100 + i]
        for view in ("text", "image", "fused"):
            if not found.has[view][i]:
                assert view not in row["top"] and row[f"{view}_class_id"] is None
                continue
            best = np.argsort(-found.probs[view][i])[:5]
            assert [c for c, _ in row["top"][view]] == (best * 10).tolist()
            assert row[f"{view}_probability"] == pytest.approx(found.probs[view][i].max(), abs=1e-6)
    assert rows and all(row["model_version_id"] == 3 for row in rows)
    # which label is suspect is for models to say that haven't seen it
    assert {(row["suspicion"], row["label_class_id"]) for row in rows} == {(0.0, None)}


def test_a_class_map_adds_up_what_was_merged():
    classes = ClassMap.build([7, 5, 7])
    assert classes.class_ids.tolist() == [5, 7]
    probs = np.array([[0.2, 0.5, 0.3]])
    assert (probs @ classes.sums).tolist() == [[0.5, 0.5]]


def test_count_of_missing(store):
    ids = add_products(store, 5)
    version_id = add_version(store)
    add_predictions(store, version_id, ids[:2])
    with store.reading() as session:
        assert predictions.count_missing(session, version_id) == 3
        assert session.scalar(select(func.count()).select_from(Prediction)) == 2
