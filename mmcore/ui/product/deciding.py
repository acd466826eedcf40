"""Labelling, flagging and undoing on a product's own page."""

import time

import streamlit as st

from mmcore.services.browse import ProductDetail
from mmcore.services.history import HistoryLine
from mmcore.services.labelling import Seen, flag, label, unflag
from mmcore.services.people import may
from mmcore.ui.acts import acting, token, undo_button
from mmcore.ui.desk import Desk


def decide_bar(
    desk: Desk, product: ProductDetail, history: tuple[HistoryLine, ...], names: dict[str, str]
) -> None:
    """Draw the label with its button, the flag, and the undo of what was done last."""
    is_allowed = may(desk.actor, "annotator") and product.removed_at is None
    needed = None if is_allowed else "needs the role annotator, and a product of the catalogue"
    now_label = product.label.code if product.label else None
    left, save, mark, back = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
    codes = [None, *names]
    if now_label and now_label not in names:  # an archived class: kept, but never given anew
        codes.append(now_label)
    code = left.selectbox(
        "Label",
        codes,
        index=codes.index(now_label) if now_label in codes else 0,
        format_func=lambda c: names.get(c, f"{c} (archived)" if c else "no label"),
        key=f"o.label.{product.id}.{product.version}",
    )
    save.button(
        "Save the label",
        type="primary",
        width="stretch",
        disabled=not is_allowed or code in (None, now_label),
        help=needed,
        on_click=_label,
        args=(desk, _seen(product), code),
    )
    with mark.popover("Unflag" if product.is_flagged else "Flag", width="stretch"):
        word = "How was it settled?" if product.is_flagged else "What is wrong?"
        comment = st.text_input(word, key=f"o.comment.{product.id}.{product.version}")
        st.button(
            "Take the flag away" if product.is_flagged else "Flag it for a lead",
            disabled=not is_allowed,
            on_click=_flag,
            args=(desk, product, comment),
        )
    last = next((h for h in reversed(history) if not h.is_undone and not h.undoes_act), None)
    can_undo = last is not None and is_allowed and last.act_kind not in ("class", "import")
    with back:
        undo_button(desk, last.act_id if can_undo else None, "Undo the last act", "o.undo")


def _seen(product: ProductDetail) -> Seen:
    # one token a version: a double click acts once, and the next decision is another one
    return Seen(product.id, product.version, token(f"product.{product.id}.{product.version}"))


@acting
def _label(desk: Desk, seen: Seen, code: str) -> str:
    label(desk.store, desk.actor, seen, code, time.time())
    return f"Saved: {code}."


@acting
def _flag(desk: Desk, product: ProductDetail, comment: str) -> None:
    act = unflag if product.is_flagged else flag
    act(desk.store, desk.actor, _seen(product), comment, time.time())
