"""Saving the product of the Predict screen into the catalogue, with a label."""

import time

import streamlit as st

from mmcore.services.add_product import NewProduct, Saved, save_product
from mmcore.services.answers import Answer
from mmcore.services.classes import list_classes
from mmcore.services.labelling import product_named
from mmcore.ui.acts import acting, caught_up, needs, undo_button
from mmcore.ui.desk import Desk
from mmcore.ui.predict.subject import Subject
from mmcore.ui.screens import screen_named

NOTHING_STORED = "Nothing of this is stored, unless you save it."
SAVED = "p.saved"


def save_box(desk: Desk, whole: Subject, said: Answer, taken: str) -> str:
    """Draw the label to save with and the one button that saves, or where the product is already.

    Args:
        taken: id of the product where it is one of the catalogue as it stands, "" otherwise.

    Returns:
        The id of the product where it is in the catalogue now, "" where it isn't.
    """
    of, saved = st.session_state.get(SAVED, (None, None))
    if taken:
        _is_there(taken, "It is in the catalogue already: nothing needs to be saved.")
        return taken
    is_saved = saved is not None and of == whole
    if not is_saved:
        st.caption(NOTHING_STORED)
    names = {c.code: f"{c.code}  {c.name_fr}" for c in list_classes(desk.store)}
    suggested = said.fused.code
    codes = [None, *names]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    code = left.selectbox(
        "Label",
        codes,
        index=codes.index(suggested) if suggested in codes else 0,
        format_func=lambda c: names.get(c, "no label yet: leave it to the queue"),
        key=f"p.save.{suggested}",
    )
    right.button(
        "Save to the catalogue",
        type="primary",
        icon=":material/library_add:",
        width="stretch",
        disabled=needs(desk, "lead") is not None,
        help=needs(desk, "lead"),
        on_click=_save,
        args=(desk, whole, code),
    )
    if not is_saved:
        return ""
    _is_there(saved.product_id, f"Saved as product {saved.product_id}.")
    if saved.act_id is not None and product_named(desk.store, saved.product_id).label:
        undo_button(desk, saved.act_id, "Undo the label", "p.undo")
    return saved.product_id


def _is_there(product_id: str, told: str) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.text(told)
    right.page_link(
        screen_named("product_page").file,
        label="Open the product",
        icon=":material/open_in_new:",
        query_params={"id": product_id},
    )


@acting
def _save(desk: Desk, whole: Subject, code: str | None) -> str:
    new = NewProduct(whole.title, whole.description, whole.photo, whole.extra)
    saved = save_product(desk.store, desk.actor, desk.workspace, new, code, time.time())
    of, before = st.session_state.get(SAVED, (None, None))
    if saved.act_id is None and of == whole:  # a second click: the first one's label stands
        saved = Saved(saved.product_id, before.act_id)
    st.session_state[SAVED] = (whole, saved)
    label = f" with label {code}." if code else ", waiting in the queue."
    return f"In the catalogue{label}{caught_up(desk)}"
