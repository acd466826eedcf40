"""Why: each word, region and modality is worth what the answer loses without it."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mmcore.artifact import Artifact
from mmcore.backbones import build_backbone
from mmcore.build import build_model
from mmcore.catalog.class_names import ClassName
from mmcore.combiner import Combiner, Rule, patterns
from mmcore.config import (
    IMAGE,
    TEXT,
    RunChoices,
    build_run_config,
    linear_source,
    parse_modality,
)
from mmcore.encoders import fit_encoder, with_ngrams
from mmcore.errors import ProductError
from mmcore.explain import explain
from mmcore.linear import LinearHead
from mmcore.manifest import Manifest
from mmcore.runtime import ProductInput, Runtime

PRICE, REVIEWS = parse_modality("price"), parse_modality("reviews:text")
TRAIN = pd.DataFrame(
    {
        "title": ["piscine bleue", "livre ancien", "grande piscine"],
        "description": ["", "bleue", "été"],
        "price": ["100", "5", "300"],
        "reviews": ["trop petite", "bien écrit", "parfaite"],
    }
)


def runtime_of(*modalities) -> Runtime:
    """Return an untrained model whose decision rules all differ, so that none passes for another.

    The missing vectors differ from zero, too: in a new network they could not be told from it.
    """
    choices = RunChoices(weights="random", modalities=modalities, backbone="mobilenet_v2")
    config = build_run_config(choices)
    encoders = {m.name: fit_encoder(m, TRAIN) for m in modalities if m.kind != "image"}
    backbone = build_backbone("mobilenet_v2", None, seed=3) if IMAGE in modalities else None
    model = build_model(config.model, encoders, 3, backbone, seed=3).eval()
    with torch.no_grad():
        for i, vector in enumerate(model.missing):
            vector.fill_(0.5 + i)
    rules = {
        pattern: Rule({source: 0.4 + 0.3 * i for source in (*pattern, "fused")}, "test")
        for i, pattern in enumerate(patterns(model.names))
    }
    heads = {name: Rule({name: 1.0}, "test") for name in model.names}
    classes = tuple(ClassName(code, code, code) for code in ("10", "40", "2583"))
    manifest = Manifest("m1", "2026-01-01T00:00:00+00:00", "ab" * 32, "0.1.0", None, False)
    artifact = Artifact(manifest, config, model, encoders, classes, Combiner(rules, heads), {})
    return Runtime(artifact, torch.device("cpu"))


def with_linear_heads(runtime) -> Runtime:
    """Return the runtime with random linear heads, which enter every rule."""
    artifact, draw = runtime.artifact, torch.Generator().manual_seed(4)
    encoders = dict(artifact.encoders) | with_ngrams(artifact.encoders, TRAIN)
    widths = {name: encoders[name].ngrams.width for name in ("text", "reviews")}
    for name, width in {**widths, "image": 1280, "price": 1}.items():
        head = LinearHead(width, 3, is_sparse=name in widths)
        head.weight.normal_(generator=draw)
        artifact.model.linear[name] = head
    rules = {
        pattern: Rule(rule.weights | {linear_source(name): 0.7 for name in pattern}, "test")
        for pattern, rule in artifact.combiner.rules.items()
    }
    combiner = replace(artifact.combiner, rules=rules)
    return Runtime(replace(artifact, encoders=encoders, combiner=combiner), runtime.device)


@pytest.fixture(scope="module")
def linear():
    return with_linear_heads(runtime_of(TEXT, IMAGE, PRICE, REVIEWS))


@pytest.fixture(scope="module")
def both():
    return runtime_of(TEXT, IMAGE)


@pytest.fixture(scope="module")
def everything():
    return runtime_of(TEXT, IMAGE, PRICE, REVIEWS)


def log_fused(runtime, product, code) -> float:
    """Return what the runtime itself says of a product."""
    probs = runtime.predict_one(product).probs["fused"]
    return math.log(probs[runtime.artifact.class_codes.index(code)])


def weights(explanation, modality="text") -> dict[str, float]:
    return {w.word: w.weight for w in explanation.words if w.modality == modality}


def test_a_word_is_worth_what_the_answer_loses_without_it(both, make_photo):
    photo = make_photo()
    found = explain(both, ProductInput("Piscine bleue", "Grande, bleue !", photo), code="40")
    whole = log_fused(both, ProductInput("piscine bleue", "grande bleue", photo), "40")
    expected = {
        "piscine": whole - log_fused(both, ProductInput("bleue", "grande bleue", photo), "40"),
        "bleue": whole - log_fused(both, ProductInput("piscine", "grande", photo), "40"),
        "grande": whole - log_fused(both, ProductInput("piscine bleue", "bleue", photo), "40"),
    }
    assert weights(found) == pytest.approx(expected, abs=1e-5)
    assert [w.weight for w in found.words] == sorted(weights(found).values(), reverse=True)
    assert found.probability == pytest.approx(math.exp(whole), abs=1e-6)


@pytest.mark.parametrize("title", ["piscine", "piscine inconnue", "piscine PISCINE"])
def test_without_its_only_known_word_a_text_is_missing(both, make_photo, title):
    # what is left is the photo, decided by the photo's own rule
    photo = make_photo()
    found = explain(both, ProductInput(title, "", photo), code="10")
    without = log_fused(both, ProductInput(photo=photo), "10")
    expected = log_fused(both, ProductInput(title, "", photo), "10") - without
    assert weights(found) == pytest.approx({"piscine": expected}, abs=1e-5)
    (text, image) = found.ablation
    assert text.modality == "text" and math.log(text.without_it) == pytest.approx(without)


def test_with_nothing_left_every_class_is_equally_likely(both):
    for runtime in (both, runtime_of(TEXT)):
        product = ProductInput("piscine")
        found = explain(runtime, product)
        expected = log_fused(runtime, product, found.code) - math.log(1 / 3)
        assert weights(found) == pytest.approx({"piscine": expected}, abs=1e-5)
        assert found.regions is None
        assert [(row.modality, row.without_it) for row in found.ablation] == [("text", None)]


def test_a_photo_without_text_has_regions_and_no_words(both, make_photo):
    found = explain(both, ProductInput(photo=make_photo()))
    assert found.words == () and found.regions.shape == (7, 7)
    assert np.isfinite(found.regions).all() and found.regions.any()
    assert [(row.modality, row.without_it) for row in found.ablation] == [("image", None)]


def test_an_unreadable_photo_leaves_the_words(both):
    found = explain(both, ProductInput("livre", photo=b"<svg/>"))
    assert found.regions is None and set(weights(found)) == {"livre"}


def test_a_table_counts_as_a_whole_and_a_second_text_by_its_words(everything, make_photo):
    photo = make_photo()

    def product(title="livre", price="7", reviews="bien écrit"):
        return ProductInput(title, "", photo, extra={"price": price, "reviews": reviews})

    found = explain(everything, product(), code="40")
    whole = log_fused(everything, product(), "40")
    assert weights(found, "reviews") == pytest.approx(
        {
            "bien": whole - log_fused(everything, product(reviews="écrit"), "40"),
            "écrit": whole - log_fused(everything, product(reviews="bien"), "40"),
        },
        abs=1e-5,
    )
    assert weights(found) == pytest.approx(
        {"livre": whole - log_fused(everything, product(title=""), "40")}, abs=1e-5
    )
    by_name = {row.modality: row for row in found.ablation}
    assert list(by_name) == ["text", "image", "price", "reviews"]
    without = log_fused(everything, product(price=""), "40")
    assert math.log(by_name["price"].without_it) == pytest.approx(without, abs=1e-5)


def test_a_price_alone_is_explained_by_itself(everything):
    found = explain(everything, ProductInput(extra={"price": "7"}))
    assert found.words == () and found.regions is None
    assert [(row.modality, row.without_it) for row in found.ablation] == [("price", None)]


def test_linear_heads_are_part_of_the_answer_that_is_explained(linear, make_photo):
    def product(title="piscine bleue", photo=None, price="7", reviews="bien écrit"):
        return ProductInput(title, "", photo, extra={"price": price, "reviews": reviews})

    whole = log_fused(linear, product(), "40")
    found = explain(linear, product(), code="40")
    for word, left in (("piscine", "bleue"), ("bleue", "piscine")):
        loss = whole - log_fused(linear, product(title=left), "40")
        assert weights(found)[word] == pytest.approx(loss, abs=1e-4)
    loss = whole - log_fused(linear, product(reviews="bien"), "40")
    assert weights(found, "reviews")["écrit"] == pytest.approx(loss, abs=1e-4)

    photo = make_photo()
    regions = explain(linear, product(photo=photo), code="40").regions
    assert np.isfinite(regions).all() and regions.any()


def test_a_word_of_known_parts_alone_is_explained(linear):
    product = ProductInput("piscines")
    found = explain(linear, product, code="40")
    loss = log_fused(linear, product, "40") - math.log(1 / 3)
    assert weights(found) == pytest.approx({"piscines": loss}, abs=1e-4)


def test_an_unknown_class_names_those_there_are(both):
    with pytest.raises(ProductError, match="'7' is not among the model's 3 classes; .*10, 40, 25"):
        explain(both, ProductInput("livre"), code="7")


def test_nothing_to_predict_from_is_nothing_to_explain(both):
    with pytest.raises(ProductError, match="nothing to predict from"):
        explain(both, ProductInput("inconnue"))


def test_where_the_words_alone_decide_the_photo_speaks_for_nothing(both, make_photo):
    artifact = both.artifact
    rules = dict(artifact.combiner.rules) | {("text", "image"): Rule({"text": 1.0}, "text alone")}
    combiner = replace(artifact.combiner, rules=rules)
    runtime = Runtime(replace(artifact, combiner=combiner), both.device)
    found = explain(runtime, ProductInput("piscine bleue", "", make_photo()), code="40")
    assert found.regions.shape == (7, 7) and not found.regions.any()
    assert weights(found)["piscine"]
