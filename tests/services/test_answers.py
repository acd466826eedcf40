"""What a model says, side by side: one order, one scale, words for what is missing."""

import pytest
import torch

from mmcore.errors import ProductError
from mmcore.runtime import ProductInput, TorchRuntime
from mmcore.services.answers import answer, known_words


@pytest.fixture
def runtime(artifact):
    return TorchRuntime(artifact, torch.device("cpu"), 1)


def test_every_view_shows_the_same_classes_in_the_same_order(runtime, make_photo):
    said = answer(runtime, ProductInput("livre", "piscine", make_photo()))
    assert [view.view for view in said.views] == ["text", "image", "fused"]
    orders = {tuple(bar.code for bar in view.bars) for view in said.views}
    assert len(orders) == 1
    for view in said.views:
        assert sum(bar.probability for bar in view.bars) == pytest.approx(1, abs=1e-5)
        assert view.best.probability == max(bar.probability for bar in view.bars)
    first = {view.best.code for view in said.views if view.view != "fused"}
    assert said.is_agreed == (first == {said.view("fused").best.code})
    assert said.model == "m1"


def test_what_is_missing_is_told_in_words(runtime, make_photo):
    said = answer(runtime, ProductInput("livre"))
    image = said.view("image")
    assert image.best is None and image.bars == () and "photo" in image.absent
    assert said.is_agreed is None and said.agreement.startswith("only text is at hand")
    unknown = answer(runtime, ProductInput("xyzzy", photo=make_photo()))
    assert "holds no word the model knows" in unknown.view("text").absent


def test_nothing_to_go_by_is_refused(runtime):
    with pytest.raises(ProductError, match="nothing to predict from"):
        answer(runtime, ProductInput("xyzzy"))


def test_words_are_shown_as_the_model_reads_them(runtime):
    words = known_words(runtime, ("<b>Livre</b> ROUGE", "d'été"))
    assert [(w.text, w.is_known) for w in words if w.text in ("livre", "rouge", "été")] == [
        ("livre", True),
        ("rouge", False),
        ("été", True),
    ]
