"""Batch: a whole catalogue uploaded, checked, predicted, browsed, downloaded or added."""

import streamlit as st

from mmcore.services.batch_check import require_usable
from mmcore.services.batches import read_batch
from mmcore.ui.batch.mapping import check_box, mapping_box
from mmcore.ui.batch.results import result_box
from mmcore.ui.batch.running import progress_box, running, start_box
from mmcore.ui.batch.upload import batch_asked_for, batch_list, close_batch, upload_box
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.words import plain

desk = enter("batch_page")
batch = None
with errors_shown():
    if batch_id := batch_asked_for():
        batch = read_batch(desk.workspace, batch_id)
if batch is None:
    upload_box(desk)
    batch_list(desk)
    st.stop()
left, right = st.columns([8, 2], vertical_alignment="center")
left.subheader(plain(batch.name))
right.button("Another upload", icon=":material/arrow_back:", width="stretch", on_click=close_batch)
if running(batch):
    progress_box(batch)
    st.stop()
if batch.state == "done":  # what came of it stands before what it was made from
    with errors_shown():
        result_box(desk, batch)
    st.subheader("The upload")
with errors_shown():
    mapping_box(batch)
    require_usable(check_box(batch))
    start_box(desk, batch)
