"""Text-only, image-only and fused answers side by side: one order of classes, one scale, and why.

What goes in (`data`, JSON):
    views: [{view, title, note, absent, best: a bar or null, bars: [{code, fr, en, p}]}].
    why: null, or {name of the class, words: [{text, weight}], photo (data URL), regions (7 x 7),
        ablation: [{without, p or null}]}.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from mmcore.services.answers import Answer, Bar, ViewAnswer

_HERE = Path(__file__).parent
TITLES = {"text": "Text only", "image": "Image only", "fused": "Fused"}


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "rayon.answers",
    html=_part("answers.html"),
    css=_part("answers.css"),
    js=_part("answers.js"),
)


def draw_answers(answer: Answer, key: str, why: dict[str, Any] | None = None) -> None:
    """Show what a model says, and why where that was asked for."""
    fused = answer.view("fused").best
    views = [_view(view, fused) for view in answer.views]
    _mount(key=key, data={"views": views, "why": why})


def _view(view: ViewAnswer, fused: Bar | None) -> dict[str, Any]:
    note = ""
    if view.view != "fused" and view.best and fused:
        note = "✓ as fused" if view.best.code == fused.code else "≠ other than fused"
    return {
        "view": view.view,
        "title": TITLES.get(view.view, f"{view.view} only"),
        "note": note,
        "best": _bar(view.best) if view.best else None,
        "bars": [_bar(bar) for bar in view.bars],
        "absent": view.absent,
    }


def _bar(bar: Bar) -> dict[str, Any]:
    return {"code": bar.code, "fr": bar.name_fr, "en": bar.name_en, "p": bar.probability}
