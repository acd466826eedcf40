"""Which queue to work on: a popover above the Label screen."""

import streamlit as st

from mmcore.services.classes import list_classes
from mmcore.services.people import may
from mmcore.services.queue import MIX, QueueChoice
from mmcore.ui.desk import Desk

ORDERS = {
    MIX: "Mix: a bit of each, as the lead set it",
    "disagreement": "Disagreement: text and photo say different things",
    "margin": "Uncertainty: the first two classes are close (margin)",
    "entropy": "Uncertainty: many classes are possible (entropy)",
    "suspicion": "Suspect labels: text and photo both oppose the label",
    "newest": "Newest first",
    "random": "Random",
}
ONLY = {
    "undecided": "All that no person has decided",
    "unlabelled": "Only products without a label",
    "flagged": "Flagged products (leads)",
}


def choose_queue(desk: Desk, now: QueueChoice) -> QueueChoice:
    """Return the queue that the person wants; what is open on the screen isn't part of it."""
    with st.popover(f"Queue: {_short(now)}", width="content"):
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.get, key="queue.order", width=440
        )
        kinds = [kind for kind in ONLY if kind != "flagged" or may(desk.actor, "lead")]
        only = st.selectbox("Products", kinds, format_func=ONLY.get, key="queue.only", width=440)
        code = None
        if only != "unlabelled":
            code = _class(desk)
    return QueueChoice(order, only, code)


def _class(desk: Desk) -> str | None:
    names = {c.code: f"{c.code}  {c.name_fr}" for c in list_classes(desk.store)}
    return st.selectbox(
        "Label now",
        [None, *names],
        format_func=lambda code: names.get(code, "any"),
        key="queue.class",
        width=440,
    )


def _short(now: QueueChoice) -> str:
    parts = [ORDERS[now.order].split(":")[0].lower()]
    if now.only != "undecided":
        parts.append(now.only)
    if now.class_code:
        parts.append(f"class {now.class_code}")
    return ", ".join(parts)
