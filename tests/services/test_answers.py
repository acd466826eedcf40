"""What a model says, side by side: one order, one scale, words for what is missing, and why."""

import io

import pytest
import torch
from PIL import Image

from mmcore.catalog.class_names import Ranked
from mmcore.errors import ProductError
from mmcore.explain import explain
from mmcore.runtime import ProductInput, Runtime
from mmcore.services.answers import answer, classes_shown, known_words
from mmcore.services.why import explain_views


@pytest.fixture
def runtime(artifact):
    return Runtime(artifact, torch.device("cpu"), 1)


def test_every_view_is_sure_of_the_same_classes_on_one_scale(runtime, make_photo):
    said = answer(runtime, ProductInput("livre", "piscine", make_photo()))
    assert [view.view for view in said.views] == ["text", "image", "fused"]
    for view in said.views:
        assert set(view.probs) == {"10", "2583"} and sum(view.probs.values()) == pytest.approx(1)
        assert view.best.probability == max(view.probs.values()) == view.probs[view.best.code]
    first = {view.best.code for view in said.views if view.view != "fused"}
    assert said.is_agreed == (first == {said.fused.code})
    assert said.model == "m1" and said.classes[0] == said.fused


def test_what_is_missing_is_told_in_words(runtime, make_photo):
    said = answer(runtime, ProductInput("livre"))
    image = said.view("image")
    assert image.best is None and image.probs == {} and "photo" in image.absent
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


class Said:
    """An answer, as far as the order of its classes goes."""

    def __init__(self, codes, firsts):
        self.classes = tuple(Ranked(code, code, code, 0.1) for code in codes)
        self.views = [type("V", (), {"best": Ranked(code, code, code, 0.5)}) for code in firsts]


def test_classes_keep_their_places_when_another_answer_joins():
    mine, other = Said("abcde", "ab"), Said("fbacd", "fc")
    assert [bar.code for bar in classes_shown([mine])] == list("abcde")
    assert [bar.code for bar in classes_shown([mine, other])] == list("abcdef")
    assert [bar.code for bar in classes_shown([other, mine])] == list("fbacd")


def test_each_view_is_explained_by_what_it_sees(runtime, make_photo):
    product = ProductInput("livre été", "", make_photo())
    said = answer(runtime, product)
    why = explain_views(runtime, product, said)
    text, image, fused = (why.view(name) for name in ("text", "image", "fused"))
    assert set(text.weights) == {"livre", "été"} and text.regions == ()
    assert image.weights == {} and len(image.regions) == len(image.regions[0]) == 7
    assert set(fused.weights) == {"livre", "été"} and len(fused.regions) == 7
    for reasons in (text, image, fused):
        assert reasons.code == said.view(reasons.view).best.code
    # the text view by itself is the answer to a product that has nothing else
    alone = explain(runtime, ProductInput("livre été"), code=text.code)
    assert text.weights == pytest.approx({w.word: w.weight for w in alone.words})
    assert dict(fused.ablation).keys() == {"text", "image"}
    with Image.open(io.BytesIO(why.photo)) as seen:
        assert seen.size == (224, 224)


def test_of_one_modality_the_fused_reasons_are_its_own(runtime, make_photo):
    product = ProductInput("livre")
    why = explain_views(runtime, product, answer(runtime, product))
    assert why.view("fused").weights == why.view("text").weights != {}
    assert why.view("image") is None and why.photo == b""
