"""A retrain while it runs: where it stands, its curves, its log, and the button to cancel it."""

import time

import streamlit as st

from mmcore.services.jobs import JobView, cancel_job, view_job
from mmcore.services.people import may
from mmcore.ui.acts import acting
from mmcore.ui.charts import draw, learning_curves
from mmcore.ui.desk import Desk
from mmcore.ui.words import duration, moment

EVERY_S = 1.0
STATES = {
    "queued": (":material/schedule:", "waits for a worker"),
    "running": (":material/directions_run:", "runs"),
    "succeeded": (":material/check_circle:", "is done"),
    "failed": (":material/error:", "failed"),
    "cancelled": (":material/cancel:", "was cancelled"),
}


def live_run(desk: Desk, job_id: int) -> None:
    """Draw a job that is under way, anew each second until it has ended."""

    @st.fragment(run_every=EVERY_S)
    def watch() -> None:
        now = time.time()
        desk.backend.wake(now)  # a worker that died is replaced; the job goes on where it was
        job = view_job(desk.store, desk.workspace, job_id, now)
        if not job.is_active:
            st.rerun()
        _draw(desk, job, now)

    watch()


def _draw(desk: Desk, job: JobView, now: float) -> None:
    with st.container(border=True):
        left, right = st.columns([8, 2], vertical_alignment="center")
        left.subheader(headline(job))
        right.button(
            "Cancelling…" if job.cancel_requested else "Cancel",
            key="r.cancel",
            icon=":material/stop_circle:",
            width="stretch",
            disabled=job.cancel_requested or not may(desk.actor, "lead"),
            on_click=_cancel,
            args=(desk, job.id),
            help="Production stays as it is.",
        )
        st.progress(_share(job), text=_where(job, now))
        if job.is_silent:
            st.warning(
                "The worker has not been heard of for a while: another one takes the job over "
                "where it was.",
                icon=":material/hourglass_top:",
            )
        _numbers(job, now)
        if job.epochs:
            cells = st.columns(2)
            for cell, figure, name in zip(
                cells, learning_curves(job.epochs), ("loss", "f1"), strict=True
            ):
                with cell:
                    draw(figure, f"r.live.{name}", 240)
        for note in job.notes:
            st.text(note)
        show_log(job, is_open=False)


def headline(job: JobView) -> str:
    """Return a job and its state in words."""
    icon, words = STATES[job.state]
    return f"{icon} Job {job.id} {words}"


def show_log(job: JobView, is_open: bool) -> None:
    """Show the last lines of a job's log."""
    with st.expander("Log", expanded=is_open):
        st.code(job.log or "Nothing is logged yet.", language=None, height=220)


def _share(job: JobView) -> float:
    """Return how far the job is, by its stages; within one by what is counted there."""
    if not job.stage_number or not job.num_stages:
        return 0.0
    within = 0.0
    if job.stage == "training" and job.num_epochs and job.num_phases:
        epochs = (job.epoch - 1 + (job.step or 0) / (job.num_steps or 1)) / job.num_epochs
        within = (job.phase - 1 + epochs) / job.num_phases
    elif job.total:
        within = (job.done or 0) / job.total
    return min(1.0, (job.stage_number - 1 + min(1.0, within)) / job.num_stages)


def _where(job: JobView, now: float) -> str:
    if job.state == "queued":
        return "A worker is being started."
    parts = [f"{job.stage} ({job.stage_number} of {job.num_stages})" if job.stage else "starting"]
    if job.stage == "training":
        phase = f"phase {job.phase} of {job.num_phases} ({job.phase_name})"
        parts += [phase, f"epoch {job.epoch} of {job.num_epochs}"]
        parts.append(f"step {job.step} of {job.num_steps}")
    elif job.total:
        parts.append(f"{job.done:,} of {job.total:,}")
    if job.eta_s is not None:
        parts.append(f"about {duration(job.eta_s)} left of this stage")
    if job.started_at:
        parts.append(f"{duration(now - job.started_at)} so far")
    return ", ".join(parts)


def _numbers(job: JobView, now: float) -> None:
    cells = st.columns(5)
    cells[0].metric("Labels", f"{job.num_train + job.num_val:,}" if job.num_train else "–")
    cells[1].metric("Device", job.device or "–")
    cells[2].metric("Loss", f"{job.loss:.3f}" if job.loss is not None else "–")
    score = f"{job.macro_f1:.3f}" if job.macro_f1 is not None else "–"
    cells[3].metric("macro-F1 on val", score)
    cells[4].metric("Begun", moment(job.started_at) if job.started_at else "–", help=job.worker)


@acting
def _cancel(desk: Desk, job_id: int) -> None:
    cancel_job(desk.store, desk.actor, job_id, time.time())
