"""One label for many products: what would change, the button, and the undo."""

import time

import streamlit as st

from mmcore.services.bulk import BulkPreview, BulkRequest, Selection, bulk_label, preview
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.acts import acting, done, needs, token, undo_button
from mmcore.ui.catalogue.filters import class_names
from mmcore.ui.desk import Desk

TOKEN, LAST = "b.token", "b.last"
SHOWN = 6  # classes of a preview


def act_bar(desk: Desk, selected: list[int], wanted: ProductFilter | None) -> None:
    """Draw whom the act meets, the label to give, and the button."""
    left, middle, right = st.columns([3, 4, 3], vertical_alignment="bottom")
    options = ["the selected ones"] + (["all that the filters mean"] if wanted else [])
    whom = left.segmented_control("Products", options, default=options[0], key="b.whom")
    target = wanted if whom == options[-1] and wanted else Selection(tuple(selected))
    names = class_names(desk)
    code = middle.selectbox(
        "Label (type to find it)",
        [None, *names],
        format_func=lambda c: names.get(c, "choose a class"),
        key="b.code",
    )
    if isinstance(target, Selection) and not target.ids:
        right.button("Label 0 products", disabled=True, width="stretch")
        st.caption("Select cards by click, Shift-click, or with the arrow keys and Space; A: all.")
        return
    found = preview(desk.store, target)
    is_filter = not isinstance(target, Selection)
    role = needs(desk, "lead" if is_filter else "annotator")
    right.button(
        f"Label {found.count:,} products",
        type="primary",
        width="stretch",
        disabled=code is None or not found.count or role is not None,
        help=role and f"{'a whole filter' if is_filter else 'labelling'} {role}",
        on_click=_label,
        args=(desk, target, found, code),
    )
    if found.count:
        st.caption(f"They are now: {_told(found, names)}")


def _told(found: BulkPreview, names: dict[str, str]) -> str:
    parts = [f"{num:,} {names.get(code, 'without a label')}" for code, num in found.classes[:SHOWN]]
    more = f", and {len(found.classes) - SHOWN} more classes" if len(found.classes) > SHOWN else ""
    return ", ".join(parts) + more


@acting
def _label(desk: Desk, target: Selection | ProductFilter, found: BulkPreview, code: str) -> str:
    request = BulkRequest(target, token(TOKEN), found.seen, found.count)
    act = bulk_label(desk.store, desk.actor, request, code, time.time())
    done(TOKEN)
    st.session_state[LAST] = (act.act_id, f"{act.count:,} products labelled {code}")
    left = f" {act.changed_by_others:,} were changed by others meanwhile and left alone."
    return f"{act.count:,} products labelled {code}.{left if act.changed_by_others else ''}"


def undo_bar(desk: Desk) -> None:
    """Draw the button that takes the last act back; also where its products have left the list."""
    if LAST not in st.session_state:
        return
    act_id, told = st.session_state[LAST]

    def forget() -> str:
        del st.session_state[LAST]
        return ""

    undo_button(desk, act_id, f"Undo: {told}", f"b.undo.{act_id}", after=forget)
