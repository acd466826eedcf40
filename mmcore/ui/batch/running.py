"""A batch while it is predicted: progress, and the button to cancel."""

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.batch_run import BatchRun
from mmcore.services.batches import Batch
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell_error
from mmcore.ui.runtimes import runtime_of, usable_versions
from mmcore.ui.words import duration

EVERY_S = 0.5


@st.cache_resource(show_spinner=False)
def runs() -> dict[str, BatchRun]:
    """Return the batches being predicted in this process, by id: a reloaded page finds them."""
    return {}


def running(batch: Batch) -> BatchRun | None:
    """Return the run of a batch, None where none is under way."""
    found = runs().get(batch.id)
    return found if found and found.is_running else None


def start_box(desk: Desk, batch: Batch) -> None:
    """Draw the model and the button that begins."""
    versions = usable_versions(desk)
    if not versions:
        st.warning("No model is here yet: train one on the Retrain screen.")
        return
    names = {v.name: f"{v.name} ({v.stage})" for v in versions}
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    model = left.selectbox("Model", list(names), format_func=names.get, key="x.model")
    word = "Predict" if batch.state == "new" else "Predict again"
    right.button(
        word,
        type="primary" if batch.state == "new" else "secondary",
        icon=":material/auto_awesome:",
        width="stretch",
        on_click=_start,
        args=(desk, batch, model),
    )
    if batch.state in ("failed", "cancelled"):
        show = st.error if batch.state == "failed" else st.info
        show(batch.error, icon=":material/error:")


def _start(desk: Desk, batch: Batch, model: str) -> None:
    if running(batch) is not None:
        return
    try:
        runtime = runtime_of(desk, model)
    except MmcoreError as error:
        tell_error(error)
        return
    runs()[batch.id] = BatchRun(batch, lambda: runtime)


def progress_box(batch: Batch) -> None:
    """Draw how far it is, anew twice a second until it has ended."""

    @st.fragment(run_every=EVERY_S)
    def watch() -> None:
        run = running(batch)
        if run is None:
            st.rerun()
        share = run.done / run.total if run.total else 0.0
        told = f"{run.done:,} of {run.total:,} products" if run.total else "loading the model"
        if run.eta_s is not None:
            told += f", about {duration(run.eta_s)} left"
        st.progress(min(1.0, share), text=told)
        st.button("Cancel", icon=":material/stop_circle:", key="x.cancel", on_click=run.cancel)

    watch()
