"""What a model says about one product, ready to be shown side by side: one scale, one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.catalog.class_names import Ranked
from mmcore.config import FUSED, IMAGE, TEXT

if TYPE_CHECKING:
    from mmcore.runtime import Prediction, ProductInput, Runtime

TOP = 5  # best classes of the fused answer that are shown
VIEWS = (TEXT.name, IMAGE.name, FUSED)


@dataclass(frozen=True)
class ViewAnswer:
    """One view's answer.

    Attributes:
        best: the first choice of this view, None without an answer.
        probs: class code -> probability, of every class that the model knows; {} without an answer.
        absent: why there is no answer, "" with one.
    """

    view: str
    best: Ranked | None
    probs: Mapping[str, float]
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
        classes: the classes to show, in the order to show them in: the fused answer's best, then
            the first choice of any other view that isn't among them.
        views: text, image, fused, then further modalities.
        agreement: in words: do the views say the same?
        is_agreed: None with fewer than two views besides the fused one.
        words: of title and description, cleaned, in their order.
        problems: what was left out and why.
    """

    model: str
    classes: tuple[Ranked, ...]
    views: tuple[ViewAnswer, ...]
    agreement: str
    is_agreed: bool | None
    words: tuple[Word, ...]
    problems: tuple[str, ...]

    def view(self, name: str) -> ViewAnswer:
        """Return one view's answer."""
        return next(view for view in self.views if view.view == name)

    @property
    def fused(self) -> Ranked:
        """Return the fused answer's first choice."""
        return self.view(FUSED).best


def answer(runtime: "Runtime", product: "ProductInput") -> Answer:
    """Return what a model says about a product.

    Raises:
        ProductError: if nothing can be predicted from it; the message says why.
    """
    prediction = runtime.predict_one(product)
    names = [*VIEWS, *(n for n in runtime.artifact.model.names if n not in VIEWS)]
    views = tuple(_view(prediction, name) for name in names)
    is_agreed, told = _agreement(views)
    return Answer(
        model=runtime.artifact.manifest.name,
        classes=_classes(prediction, views),
        views=views,
        agreement=told,
        is_agreed=is_agreed,
        words=known_words(runtime, (product.title, product.description)),
        problems=prediction.problems,
    )


def classes_shown(answers: Sequence[Answer]) -> tuple[Ranked, ...]:
    """Return the classes to show for answers that are laid beside each other.

    Those of the first answer keep their places, so that nothing jumps when another one joins.
    """
    found = {bar.code: bar for said in reversed(answers) for bar in said.classes}
    codes = dict.fromkeys(bar.code for said in answers[:1] for bar in said.classes)
    firsts = [view.best.code for said in answers for view in said.views if view.best]
    return tuple(found[code] for code in dict.fromkeys([*codes, *firsts]))


def _classes(prediction: "Prediction", views: Sequence[ViewAnswer]) -> tuple[Ranked, ...]:
    best = [Ranked(r.code, r.name_fr, r.name_en, r.probability) for r in prediction.top(FUSED, TOP)]
    shown = {bar.code for bar in best}
    firsts = {view.best.code: view.best for view in views if view.best}
    return (*best, *(bar for code, bar in firsts.items() if code not in shown))


def _view(prediction: "Prediction", name: str) -> ViewAnswer:
    if name not in prediction.probs:
        return ViewAnswer(name, None, {}, _absent(prediction, name))
    pairs = zip(prediction.classes, prediction.probs[name], strict=True)
    first = prediction.top(name, 1)[0]
    best = Ranked(first.code, first.name_fr, first.name_en, first.probability)
    return ViewAnswer(name, best, {c.code: float(p) for c, p in pairs}, "")


def _absent(prediction: "Prediction", name: str) -> str:
    """Return why a view has no answer, in the words of the prediction where it has some."""
    found = next((problem for problem in prediction.problems if problem.startswith(name)), None)
    if name == IMAGE.name:
        about_photo = (p for p in prediction.problems if "photo" in p)
        return next(about_photo, found) or "this model looks at no photo"
    return found or f"this model reads no {name}"


def _agreement(views: Sequence[ViewAnswer]) -> tuple[bool | None, str]:
    single = [view for view in views if view.view != FUSED and view.best]
    fused = next(view.best for view in views if view.view == FUSED)
    if len(single) < 2:
        alone = f"only {single[0].view} is" if single else "nothing is"
        return None, f"{alone} at hand: there is nothing to agree with"
    if len({view.best.code for view in single}) == 1:
        if single[0].best.code == fused.code:
            return True, "all views agree"
        return False, f"the views agree on {single[0].best.name_fr}, fused prefers another"
    followed = [view.view for view in single if view.best.code == fused.code]
    whom = f"fused goes with {' and '.join(followed)}" if followed else "fused takes a third class"
    return False, f"the views disagree: {whom}"


def known_words(runtime: "Runtime", texts: Sequence[str]) -> tuple[Word, ...]:
    """Return the words of texts as the model reads them, and whether it knows each."""
    from mmcore.encoders import TextEncoder
    from mmcore.text import words

    encoder = runtime.artifact.encoders.get(TEXT.name)
    known = encoder.vocabulary.ids if isinstance(encoder, TextEncoder) else {}
    return tuple(Word(word, word in known) for text in texts for word in words(text))
