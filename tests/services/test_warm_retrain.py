"""A retrain that starts from the production model: what it keeps, and when it must not."""

from dataclasses import replace

import pytest
import tiny_shop
from sqlalchemy import update
from tiny_shop import CHOICES, Shop

from mmcore.config import IMAGE, TEXT, RunChoices
from mmcore.errors import ArtifactError, WarmStartError
from mmcore.manifest import read_json, read_manifest
from mmcore.services import registry_upkeep
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.job_runs import run_name
from mmcore.services.jobs import submit_retrain
from mmcore.services.parents import inherit, load_parent
from mmcore.services.people import ensure_actor
from mmcore.services.registry import register_candidate
from mmcore.services.registry_view import list_versions
from mmcore.services.retraining import Parts, usual_load
from mmcore.store.products import CatalogueFacts, write_facts
from mmcore.store.tables import ModelVersion, Product, ProductClass

PARTS = Parts(usual_load, register_candidate, tiny_shop.judge)
FROZEN = replace(CHOICES, epochs1=2, epochs2=0)
WARM = replace(FROZEN, fresh=False)


@pytest.fixture(scope="module")
def tiny():
    import mmcore.artifact
    import mmcore.services.images  # noqa: F401

    with pytest.MonkeyPatch.context() as patch:
        tiny_shop.shrink(patch.setattr)
        yield


def in_production(home, choices=FROZEN):
    """Return a shop with one model, in production, and that model's name."""
    shop = Shop(home, choices=choices)
    shop.work(PARTS)
    return shop, shop.promote()


@pytest.fixture
def shop(tiny, tmp_path):
    shop, _ = in_production(tmp_path / "home")
    yield shop
    shop.store.close()


@pytest.fixture(scope="module")
def settled(tiny, tmp_path_factory):
    """Return a shop with a model in production, for tests that change neither."""
    shop, _ = in_production(tmp_path_factory.mktemp("settled") / "home")
    yield shop
    shop.store.close()


def retrain(shop, choices):
    shop.submit(choices, submitted_at=2_000_000.0 + shop.job_id)
    shop.work(PARTS)
    return shop.job


# -- what is taken over ------------------------------------------------------------------------


def test_the_parent_is_recorded_in_the_folder_and_in_the_registry(shop):
    production = run_name(shop.job)
    job = retrain(shop, WARM)
    assert job.state == "succeeded", job.error
    assert read_manifest(shop.model).parent == production == job.result["parent"]
    newest, oldest = list_versions(shop.store, shop.workspace)
    assert (newest.name, newest.parent, oldest.parent) == (run_name(job), production, None)


def test_words_keep_their_places_and_new_ones_come_behind(shop):
    before = read_json(shop.model / "vocab.json")["text"]["words"]
    with shop.store.writing() as session:
        renamed = update(Product).where(Product.product_id == "10-0").values(title="livre zèbre")
        session.execute(renamed)
    retrain(shop, WARM)
    after = read_json(shop.model / "vocab.json")["text"]["words"]
    assert after == [*before, "zèbre"] and "zèbre" not in before


def test_a_class_that_came_and_one_that_went(shop):
    """The class list is that of the labels now; what stays is still known."""
    with shop.store.writing() as session:
        made = ProductClass(code="05", name_fr="5", name_en="5", position=9)
        session.add(made)
        session.flush()
        of_30 = Product.product_id.like("30-%")
        session.execute(update(Product).where(of_30).values(class_id=made.id))
    assert retrain(shop, replace(WARM, epochs1=8)).state == "succeeded", shop.job.error
    assert {row["code"] for row in read_json(shop.model / "classes.json")} == {"10", "20", "05"}
    assert tiny_shop.scores(shop)["test"]["fused"]["macro_f1"] > 0.9


def test_the_linear_heads_keep_their_strength_where_a_fresh_one_would_choose(shop, monkeypatch):
    def strengths():
        heads = read_json(shop.model / "config.json")["linear"]
        return {name: head["strength"] for name, head in heads.items()}

    before = strengths()
    assert set(before) == {"text", "image"} and all(before.values())
    monkeypatch.setattr("mmcore.linear_fit.STRENGTHS", (7.0,))
    retrain(shop, WARM)
    assert strengths() == before
    retrain(shop, replace(FROZEN, fresh=True))
    assert set(strengths().values()) == {7.0}


def test_a_backbone_that_was_tuned_goes_on_tuned_and_has_no_linear_head(tiny, tmp_path):
    """Its features flatter themselves on the products it has learnt from."""
    shop, name = in_production(tmp_path / "home", replace(CHOICES, epochs1=0, epochs2=1))
    before = load_parent(shop.workspace, name).model
    assert list(before.linear) == ["text"]
    retrain(shop, WARM)
    after = load_parent(shop.workspace, run_name(shop.job)).model
    pairs = zip(
        before.image_tower.backbone.state_dict().values(),
        after.image_tower.backbone.state_dict().values(),
        strict=True,
    )
    assert all(a.equal(b) for a, b in pairs) and "image" not in after.linear
    shop.store.close()


# -- which way it goes -------------------------------------------------------------------------


def test_without_a_wish_it_starts_from_production(shop):
    production = run_name(shop.job)
    assert retrain(shop, FROZEN).result["parent"] == production


def test_without_production_it_starts_fresh(tiny, tmp_path):
    shop = Shop(tmp_path / "home", choices=FROZEN)
    shop.work(PARTS)
    assert shop.job.state == "succeeded" and shop.job.result["parent"] is None
    assert read_manifest(shop.model).parent is None
    shop.store.close()


def test_what_production_cannot_give_is_told_and_trained_fresh(shop):
    job = retrain(shop, replace(FROZEN, backbone="mobilenet_v2"))
    assert job.state == "succeeded" and job.result["parent"] is None
    assert "trained from the start: no start from model" in shop.log
    assert "its backbone is efficientnet_lite0, this run's is mobilenet_v2" in shop.log


def test_by_wish_it_starts_fresh(shop):
    assert retrain(shop, replace(FROZEN, fresh=True)).result["parent"] is None


def test_a_wish_that_cannot_be_met_fails_the_job_with_the_remedy(shop):
    job = retrain(shop, replace(WARM, preset="seed", backbone="efficientnet_lite0"))
    assert job.state == "failed"
    assert "its preset is strong, this run's is seed" in job.error
    assert "train fresh (retrain --fresh)" in job.error


def test_a_wish_without_production_is_refused_before_a_job_is_made(tiny, tmp_path):
    shop = Shop(tmp_path / "home", choices=FROZEN)
    lead = ensure_actor(shop.store, "léa", "lead", 0.0)
    with pytest.raises(WarmStartError, match="no model is in production.*activate one.*--fresh"):
        submit_retrain(shop.store, lead, WARM, 0.0)
    shop.store.close()


# -- refusals ----------------------------------------------------------------------------------


def start(shop, catalogue=None, **choices):
    catalogue = load_catalogue(shop.store) if catalogue is None else catalogue
    given = RunChoices(parent=shop.model.name, **choices)
    return inherit(shop.workspace, given, catalogue)[0]


def test_what_is_not_chosen_is_the_parents(settled):
    found = start(settled)
    assert found.modalities == (TEXT, IMAGE) and found.weights == "random"
    assert found.backbone == "efficientnet_lite0"


REFUSED = {
    "its preset is strong, this run's is seed": {"preset": "seed"},
    "its backbone is efficientnet_lite0, this run's is efficientnet_b0": {
        "backbone": "efficientnet_b0"
    },
    r"its modalities is text\+image, this run's is text;": {"modalities": (TEXT,)},
}


@pytest.mark.parametrize("message", REFUSED)
def test_another_kind_of_network_is_refused_naming_both(settled, message):
    with pytest.raises(WarmStartError, match=message + ".*train fresh"):
        start(settled, **REFUSED[message])


MOVES = {("train", "test"): 36, ("val", "test"): 18, ("train", "val"): 36}


@pytest.mark.parametrize("move", MOVES)
def test_a_parent_that_learnt_from_what_judges_now_is_refused(settled, move):
    catalogue = load_catalogue(settled.store)
    before, after = move
    splits = catalogue.products["split"].replace(before, after)
    moved = replace(catalogue, products=catalogue.products.assign(split=splits))
    message = f"{MOVES[move]} of its {before} products are {after} products now"
    with pytest.raises(WarmStartError, match=message):
        start(settled, moved)


def test_a_parent_whose_labels_are_not_kept_is_refused(shop):
    for path in shop.workspace.snapshots.iterdir():
        path.unlink()
    with pytest.raises(WarmStartError, match="whether it has learnt from test products can't be"):
        start(shop)


def test_a_parent_of_other_classes_is_refused(settled):
    catalogue = load_catalogue(settled.store)
    labels = "x" + catalogue.products["label"]
    other = replace(catalogue, products=catalogue.products.assign(label=labels))
    with pytest.raises(WarmStartError, match="no product has any of its 3 classes"):
        start(settled, other)


def test_a_damaged_parent_is_refused(shop):
    (shop.model / "vocab.json").write_text("{}")
    with pytest.raises(WarmStartError, match="vocab.json was altered.*train fresh"):
        start(shop)


def test_a_parent_that_reads_a_column_which_is_gone_is_refused(tiny, tmp_path):
    shop = Shop(tmp_path / "home", choices=replace(FROZEN, modalities=("text", "price")))
    with shop.store.writing() as session:
        write_facts(session, CatalogueFacts("csv", extra=("price",)))
        session.execute(update(Product).values(extra={"price": "3"}))
    shop.work(PARTS)
    assert shop.job.state == "succeeded", shop.job.error
    catalogue = load_catalogue(shop.store)
    assert start(shop, catalogue).modalities[1].columns == ("price",)
    bare = replace(catalogue, products=catalogue.products.drop(columns="price"))
    with pytest.raises(WarmStartError, match="reads column 'price'.*--extra price, or train fresh"):
        start(shop, bare)
    shop.store.close()


# -- as long as it is needed -------------------------------------------------------------------


def test_pruning_leaves_the_model_that_an_unfinished_retrain_starts_from(shop):
    production = run_name(shop.job)
    asked = []
    shop.submit(WARM)
    shop.work(PARTS, is_stopping=lambda: asked.append(1) or len(asked) > 6)
    assert shop.job.state == "queued" and shop.job.result["parent"] == production
    with shop.store.writing() as session:
        session.execute(update(ModelVersion).values(stage="archived"))
    lead = ensure_actor(shop.store, "léa", "lead", 0.0)
    done = registry_upkeep.prune(shop.store, lead, shop.workspace, keep=0)
    assert done.kept[production] == "a retrain that has not ended starts from it"
    shop.work(PARTS)
    assert shop.job.state == "succeeded" and read_manifest(shop.model).parent == production
    done = registry_upkeep.prune(shop.store, lead, shop.workspace, keep=0)
    assert production in done.deleted


def test_a_parent_that_is_gone_when_the_run_goes_on_is_told(shop):
    asked = []
    folder = shop.model
    shop.submit(WARM)
    shop.work(PARTS, is_stopping=lambda: asked.append(1) or len(asked) > 6)
    (folder / "MANIFEST.json").unlink()
    shop.work(PARTS)
    assert shop.job.state == "failed" and "can't be used: its folder" in shop.job.error
    with pytest.raises(ArtifactError, match="is missing; restore it from a backup"):
        load_parent(shop.workspace, folder.name)
