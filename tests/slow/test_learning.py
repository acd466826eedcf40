"""What a model learns from the drawn catalogue; floors well above chance, which is 1 in 27."""

import json

import numpy as np
import pytest
from photo_files import encode_photo

from mmcore.cli.app import main
from mmcore.explain import explain
from mmcore.images import decode_photo
from mmcore.photos import PhotoStore
from mmcore.runtime import ProductInput
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.models import list_models
from mmcore.settings import read_settings
from mmcore.text import words

NUM_EXPLAINED = 40


@pytest.fixture(scope="module")
def scores(drawn):
    model = list_models(drawn)[0].name
    path = drawn.models / model / "metrics.json"
    return json.loads(path.read_text())["scores"]["test"]


@pytest.fixture(scope="module")
def test_products(drawn):
    """Return whole test products: with title, description and photo."""
    products = read_catalogue(drawn, read_settings(drawn.home)).products
    whole = products[
        (products["split"] == "test") & (products["photo"] != "") & (products["description"] != "")
    ]
    store = PhotoStore(drawn.photos)
    rows = list(whole.itertuples())[:NUM_EXPLAINED]
    assert len(rows) >= 10
    return [ProductInput(r.title, r.description, store.read(r.photo)) for r in rows]


def test_every_view_is_far_above_chance(scores):
    assert scores["text"]["macro_f1"] > 0.35
    assert scores["image"]["macro_f1"] > 0.35
    assert scores["fused"]["macro_f1"] > 0.5


def test_fused_is_no_worse_than_the_better_modality(scores):
    better = max(scores["text"]["macro_f1"], scores["image"]["macro_f1"])
    assert scores["fused"]["macro_f1"] >= better - 0.03


def test_a_missing_modality_leaves_the_other_ones_quality(scores):
    assert scores["fused_without_image"]["macro_f1"] >= scores["text"]["macro_f1"] - 0.03
    assert scores["fused_without_text"]["macro_f1"] >= scores["image"]["macro_f1"] - 0.03


def test_evaluate_repeats_the_scores_of_training(drawn, scores, capsys):
    assert main(["evaluate", "--home", str(drawn.home), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    for view, expected in scores.items():
        assert again[view]["macro_f1"] == pytest.approx(expected["macro_f1"], abs=1e-9), view


def test_removing_the_top_words_costs_more_than_removing_random_ones(runtime, test_products):
    drops = {"top": [], "random": []}
    draw = np.random.default_rng(0)
    for product in test_products:
        prediction = runtime.predict_one(product)
        explanation = explain(runtime, product, prediction)
        ranked = [w.word for w in explanation.words]
        if len(ranked) < 8:
            continue
        chosen = {"top": ranked[:3], "random": list(draw.choice(ranked, 3, replace=False))}
        for name, gone in chosen.items():
            left = ProductInput(
                without(product.title, gone), without(product.description, gone), product.photo
            )
            after = runtime.predict_one(left).probs["fused"][class_index(runtime, explanation)]
            drops[name].append(explanation.probability - after)
    assert len(drops["top"]) >= 10
    assert np.mean(drops["top"]) > 2 * np.mean(drops["random"])
    assert np.mean(drops["top"]) > 0.02


def test_hiding_the_top_regions_costs_more_than_hiding_random_ones(runtime, test_products):
    drops = {"top": [], "random": []}
    draw = np.random.default_rng(0)
    for product in test_products:
        only_photo = ProductInput(photo=product.photo)
        explanation = explain(runtime, only_photo)
        pixels = decode_photo(product.photo)
        order = np.argsort(-explanation.regions.ravel())
        chosen = {"top": order[:10], "random": draw.choice(49, 10, replace=False)}
        for name, cells in chosen.items():
            hidden = ProductInput(photo=png(with_grey_cells(pixels, cells)))
            after = runtime.predict_one(hidden).probs["fused"][class_index(runtime, explanation)]
            drops[name].append(explanation.probability - after)
    assert np.mean(drops["top"]) > np.mean(drops["random"])


def test_ablation_is_what_the_views_say(runtime, test_products):
    prediction = runtime.predict_one(test_products[0])
    explanation = explain(runtime, test_products[0], prediction)
    rows = {row.modality: row for row in explanation.ablation}
    target = class_index(runtime, explanation)
    assert rows["text"].without_it == prediction.probs["fused_without_text"][target]
    assert rows["image"].without_it == prediction.probs["fused_without_image"][target]
    assert rows["text"].with_it == explanation.probability


def test_the_explained_probability_is_the_predicted_one(runtime, test_products):
    for product in test_products[:5]:
        prediction = runtime.predict_one(product)
        assert explain(runtime, product).probability == prediction.top(k=1)[0].probability


def test_the_demo_says_that_it_is_drawn(drawn, capsys):
    assert main(["demo", "--home", str(drawn.home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drawn"] is True
    assert list_models(drawn)[0].is_drawn


def class_index(runtime, explanation):
    return runtime.artifact.class_codes.index(explanation.code)


def without(text, gone):
    return " ".join(word for word in words(text) if word not in gone)


def with_grey_cells(pixels, cells):
    hidden = pixels.copy()
    for cell in cells:
        row, column = divmod(int(cell), 7)
        hidden[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32] = 128
    return hidden


def png(pixels):
    return encode_photo(pixels, "PNG")
