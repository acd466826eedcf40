"""How far the team is, how much each did and how fast, and on which days."""

import time

import plotly.graph_objects as go
import streamlit as st

from mmcore.services.pace import work_by_day, work_by_person
from mmcore.services.queue import queue_state
from mmcore.ui.charts import draw
from mmcore.ui.colours import FURTHER_COLOURS
from mmcore.ui.desk import Desk
from mmcore.ui.words import moment

DAYS_S = 60 * 86_400.0  # shown


def progress_box(desk: Desk) -> None:
    """Draw what is done and what waits."""
    found = queue_state(desk.store, time.time())
    cells = st.columns(6)
    cells[0].metric("Decided by people", f"{found.done:,}")
    cells[1].metric("Waiting", f"{found.waiting:,}")
    cells[2].metric("of these without a label", f"{found.unlabelled:,}")
    cells[3].metric(
        "Second opinions", f"{found.second_opinions:,}", help="They wait for another person."
    )
    cells[4].metric("Flagged", f"{found.flagged:,}", help="They wait for a lead.")
    cells[5].metric("Open now", f"{found.open_now:,}")
    total = found.done + found.waiting
    st.progress(found.done / total if total else 0.0)


def people_work(desk: Desk) -> None:
    """Draw what each person did, and when."""
    rows = work_by_person(desk.store)
    if not rows:
        st.info("Nobody has labelled yet: the Label screen is where it begins.")
        return
    st.dataframe(
        {
            "person": [row.annotator for row in rows],
            "labels": [row.labels for row in rows],
            "as suggested": [row.accepted for row in rows],
            "in bulk": [row.bulk for row in rows],
            "skipped": [row.skips for row in rows],
            "flagged": [row.flags for row in rows],
            "taken back": [row.undone for row in rows],
            "hours": [row.active_hours for row in rows],
            "labels an hour": [row.labels_per_hour for row in rows],
            "last seen": [moment(row.last_at) for row in rows],
        },
        hide_index=True,
        column_config={
            "hours": st.column_config.NumberColumn(
                format="%.2f", help="Between acts less than five minutes apart."
            ),
            "labels an hour": st.column_config.NumberColumn(format="%.0f"),
        },
    )
    _days(desk)


def _days(desk: Desk) -> None:
    rows = work_by_day(desk.store, time.time() - DAYS_S)
    if not rows:
        return
    figure = go.Figure()
    for person in dict.fromkeys(row.annotator for row in rows):
        mine = [row for row in rows if row.annotator == person]
        figure.add_trace(
            go.Bar(x=[row.day for row in mine], y=[row.labels for row in mine], name=person)
        )
    # people are no modality: other colours than theirs
    figure.update_layout(title="Labels a day (UTC)", barmode="stack", colorway=FURTHER_COLOURS)
    figure.update_xaxes(type="category")
    draw(figure, "t.days", 260)
