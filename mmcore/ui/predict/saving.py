"""Saving the product of the Predict screen into the catalogue, with a label."""

import time

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.add_product import NewProduct, add_product, label_new
from mmcore.services.answers import Answer
from mmcore.services.classes import list_classes
from mmcore.services.people import may
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell, tell_error

NOTHING_STORED = "Nothing of this is stored, unless you save it."


def save_box(desk: Desk, new: NewProduct, said: Answer | None) -> None:
    """Draw the label to save with, and the one button that saves."""
    st.caption(NOTHING_STORED)
    names = {c.code: f"{c.code}  {c.name_fr}" for c in list_classes(desk.store)}
    suggested = said.view("fused").best.code if said else None
    codes = [None, *names]
    is_lead = may(desk.actor, "lead")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    code = left.selectbox(
        "Label",
        codes,
        index=codes.index(suggested) if suggested in codes else 0,
        format_func=lambda c: names.get(c, "no label yet"),
        key=f"p.save.{suggested}",
    )
    right.button(
        "Save to the catalogue",
        type="primary",
        width="stretch",
        disabled=not is_lead,
        help=None if is_lead else f"needs the role lead; {desk.actor.name} is {desk.actor.role}",
        on_click=_save,
        args=(desk, new, code),
    )


def _save(desk: Desk, new: NewProduct, code: str | None) -> None:
    now = time.time()
    try:
        product_id = add_product(desk.store, desk.actor, desk.workspace, new, now)
        if code:
            label_new(desk.store, desk.actor, product_id, code, now)
    except MmcoreError as error:
        tell_error(error)
        return
    tell(f"Saved as product {product_id}" + (f" with label {code}." if code else "."))
