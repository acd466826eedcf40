"""The filters above a list of products; what they hold is in the session, under one prefix."""

from collections.abc import Sequence

import streamlit as st

from mmcore.services.classes import name_classes
from mmcore.services.people import list_people
from mmcore.services.product_choice import ProductChoice
from mmcore.ui.desk import Desk

SPLITS = ("train", "val", "test")
STATES = {
    "labelled": {"is_labelled": True},
    "without a label": {"is_labelled": False},
    "flagged": {"is_flagged": True},
    "with photo": {"has_photo": True},
    "without photo": {"has_photo": False},
    "with near-copies": {"has_copies": True},
}


def class_names(desk: Desk, with_archived: bool = False) -> dict[str, str]:
    """Return code -> code and French name, in the order of the screen."""
    found = name_classes(desk.store, with_archived)
    return {c.code: f"{c.code}  {c.name_fr}" for c in found}


def product_filters(desk: Desk, prefix: str, with_people: bool = True) -> ProductChoice:
    """Draw the filters; return what they mean.

    Args:
        prefix: of their keys; `set_filter` uses it, too.
    """
    names = class_names(desk)
    row = st.columns([4, 3, 3, 2, 3, *([2] if with_people else [])])
    search = row[0].text_input(
        "Search", key=f"{prefix}.search", placeholder="words of title, description or id"
    )
    labels = _classes(row[1], "Label", names, f"{prefix}.labels")
    predicted = _classes(row[2], "Predicted (fused)", names, f"{prefix}.predicted")
    split = row[3].selectbox("Split", ["any", *SPLITS], key=f"{prefix}.split")
    states = row[4].multiselect("Only", list(STATES), key=f"{prefix}.states", placeholder="all")
    person = None
    if with_people:
        people = [found.name for found in list_people(desk.store)]
        chosen = row[5].selectbox("Annotated by", ["anybody", *people], key=f"{prefix}.person")
        person = None if chosen == "anybody" else chosen
    chars = st.session_state.get(f"{prefix}.chars")
    photos = st.session_state.get(f"{prefix}.photos")
    if chars:
        _lift(prefix, "chars", f"Text of {chars[0]:,} to {chars[1]:,} characters")
    if photos:
        _lift(prefix, "photos", f"{len(photos):,} photos of one size")
    return ProductChoice(
        classes=tuple(labels),
        predicted=tuple(predicted),
        split=None if split == "any" else split,
        annotator=person,
        search=search,
        text_chars=chars,
        photos=photos,
        **{name: value for state in states for name, value in STATES[state].items()},
    )


def _lift(prefix: str, name: str, told: str) -> None:
    """Draw a filter that a click has set, as a button that lifts it."""
    st.button(
        f"{told}: click to lift",
        icon=":material/close:",
        key=f"{prefix}.lift.{name}",
        on_click=set_filter,
        args=(prefix, name, None),
    )


def set_filter(prefix: str, name: str, value) -> None:
    """Set one of the filters, in a callback or before they are drawn."""
    st.session_state[f"{prefix}.{name}"] = value


def _classes(column, label: str, names: dict[str, str], key: str) -> Sequence[str]:
    return column.multiselect(
        label, list(names), format_func=lambda code: names.get(code, code), key=key
    )
