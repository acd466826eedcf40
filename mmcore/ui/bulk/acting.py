"""One label for many products: what would change, the button, and the undo."""

import secrets
import time

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.bulk import BulkPreview, BulkRequest, Selection, bulk_label, preview
from mmcore.services.people import may
from mmcore.services.undoing import undo
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.catalogue.filters import class_names
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell, tell_error

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
    is_allowed = may(desk.actor, "lead" if is_filter else "annotator")
    right.button(
        f"Label {found.count:,} products",
        type="primary",
        width="stretch",
        disabled=code is None or not found.count or not is_allowed,
        help=None if is_allowed else "a whole filter needs the role lead",
        on_click=_label,
        args=(desk, target, found, code),
    )
    if found.count:
        st.caption(f"They are now: {_told(found, names)}")


def _told(found: BulkPreview, names: dict[str, str]) -> str:
    parts = [f"{num:,} {names.get(code, 'without a label')}" for code, num in found.classes[:SHOWN]]
    more = f", and {len(found.classes) - SHOWN} more classes" if len(found.classes) > SHOWN else ""
    return ", ".join(parts) + more


def _label(desk: Desk, target: Selection | ProductFilter, found: BulkPreview, code: str) -> None:
    # kept until it succeeded: a double click is one act
    token = st.session_state.setdefault(TOKEN, secrets.token_urlsafe(16))
    request = BulkRequest(target, token, found.seen, found.count)
    now = time.time()
    try:
        done = bulk_label(desk.store, desk.actor, request, code, now)
    except MmcoreError as error:
        tell_error(error)
        return
    st.session_state.pop(TOKEN, None)
    st.session_state[LAST] = (done.act_id, done.count, code)
    left = f" {done.changed_by_others:,} were changed by others meanwhile and left alone."
    tell(f"{done.count:,} products labelled {code}.{left if done.changed_by_others else ''}")


def undo_bar(desk: Desk) -> None:
    """Draw the button that takes the last act back; also where its products have left the list."""
    if LAST not in st.session_state:
        return
    act_id, count, code = st.session_state[LAST]
    st.button(
        f"Undo: {count:,} products labelled {code}",
        icon=":material/undo:",
        on_click=_undo,
        args=(desk, act_id),
    )


def _undo(desk: Desk, act_id: int) -> None:
    now = time.time()
    try:
        done = undo(desk.store, desk.actor, secrets.token_urlsafe(16), now, act_id)
    except MmcoreError as error:
        tell_error(error)
        return
    st.session_state.pop(LAST, None)
    kept = f" {done.kept:,} were changed since and keep that." if done.kept else ""
    tell(f"{done.restored:,} products have their labels back.{kept}", ":material/undo:")
