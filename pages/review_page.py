"""Review: suspect labels, conflicts between people, what the last retrain changed; by key."""

import time

import streamlit as st

from mmcore.services.reviewing import KINDS, flag_precision, review_counts
from mmcore.ui import label_board
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.review.round import Round, go_on, handle
from mmcore.ui.review.view import review_data

NAMES = {
    "suspects": "Suspect labels",
    "conflicts": "Conflicts",
    "changed": "Changed by the last retrain",
}

desk = enter("review_page")
with errors_shown():
    counts = review_counts(desk.store)
    left, right = st.columns([3, 2], vertical_alignment="center")
    kind = left.segmented_control(
        "Review",
        KINDS,
        format_func=lambda k: f"{NAMES[k]} ({counts[k]:,})",
        default=KINDS[0],
        key="v.kind",
        required=True,
        label_visibility="collapsed",
    )
    right.caption(
        flag_precision(desk.store) + " Enter or 1 keeps the label, 2 to 5 take another opinion."
    )
turn: Round = st.session_state.setdefault(f"review.{desk.actor.id}.{kind}", Round(kind))
if turn.case is None:
    turn.later.clear()  # all was put off: whoever runs the page anew wants to see it again


@st.fragment
def board() -> None:
    def act() -> None:
        handle(desk, turn, label_board.act_of(), time.time())

    with errors_shown():
        go_on(desk, turn, time.time())
        label_board.draw(review_data(desk, turn), act)


board()
