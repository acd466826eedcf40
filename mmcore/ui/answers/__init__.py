"""Text-only, image-only and fused answers side by side: one order of classes, one scale, and why.

What goes in (`data`, JSON):
    mark: yes, no or none: do the views agree? told: the same in words; model: its name.
    other: what the thin grey bars are, "" without any.
    is_pending: reasons are on their way.
    photo: data URL of the photo as the network sees it, "" without one.
    words: [{text, is_known}], the text as the model reads it; num_known of them.
    views: [{view, title, note, absent, best and other_best: {code, fr, en, p} or null,
        bars: [{code, fr, en, p, other}] with p or other null where that model lacks the class,
        why: null, or {name, weights: {word: weight}, regions (7 x 7 or []),
        ablation: [{without, p or null}]}}].
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcore.catalog.class_names import Ranked
from mmcore.services.answers import Answer, ViewAnswer, classes_shown
from mmcore.services.why import ViewWhy, Why
from mmcore.ui.components import component

TITLES = {"text": "Text only", "image": "Image only", "fused": "Fused"}
MARKS = {True: "yes", False: "no", None: "none"}


_mount = component(Path(__file__).parent, "answers")


@dataclass(frozen=True)
class Beside:
    """Another answer, laid beside the first as thin bars.

    Attributes:
        name: what it is, in words: another model, or the whole product.
        leads: its classes come first, so that they stay where they were before something was left
            out of the product.
    """

    answer: Answer
    name: str
    leads: bool = False


def draw_answers(said: Answer, key: str, why: Why | None, beside: Beside | None = None) -> None:
    """Show what a model says, and why (None while that is being worked out)."""
    _mount(key=key, data=answers_data(said, why, beside))


def answers_data(said: Answer, why: Why | None, beside: Beside | None = None) -> dict[str, Any]:
    """Return what the browser draws; see above."""
    other = beside.answer if beside else None
    answers = [said, *([other] if other else [])]
    classes = classes_shown(answers[::-1] if beside and beside.leads else answers)
    photo = why.photo if why else b""
    return {
        "mark": MARKS[said.is_agreed],
        "told": said.agreement,
        "model": said.model,
        "other": beside.name if beside else "",
        "is_pending": why is None,
        "photo": f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}" if photo else "",
        "words": [{"text": word.text, "is_known": word.is_known} for word in said.words],
        "num_known": sum(word.is_known for word in said.words),
        "views": [_view(view, said, why, classes, other) for view in said.views],
    }


def _view(
    view: ViewAnswer,
    said: Answer,
    why: Why | None,
    classes: tuple[Ranked, ...],
    other: Answer | None,
) -> dict[str, Any]:
    note = ""
    if view.view != "fused" and view.best:
        note = "✓ as fused" if view.best.code == said.fused.code else "≠ other than fused"
    beside = next((v for v in other.views if v.view == view.view), None) if other else None
    reasons = why.view(view.view) if why else None
    return {
        "view": view.view,
        "title": TITLES.get(view.view, f"{view.view} only"),
        "note": note,
        "absent": view.absent,
        "best": _best(view.best),
        "other_best": _best(beside.best) if beside else None,
        "bars": [
            {
                **_named(bar),
                "p": view.probs.get(bar.code),
                "other": beside.probs.get(bar.code) if beside else None,
            }
            for bar in classes
        ],
        "why": _why(reasons) if reasons else None,
    }


def _named(bar: Ranked) -> dict[str, Any]:
    return {"code": bar.code, "fr": bar.name_fr, "en": bar.name_en}


def _best(bar: Ranked | None) -> dict[str, Any] | None:
    return {**_named(bar), "p": bar.probability} if bar else None


def _why(reasons: ViewWhy) -> dict[str, Any]:
    return {
        "name": reasons.name,
        "weights": reasons.weights,
        "regions": [list(row) for row in reasons.regions],
        "ablation": [{"without": name, "p": p} for name, p in reasons.ablation],
    }
