"""Team: progress and pace, agreement, anchoring, conflicts, people and their roles."""

import streamlit as st

from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.team.people import people_box, who_am_i
from mmcore.ui.team.quality import adjudication_box, agreement_box, anchoring_box
from mmcore.ui.team.work import people_work, progress_box

PARTS = ("Work", "Quality", "People")

desk = enter("team_page")
with errors_shown():
    who_am_i(desk)
    part = st.segmented_control("Show", PARTS, default=PARTS[0], key="t.part", required=True)
    if part == "Work":
        progress_box(desk)
        people_work(desk)
    elif part == "Quality":
        left, right = st.columns(2, gap="medium")
        with left:
            agreement_box(desk)
        with right:
            anchoring_box(desk)
        adjudication_box(desk)
    else:
        people_box(desk)
