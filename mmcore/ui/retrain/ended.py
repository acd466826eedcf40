"""A retrain that has ended: its result, or why there is none."""

import time

import streamlit as st

from mmcore.services.jobs import JobView, list_jobs, view_job
from mmcore.ui.charts import draw, learning_curves
from mmcore.ui.desk import Desk
from mmcore.ui.retrain.choices import again_button
from mmcore.ui.retrain.difference import show_confusion, show_difference
from mmcore.ui.retrain.live import STATES, headline, show_log
from mmcore.ui.retrain.verdict import decision_bar, show_verdict, version_of
from mmcore.ui.words import duration, moment, plain

LISTED = 100  # newest jobs looked through; other kinds than retrains are among them
PARTS = ("Scores", "Products that changed", "What is taken for what", "Curves and log")


def ended_run(desk: Desk, job: JobView) -> None:
    """Draw what came of a job."""
    st.subheader(headline(job))
    if job.started_at and job.ended_at:
        st.caption(
            f"{moment(job.ended_at)}, took {duration(job.ended_at - job.started_at)}, "
            f"started by {job.who or 'nobody'}"
        )
    if job.state == "failed":
        told = job.error or "It failed without a word; see the log."
        st.error(plain(told), icon=":material/error:")
        st.caption("Production stayed as it was. Put right what the message names, then try again.")
    if job.state == "cancelled":
        st.info("It was cancelled; production stayed as it was.", icon=":material/cancel:")
    if job.state in ("failed", "cancelled"):
        again_button(desk, job)
    version = version_of(desk, job.model) if job.model else None
    if version is None:
        show_log(job, is_open=job.state == "failed")
        return
    decision_bar(desk, version, f"r.{job.id}")
    part = st.segmented_control("Show", PARTS, default=PARTS[0], key="r.part", required=True)
    if part == PARTS[0]:
        show_verdict(desk, version)
    elif part == PARTS[1]:
        against = version.verdict.get("against") if version.verdict else None
        if against:
            show_difference(desk, against, version.name)
        else:
            st.info("There was no production model to compare it with.", icon=":material/balance:")
    elif part == PARTS[2]:
        show_confusion(desk, version.name)
    else:
        _curves(job)
        show_log(job, is_open=True)


def _curves(job: JobView) -> None:
    if not job.epochs:
        return
    for cell, figure, name in zip(
        st.columns(2), learning_curves(job.epochs), ("loss", "f1"), strict=True
    ):
        with cell:
            draw(figure, f"r.ended.{name}", 260)


def past_jobs(desk: Desk) -> None:
    """Draw the list of retrains, each a link."""
    found = list_jobs(desk.store, time.time(), limit=LISTED)
    # one under way is drawn by itself, anew each second; a line here would soon be out of date
    jobs = [job for job in found if job.kind == "retrain" and not job.is_active]
    st.subheader("Retrains so far")
    if not jobs:
        st.caption("None has ended yet.")
        return
    for job in jobs:
        icon, words = STATES[job.state]
        left, right = st.columns([2, 8])
        left.button(
            f"{icon} Job {job.id}",
            key=f"r.job.{job.id}",
            on_click=_choose,
            args=(job.id,),
            width="stretch",
        )
        told = [words, moment(job.created_at), job.who, job.model]
        right.text("  ·  ".join(part for part in told if part))


def _choose(job_id: int) -> None:
    st.query_params["job"] = str(job_id)


def chosen_job(desk: Desk) -> JobView | None:
    """Return the job of the address, else the active one, else the newest."""
    now = time.time()
    wanted = st.query_params.get("job", "")
    if wanted.isdecimal():
        return view_job(desk.store, desk.workspace, int(wanted), now)
    active = [j for j in list_jobs(desk.store, now, is_active=True) if j.kind == "retrain"]
    newest = active or [j for j in list_jobs(desk.store, now, limit=LISTED) if j.kind == "retrain"]
    return view_job(desk.store, desk.workspace, newest[0].id, now) if newest else None
