"""Which model is asked, and what of the product it gets to see."""

from collections.abc import Sequence

import streamlit as st

from mmcore.services.batch_prediction import extra_columns
from mmcore.services.prediction import given_product
from mmcore.ui.desk import Desk
from mmcore.ui.predict.subject import DESCRIPTION, EXTRA, TITLE, photo_bytes
from mmcore.ui.runtimes import runtime_of, usable_versions


def choose_models(desk: Desk) -> tuple[str | None, str | None]:
    """Return the model to ask, and the one to compare it with (None for none)."""
    versions = usable_versions(desk)
    if not versions:
        return None, None
    names = {v.name: f"{v.name} ({v.stage})" for v in versions}
    left, right, _ = st.columns([3, 3, 7])
    model = left.selectbox("Model", list(names), format_func=names.get, key="p.model")
    others = [None, *(name for name in names if name != model)]
    other = right.selectbox(
        "Compare with",
        others,
        format_func=lambda name: names.get(name, "no other"),
        key="p.other",
        disabled=len(others) == 1,
    )
    return model, other


def further_columns(desk: Desk, model: str) -> list[str]:
    """Return the columns beside title, description and photo that the model reads."""
    return extra_columns(runtime_of(desk, model))


def product_of(columns: Sequence[str], without: Sequence[str]):
    """Return the product as the model is to see it (None for nothing), and as it would be saved."""
    title = st.session_state.get(TITLE, "")
    description = st.session_state.get(DESCRIPTION, "")
    photo = photo_bytes()
    extra = {c: v for c in columns if (v := st.session_state.get(f"{EXTRA}.{c}", "").strip())}
    if not (title.strip() or description.strip() or photo or extra):
        return None, None
    seen = given_product(
        "" if "title" in without else title,
        "" if "description" in without else description,
        None if "photo" in without else photo,
        extra,
    )
    return seen, (title, description, photo, "", extra)
