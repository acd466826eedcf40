"""What stands where products that are alike will stand, while the catalogue is still being read."""

import streamlit as st

from mmcore.services.neighbours import NeighbourIndex
from mmcore.ui.desk import Desk
from mmcore.ui.runtimes import live_index

LOOK_EVERY_S = 2


def neighbours_or_wait(desk: Desk, name: str) -> NeighbourIndex | None:
    """Return the index; None where the page was told how far its reading is.

    The page is drawn again once it is there.

    Raises:
        MmcoreError: if the model's folder is damaged or gone, or the texts can't be read.
    """
    live, revision = live_index(desk, name)
    with st.spinner("Reading the catalogue to find what is alike…", show_time=False):
        index = live.ask(revision)
    if index is not None:
        return index

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if live.ask(revision, patience_s=0) is not None:
            st.rerun()
        done, total = live.progress
        told = f"{done:,} of {total:,} products" if total else "beginning"
        st.text(
            f"The catalogue is being read to find what is alike: {told}. Once for each model; "
            "everything else works meanwhile."
        )
        st.progress(done / total if total else 0.0)

    look()
    return None
