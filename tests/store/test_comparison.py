"""Two versions side by side: counted and listed in SQL as a loop in Python would have it."""

import sys
import types
from collections import Counter

import numpy as np
import pytest
from sqlalchemy import select, update
from store_rows import add_classes, add_predictions, add_products, add_version
from tiny_models import save_model, tiny_parts

from mmcore.errors import ConfigError, JobLostError, NotFoundError, RefusedError
from mmcore.gate import GateLimits
from mmcore.services import comparison
from mmcore.services.comparison import judge_candidate
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.watch import Watch
from mmcore.settings import Settings
from mmcore.store.comparison import OUTCOMES, ChangeFilter
from mmcore.store.tables import ModelVersion, Prediction, Product, ProductClass
from mmcore.workspace import Workspace

LEAD = Actor(1, "lea", "lead")
NUM = 60


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


@pytest.fixture
def settings(workspace, store):
    return Settings(workspace.home, "cpu", 1, offline=True, database_url=store.url)


@pytest.fixture
def two(store):
    """Return (rows of every product as plain values, ids of two versions named old and new).

    Some products have no label, some no photo, some no answer of one version or of both.
    """
    draw = np.random.default_rng(4)
    ids = list(add_classes(store).values())
    labels = [None if draw.random() < 0.2 else int(draw.choice(ids)) for _ in range(NUM)]
    products = add_products(
        store,
        NUM,
        class_id=lambda i: labels[i],
        split=lambda i: ("train", "val", "test")[i % 3],
    )
    versions, said = [], []
    for name, stage in (("old", "production"), ("new", "candidate")):
        version = add_version(store, name, stage=stage)
        answers = {p: int(draw.choice(ids)) for p in products if draw.random() < 0.9}
        images = {p: int(draw.choice(ids)) for p in answers if draw.random() < 0.6}
        known = list(answers)
        add_predictions(
            store,
            version,
            known,
            fused_class_id=lambda i, a=answers, k=known: a[k[i]],
            image_class_id=lambda i, a=images, k=known: a.get(k[i]),
            image_probability=lambda i, a=images, k=known: 0.6 if k[i] in a else None,
        )
        versions.append(version)
        said.append({"fused": answers, "image": images})
    rows = [
        (p, labels[i], ("train", "val", "test")[i % 3], said[0], said[1])
        for i, p in enumerate(products)
    ]
    return rows, versions


def outcome(label, before, after):
    if label is None:
        return "changed" if before != after else "unchanged"
    if (before == label) != (after == label):
        return "fixed" if after == label else "broken"
    return "changed_wrong" if before != after else "same"


def by_hand(rows, view, split=None):
    return {
        p: outcome(label, old[view].get(p), new[view].get(p))
        for p, label, part, old, new in rows
        if (p in old[view] or p in new[view]) and split in (None, part)
    }


# -- counting and listing ------------------------------------------------------------------------


@pytest.mark.parametrize("split", [None, "test"])
def test_counts_are_those_of_a_loop(store, two, split):
    rows, _ = two
    found = comparison.count_changes(store, "old", "new", split)
    codes = {i: code for code, i in add_classes(store).items()}
    labels = {p: codes.get(label, "") for p, label, *_ in rows}
    for view in ("fused", "image"):
        expected = by_hand(rows, view, split)
        assert {o: n for o, n in found.totals[view].items() if n} == Counter(expected.values())
        for code, counts in found.by_class[view].items():
            alone = Counter(o for p, o in expected.items() if labels[p] == code)
            assert {o: n for o, n in counts.items() if n} == alone
    assert set(found.totals["fused"]) == set(OUTCOMES)
    assert len([n for n in found.totals["fused"].values() if n]) >= 5


@pytest.mark.parametrize("view", ["fused", "image"])
def test_pages_hold_every_product_once(store, two, view):
    rows, _ = two
    expected = by_hand(rows, view)
    codes = {i: code for code, i in add_classes(store).items()}
    by_id = {row[0]: row for row in rows}
    seen, after = {}, 0
    while page := comparison.list_changes(
        store, ("old", "new"), ChangeFilter(view), after=after, limit=7
    ):
        assert len(page) <= 7
        for product in page:
            _, label, split, old, new = by_id[product.id]
            assert product.outcome == expected[product.id]
            assert (product.label, product.split) == (codes.get(label), split)
            assert product.before == codes.get(old[view].get(product.id))
            assert product.after == codes.get(new[view].get(product.id))
            seen[product.id] = product.outcome
        after = page[-1].id
    assert seen == expected


def test_a_page_can_be_narrowed(store, two):
    rows, _ = two
    ids = add_classes(store)
    wanted = ChangeFilter("fused", ("fixed", "broken"), class_id=ids["10"], split="train")
    found = {p.id for p in comparison.list_changes(store, ("old", "new"), wanted)}
    labels = {p: label for p, label, *_ in rows}
    expected = {
        p
        for p, o in by_hand(rows, "fused", "train").items()
        if o in ("fixed", "broken") and labels[p] == ids["10"]
    }
    assert found == expected and found


def test_a_version_does_not_differ_from_itself(store, two):
    counts = comparison.count_changes(store, "old", "old").totals["fused"]
    assert counts["same"] and counts["unchanged"]
    assert sum(counts.values()) == counts["same"] + counts["unchanged"]


def test_products_that_left_the_catalogue_are_left_out(store, two):
    rows, _ = two
    gone = [p for p, *_ in rows[::2]]
    with store.writing() as session:
        session.execute(update(Product).where(Product.id.in_(gone)).values(removed_at=1.0))
    counts = comparison.count_changes(store, "old", "new").totals["fused"]
    expected = [p for p in by_hand(rows, "fused") if p not in gone]
    assert sum(counts.values()) == len(expected)


def test_an_answer_that_was_merged_counts_as_what_it_became(store):
    ids = add_classes(store)
    (product,) = add_products(store, 1, class_id=lambda i: ids["10"])
    for name, code in (("old", "20"), ("new", "10")):
        version = add_version(store, name)
        add_predictions(store, version, [product], fused_class_id=lambda i, c=code: ids[c])
    assert comparison.count_changes(store, "old", "new").totals["fused"]["fixed"] == 1
    with store.writing() as session:
        session.execute(
            update(ProductClass).where(ProductClass.code == "20").values(merged_into_id=ids["10"])
        )
    assert comparison.count_changes(store, "old", "new").totals["fused"]["same"] == 1


@pytest.mark.parametrize(
    ("wanted", "limit", "message"),
    [
        (ChangeFilter(view="smell"), 5, "view 'smell' is unknown; use one of fixed"),
        (ChangeFilter(outcomes=("lost",)), 5, "outcome 'lost' is unknown"),
        (ChangeFilter(), 0, "limit is 0; it must lie from 1 to 1000"),
    ],
)
def test_what_cannot_be_listed(store, two, wanted, limit, message):
    with pytest.raises(ConfigError, match=message):
        comparison.list_changes(store, ("old", "new"), wanted, limit=limit)
    with pytest.raises(NotFoundError, match="no model named 'x'"):
        comparison.count_changes(store, "old", "x")


# -- judging -------------------------------------------------------------------------------------


@pytest.fixture
def predicted(monkeypatch):
    """Let predictions be those that are stored, and nothing be computed."""
    from mmcore.services.predictions import PredictionReport

    def nothing_missing(store, workspace, settings, version_id, watch, checks_labels=True):
        return PredictionReport("", 0, 0, 0.0, ())

    monkeypatch.setattr(comparison, "predict_missing", nothing_missing)


def pair(store, right_before, right_after, num=120, **columns):
    """Return the ids of a production and a candidate that get these shares right."""
    ids = list(add_classes(store).values())
    products = add_products(store, num, **columns)
    draw = np.random.default_rng(7)
    versions = []
    for name, stage, share in (
        ("old", "production", right_before),
        ("new", "candidate", right_after),
    ):
        answers = [ids[i % 3] if draw.random() < share else ids[(i + 1) % 3] for i in range(num)]
        version = add_version(store, name, stage=stage)
        add_predictions(
            store,
            version,
            products,
            fused_class_id=lambda i, a=answers: a[i],
            fused_probability=lambda i, s=share: s,
        )
        versions.append(version)
    return versions


def test_a_better_candidate_passes_and_its_verdict_is_stored(store, settings, workspace, predicted):
    _, new = pair(store, 0.6, 0.9)
    result = judge_candidate(store, workspace, settings, new, now=50.0)
    assert (result.passed, result.against) == (True, "old")
    with store.reading() as session:
        verdict = session.get(ModelVersion, new).verdict
    assert verdict == result.verdict and verdict["judged_at"] == 50.0
    assert [c["passed"] for c in verdict["checks"]] == [True] * 3
    assert verdict["n"] == 120 and verdict["limits"]["class_drop"] == 0.10
    difference = verdict["intervals"]["fused"]["difference"]
    assert 0 < difference["low"] < difference["value"] < difference["high"]
    assert verdict["changes"]["fused"]["fixed"] > verdict["changes"]["fused"]["broken"]
    assert {c["code"] for c in verdict["classes"]} == {"10", "20", "30"}


def test_a_verdict_that_must_not_be_written_any_more_is_not(store, settings, workspace, predicted):
    def lost(session):
        raise JobLostError("another attempt has begun")

    _, new = pair(store, 0.6, 0.9)
    with pytest.raises(JobLostError):
        judge_candidate(store, workspace, settings, new, 50.0, Watch(guard=lost))
    with store.reading() as session:
        assert session.get(ModelVersion, new).verdict == {}


def test_a_worse_candidate_is_refused_and_says_why(store, settings, workspace, predicted):
    _, new = pair(store, 0.9, 0.6)
    result = judge_candidate(store, workspace, settings, new, now=0.0)
    assert result.passed is False
    assert "the gate says no: fused macro-F1 is" in result.sentence
    assert "more than chance explains" in result.sentence
    assert "3 of 3 classes lost more than 10.0 points" in result.sentence


def test_the_same_answers_pass_with_no_difference_at_all(store, settings, workspace, predicted):
    old, _ = pair(store, 0.8, 0.8)
    twin = add_version(store, "twin")
    with store.writing() as session:
        rows = session.execute(
            select(Prediction.__table__).where(Prediction.model_version_id == old)
        ).mappings()
        copies = [{**row, "model_version_id": twin} for row in rows]
        session.execute(Prediction.__table__.insert(), copies)
    result = judge_candidate(store, workspace, settings, twin, now=0.0)
    difference = result.verdict["intervals"]["fused"]["difference"]
    assert result.passed and difference == {"value": 0, "low": 0, "high": 0}
    assert result.verdict["scores"]["candidate"] == result.verdict["scores"]["production"]


def test_without_production_the_candidate_is_scored_alone(store, settings, workspace, predicted):
    _, new = pair(store, 0.6, 0.9)
    with store.writing() as session:
        session.execute(update(ModelVersion).values(stage="candidate"))
    result = judge_candidate(store, workspace, settings, new, now=0.0)
    assert (result.passed, result.against) == (True, None)
    assert "no other model is in production: fused macro-F1 is 0.8" in result.sentence
    assert "production" not in result.verdict["scores"] and result.verdict["checks"] == []


def test_without_test_products_nothing_is_claimed(store, settings, workspace, predicted):
    _, new = pair(store, 0.6, 0.9, split="train")
    result = judge_candidate(store, workspace, settings, new, now=0.0)
    assert result.passed is None and "label some products of the test split" in result.sentence
    assert result.verdict["changes"]["fused"]["fixed"] > 0, "the catalogue has changed all the same"


def test_a_label_changed_since_counts_as_it_is_now(store, settings, workspace, predicted):
    _, new = pair(store, 1.0, 1.0)
    ids = add_classes(store)
    with store.writing() as session:
        session.execute(
            update(Product).where(Product.class_id == ids["10"]).values(class_id=ids["20"])
        )
    result = judge_candidate(store, workspace, settings, new, now=0.0)
    scores = result.verdict["scores"]["candidate"]["fused"]
    assert scores["accuracy"] == pytest.approx(2 / 3)


def test_a_lead_sets_the_limits(store, settings, workspace, predicted):
    _, new = pair(store, 0.9, 0.6)
    loose = GateLimits(macro_drop=1.0, class_drop=1.0, ece_rise=1.0, resamples=100)
    with pytest.raises(RefusedError, match="ann is annotator, this needs lead"):
        comparison.save_limits(store, Actor(1, "ann", "annotator"), loose)
    assert comparison.read_limits(store) == GateLimits()
    comparison.save_limits(store, LEAD, loose)
    assert comparison.read_limits(store) == loose
    assert judge_candidate(store, workspace, settings, new, now=0.0).passed


def test_real_models_are_predicted_judged_activated(store, settings, workspace, monkeypatch):
    """With networks: the scores are those of `scores_by_view` on the same products."""
    from mmcore.services import registry

    queue = types.ModuleType("mmcore.services.queue")
    queue.refresh = lambda *_: None
    monkeypatch.setitem(sys.modules, "mmcore.services.queue", queue)
    monkeypatch.setattr(sys.modules["mmcore.services"], "queue", queue, raising=False)
    add_products(store, 90, extra=lambda i: {"price": str(i)})
    first, second = (save_model(store, workspace, tiny_parts(seed), f"m{seed}") for seed in (1, 2))
    alone = judge_candidate(store, workspace, settings, first, now=0.0)
    assert alone.against is None
    registry.activate(store, ensure_actor(store, "lea", "lead", 0.0), workspace, "m1", 1.0)
    seen = []
    watch = Watch(progress=lambda *p: seen.append(p))
    result = judge_candidate(store, workspace, settings, second, 2.0, watch)
    assert result.against == "m1" and seen[-1] == (90, 90)
    assert result.verdict["scores"]["production"] == alone.verdict["scores"]["candidate"]
    expected = scores_of(store, settings, workspace, "m2")
    for view in ("text", "fused"):
        assert result.verdict["scores"]["candidate"][view] == pytest.approx(
            expected[view], abs=1e-5
        )


def scores_of(store, settings, workspace, name):
    import pandas as pd

    from mmcore.artifact import load_artifact
    from mmcore.batches import encode_products
    from mmcore.engines import TorchEngine
    from mmcore.reports import scores_by_view
    from mmcore.services.images import ImageInput
    from mmcore.views import decide, views

    codes = {i: code for code, i in add_classes(store).items()}
    with store.reading() as session:
        rows = [
            (p.product_id, p.title, "", "", p.extra["price"], codes[p.class_id])
            for p in session.scalars(select(Product))
        ]
    columns = ["product_id", "title", "description", "photo", "price", "label"]
    frame = pd.DataFrame(rows, columns=columns, dtype="str")
    artifact = load_artifact(workspace.models / name)
    products = encode_products(
        frame, artifact.config.model, artifact.encoders, artifact.class_codes
    )
    images = ImageInput(workspace, settings, artifact.config, None)
    decisions = decide(TorchEngine(artifact.model), images.final_reader(products, None))
    return scores_by_view(views(decisions, artifact.combiner), products.labels)


def test_production_whose_folder_is_gone_is_judged_by_what_it_said(store, settings, workspace):
    import shutil

    add_products(store, 30, extra=lambda i: {"price": str(i)})
    first, second = (save_model(store, workspace, tiny_parts(seed), f"m{seed}") for seed in (1, 2))
    judge_candidate(store, workspace, settings, first, now=0.0)
    with store.writing() as session:
        session.get(ModelVersion, first).stage = "production"
    shutil.rmtree(workspace.models / "m1")
    add_products(store, 2)
    result = judge_candidate(store, workspace, settings, second, now=0.0)
    assert "judged by what it said before" in result.notes[0]
    assert result.against == "m1" and result.verdict["n"] == 32
