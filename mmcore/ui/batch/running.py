"""A batch while it is predicted: progress, and the button to cancel."""

import streamlit as st

from mmcore.services.batch_run import BatchRun, unfinished_batch
from mmcore.services.batches import Batch
from mmcore.ui.acts import acting
from mmcore.ui.desk import Desk
from mmcore.ui.runtimes import runtime_of, usable_versions
from mmcore.ui.screens import screen_named
from mmcore.ui.words import duration, plain

EVERY_S = 0.5
STOPPED_WITHIN_S = 10.0  # a piece of 64 products takes a second or two


@st.cache_resource(show_spinner=False)
def runs() -> dict[str, BatchRun]:
    """Return the batches being predicted in this process, by id: a reloaded page finds them."""
    return {}


def running(batch: Batch) -> BatchRun | None:
    """Return the run of a batch, None where none is under way."""
    found = runs().get(batch.id)
    if found is not None and not found.is_running:
        runs().pop(batch.id, None)  # it holds a whole model
        return None
    return found


def stop(batch: Batch) -> None:
    """Cancel the run of a batch where there is one, and wait until it has ended."""
    if (run := running(batch)) is not None:
        run.cancel()
        run.wait(STOPPED_WITHIN_S)


def start_box(desk: Desk, batch: Batch) -> None:
    """Draw the model and the button that begins."""
    versions = usable_versions(desk)
    if not versions:
        st.warning("No model is here yet: train one first.", icon=":material/model_training:")
        st.page_link(screen_named("retrain_page").file, label="Go to Retrain")
        return
    names = {v.name: f"{v.name} ({v.stage})" for v in versions}
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    model = left.selectbox("Model", list(names), format_func=names.get, key="x.model")
    word = "Predict again" if batch.state == "done" else "Predict"
    right.button(
        word,
        type="secondary" if batch.state == "done" else "primary",
        icon=":material/auto_awesome:",
        width="stretch",
        on_click=_start,
        args=(desk, batch, model),
    )
    if kept := unfinished_batch(batch):
        st.info(
            f"{plain(str(kept))}, are kept: {plain(kept.model)} goes on from there, another model "
            "begins anew.",
            icon=":material/resume:",
        )
    if batch.error:
        show = st.error if batch.state == "failed" else st.info
        show(plain(batch.error), icon=":material/info:")


@acting
def _start(desk: Desk, batch: Batch, model: str) -> None:
    if running(batch) is not None:
        return
    runtime = runtime_of(desk, model)
    runs()[batch.id] = BatchRun(batch, lambda: runtime)


def progress_box(batch: Batch) -> None:
    """Draw how far it is, anew twice a second until it has ended."""

    @st.fragment(run_every=EVERY_S)
    def watch() -> None:
        run = running(batch)
        if run is None:
            st.rerun()
        share = run.at.done / run.at.total if run.at and run.at.total else 0.0
        st.progress(min(1.0, share), text=_told(run))
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key="x.cancel",
            on_click=run.cancel,
            disabled=run.is_cancelled,
        )

    watch()
    st.caption("You may leave this page or close it: the prediction goes on while the app runs.")


def _told(run: BatchRun) -> str:
    if run.is_cancelled:
        return "cancelling: the products at hand are being finished"
    if run.at is None:
        return "reading the table"
    told = f"{run.at.done:,} of {run.at.total:,} products"
    if run.at.rate is None or run.at.left_s is None:
        return told
    return f"{told}, {run.at.rate:,.0f} a second, about {duration(run.at.left_s)} left"
