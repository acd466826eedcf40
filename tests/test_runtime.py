"""Predictions of one product and of many, with anything missing."""

import threading

import numpy as np
import pytest
import torch

from mmcore.errors import ProductError
from mmcore.runtime import ProductInput, Runtime

BOTH = {"text", "image", "fused", "fused_without_image", "fused_without_text"}


@pytest.fixture(scope="module")
def runtime(artifact):
    return Runtime(artifact, torch.device("cpu"))


def test_a_whole_product_has_every_view(runtime, make_photo):
    prediction = runtime.predict_one(ProductInput("piscine", "grande", make_photo()))
    assert set(prediction.probs) == BOTH and prediction.problems == ()
    for probs in prediction.probs.values():
        assert probs.shape == (2,) and probs.sum() == pytest.approx(1)


def test_text_alone(runtime):
    prediction = runtime.predict_one(ProductInput("piscine"))
    assert set(prediction.probs) == {"text", "fused", "fused_without_image"}
    assert np.array_equal(prediction.probs["fused"], prediction.probs["fused_without_image"])
    assert prediction.problems == ("image (photo) is not given",)


def test_photo_alone(runtime, make_photo):
    prediction = runtime.predict_one(ProductInput(photo=make_photo()))
    assert set(prediction.probs) == {"image", "fused", "fused_without_text"}


def test_an_unreadable_photo_counts_as_missing_and_is_told(runtime):
    prediction = runtime.predict_one(ProductInput("livre", photo=b"<svg/>"))
    assert "image" not in prediction.probs
    assert "SVG" in prediction.problems[0]


@pytest.mark.parametrize(
    ("product", "message"),
    [
        (ProductInput(), "text .title, description. is not given; image .photo. is not given"),
        (ProductInput("zzz qqq"), "holds no word the model knows"),
        (ProductInput(photo=b"no photo"), "not that of a photo"),
    ],
)
def test_nothing_to_predict_from(runtime, product, message):
    with pytest.raises(ProductError, match=message):
        runtime.predict_one(product)


def test_a_batch_equals_its_products_one_by_one(runtime, make_photo):
    products = [
        ProductInput("piscine", photo=make_photo(seed=1)),
        ProductInput("livre"),
        ProductInput(),
        ProductInput(photo=make_photo(seed=2)),
    ]
    together = runtime.predict(products)
    assert together[2].probs == {}
    for product, found in zip(products, together, strict=True):
        if found.probs:
            alone = runtime.predict_one(product)
            assert set(alone.probs) == set(found.probs)
            for view, probs in alone.probs.items():
                assert np.allclose(probs, found.probs[view], atol=1e-6)


def test_top_is_sorted_and_named(runtime):
    top = runtime.predict_one(ProductInput("piscine")).top(k=5)
    assert len(top) == 2 and top[0].probability >= top[1].probability
    assert {r.name_fr for r in top} == {c.name_fr for c in runtime.artifact.classes}
    assert runtime.predict_one(ProductInput("piscine")).top("image") == []


def test_no_products_no_predictions(runtime):
    assert runtime.predict([]) == []


def test_a_stream_takes_one_piece_ahead_and_answers_in_order(runtime):
    taken = []

    def pieces():
        for number in range(6):
            taken.append(number)
            yield [ProductInput("piscine", product_id=f"{number}-{i}") for i in range(2)]

    answers = runtime.stream(pieces())
    first = next(answers)
    assert [p.product_id for p in first] == ["0-0", "0-1"] and len(taken) <= 2
    rest = [p.product_id for piece in answers for p in piece]
    assert rest == [f"{number}-{i}" for number in range(1, 6) for i in range(2)]


def test_a_stream_that_is_left_leaves_no_thread(runtime, make_photo):
    before = threading.active_count()
    photo = make_photo()
    answers = runtime.stream([ProductInput("piscine", photo=photo)] for _ in range(9))
    next(answers)
    answers.close()
    assert threading.active_count() == before


def test_what_a_stream_takes_may_fail_and_the_error_arrives(runtime):
    def pieces():
        yield [ProductInput("piscine")]
        raise OSError("the disk is gone")

    answers = runtime.stream(pieces())
    assert next(answers)
    with pytest.raises(OSError, match="the disk is gone"):
        next(answers)


def test_many_products_are_the_sum_of_their_pieces(runtime, monkeypatch):
    products = [ProductInput(title) for title in ("piscine", "livre", "", "été", "piscine livre")]
    whole = runtime.predict(products)
    monkeypatch.setattr("mmcore.runtime.PIECE", 2)
    for one, other in zip(whole, runtime.predict(products), strict=True):
        assert one.probs.keys() == other.probs.keys()
        for view, probs in one.probs.items():
            assert probs == pytest.approx(other.probs[view], abs=1e-6)
