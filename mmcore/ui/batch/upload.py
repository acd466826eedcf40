"""Uploading a table with its photos; the files go to disk at once, and the server lets them go."""

import time

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.batches import (
    KEPT_DAYS,
    PHOTO_ENDINGS,
    SOURCES,
    Batch,
    Upload,
    create_batch,
    delete_batch,
    list_batches,
)
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell, tell_error
from mmcore.ui.words import moment

TURN = "x.turn"
ID = "id"


def upload_box(desk: Desk) -> None:
    """Draw the uploaders; once files are kept, the address names the batch."""
    turn = st.session_state.setdefault(TURN, 0)
    st.subheader("A catalogue: its table, and its photos")
    left, right = st.columns(2)
    table = left.file_uploader(
        "Table: CSV or Excel", [s.lstrip(".") for s in SOURCES], key=f"x.table.{turn}"
    )
    way = right.segmented_control(
        "Photos", ["ZIP or files", "Folder"], default="ZIP or files", key="x.way", required=True
    )
    photos = right.file_uploader(
        "Photos of the products, under the names that the table gives",
        ["zip", *(e.lstrip(".") for e in PHOTO_ENDINGS)],
        accept_multiple_files=True if way == "ZIP or files" else "directory",
        key=f"x.photos.{way}.{turn}",
    )
    st.caption(
        f"Kept in the workspace for {KEPT_DAYS} days, or until you delete it; nothing goes into "
        "the catalogue before you say so."
    )
    if st.button("Keep and check", type="primary", disabled=table is None):
        _keep(desk, [table, *photos], turn)


def _keep(desk: Desk, files: list, turn: int) -> None:
    uploads = [Upload(file.name, file) for file in files]
    try:
        with st.spinner("Keeping the files…"):
            batch = create_batch(desk.workspace, uploads, time.time())
    except MmcoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    # new uploaders: the server forgets its copies of the files
    st.session_state[TURN] = turn + 1
    st.query_params[ID] = batch.id
    st.rerun()


def batch_list(desk: Desk) -> None:
    """Draw the uploads that are kept, each a link."""
    batches = list_batches(desk.workspace)
    if not batches:
        return
    st.subheader("Uploads so far")
    for batch in batches:
        left, middle, right = st.columns([3, 6, 1], vertical_alignment="center")
        left.button(
            batch.name, key=f"x.open.{batch.id}", on_click=_open, args=(batch.id,), width="stretch"
        )
        told = [moment(batch.created_at), batch.state]
        if batch.num_predicted:
            told.append(f"{batch.num_predicted:,} predicted by {batch.model}")
        middle.text("  ·  ".join(told))
        right.button(
            "Delete",
            key=f"x.delete.{batch.id}",
            type="tertiary",
            on_click=_delete,
            args=(desk, batch),
        )


def _open(batch_id: str) -> None:
    st.query_params[ID] = batch_id


def _delete(desk: Desk, batch: Batch) -> None:
    try:
        delete_batch(desk.workspace, batch.id)
    except MmcoreError as error:
        tell_error(error)
        return
    st.query_params.pop(ID, None)
    tell(f"{batch.name} is deleted; the catalogue keeps what was added to it.")
