"""Retrain: what would be learnt, one button, the live run, and what came of it."""

import streamlit as st

from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.retrain.choices import choice_card
from mmcore.ui.retrain.ended import chosen_job, ended_run, past_jobs
from mmcore.ui.retrain.live import live_run

desk = enter("retrain_page")
job = None
with errors_shown():
    job = chosen_job(desk)
is_asked_for = "job" in st.query_params
if job is not None and job.is_active:
    live_run(desk, job.id)
elif job is not None and is_asked_for:
    # what came of a run stands where the run stood; the next one is prepared below it
    with errors_shown():
        ended_run(desk, job)
    with errors_shown():
        choice_card(desk)
else:
    with errors_shown():
        choice_card(desk)
    if job is not None:
        with errors_shown():
            ended_run(desk, job)
past_jobs(desk)
