"""What a model says about one product, ready to be shown side by side: one scale, one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.config import FUSED, IMAGE, TEXT

if TYPE_CHECKING:
    from mmcore.runtime import Prediction, ProductInput, TorchRuntime

TOP = 5  # classes of each view that are shown
VIEWS = (TEXT.name, IMAGE.name, FUSED)


@dataclass(frozen=True)
class Bar:
    """A class and the probability that one view gives it (0 to 1)."""

    code: str
    name_fr: str
    name_en: str
    probability: float


@dataclass(frozen=True)
class ViewAnswer:
    """One view's answer.

    Attributes:
        bars: the same classes in the same order as in every other view; () without an answer.
        best: the first choice of this view, None without an answer.
        absent: why there is no answer, "" with one.
    """

    view: str
    best: Bar | None
    bars: tuple[Bar, ...]
    absent: str


@dataclass(frozen=True)
class Word:
    """A word as the model reads it; `is_known` where it is in the vocabulary."""

    text: str
    is_known: bool


@dataclass(frozen=True)
class Answer:
    """Everything that one model says about one product.

    Attributes:
        views: text, image, fused, then further modalities.
        agreement: in words: do the views say the same?
        is_agreed: None with fewer than two views besides the fused one.
        words: of title and description, cleaned, in their order.
        problems: what was left out and why.
    """

    model: str
    views: tuple[ViewAnswer, ...]
    agreement: str
    is_agreed: bool | None
    words: tuple[Word, ...]
    problems: tuple[str, ...]

    def view(self, name: str) -> ViewAnswer:
        """Return one view's answer."""
        return next(view for view in self.views if view.view == name)


def answer(runtime: "TorchRuntime", product: "ProductInput") -> Answer:
    """Return what a model says about a product.

    Raises:
        ProductError: if nothing can be predicted from it; the message says why.
    """
    prediction = runtime.predict_one(product)
    names = [*VIEWS, *(n for n in runtime.artifact.model.names if n not in VIEWS)]
    codes = _codes(prediction, names)
    views = tuple(_view(prediction, name, codes) for name in names)
    is_agreed, told = _agreement(views)
    return Answer(
        model=runtime.artifact.manifest.name,
        views=views,
        agreement=told,
        is_agreed=is_agreed,
        words=known_words(runtime, (product.title, product.description)),
        problems=prediction.problems,
    )


def _codes(prediction: "Prediction", names: Sequence[str]) -> list[str]:
    """Return the classes to show: the fused answer's best, and every view's first choice."""
    best = [ranked.code for ranked in prediction.top(FUSED, TOP)]
    firsts = [ranked.code for name in names for ranked in prediction.top(name, 1)]
    return list(dict.fromkeys([*best, *firsts]))


def _view(prediction: "Prediction", name: str, codes: Sequence[str]) -> ViewAnswer:
    if name not in prediction.probs:
        return ViewAnswer(name, None, (), _absent(prediction, name))
    known = {c.code: (i, c) for i, c in enumerate(prediction.classes)}
    bars = []
    for code in codes:
        i, c = known[code]
        bars.append(Bar(code, c.name_fr, c.name_en, float(prediction.probs[name][i])))
    first = prediction.top(name, 1)[0]
    best = Bar(first.code, first.name_fr, first.name_en, first.probability)
    return ViewAnswer(name, best, tuple(bars), "")


def _absent(prediction: "Prediction", name: str) -> str:
    """Return why a view has no answer, in the words of the prediction where it has some."""
    found = next((problem for problem in prediction.problems if problem.startswith(name)), None)
    return found or ("no photo is given" if name == IMAGE.name else f"no {name} is given")


def _agreement(views: Sequence[ViewAnswer]) -> tuple[bool | None, str]:
    single = [view for view in views if view.view != FUSED and view.best]
    fused = next(view.best for view in views if view.view == FUSED)
    if len(single) < 2:
        alone = single[0].view if single else "nothing"
        return None, f"only {alone} is at hand: there is nothing to agree with"
    if len({view.best.code for view in single}) == 1:
        if single[0].best.code == fused.code:
            return True, "all views agree"
        return False, f"the views agree on {single[0].best.name_fr}, fused prefers another"
    followed = [view.view for view in single if view.best.code == fused.code]
    whom = f"fused goes with {' and '.join(followed)}" if followed else "fused takes a third class"
    return False, f"the views disagree: {whom}"


def known_words(runtime: "TorchRuntime", texts: Sequence[str]) -> tuple[Word, ...]:
    """Return the words of texts as the model reads them, and whether it knows each."""
    from mmcore.encoders import TextEncoder
    from mmcore.text import words

    encoder = runtime.artifact.encoders.get(TEXT.name)
    known = encoder.vocabulary.ids if isinstance(encoder, TextEncoder) else {}
    return tuple(Word(word, word in known) for text in texts for word in words(text))
