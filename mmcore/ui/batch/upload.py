"""Uploading a table with its photos; the files go to disk at once, and the server lets them go."""

import time

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.batch_upload import PHOTO_ENDINGS, SOURCES, Upload, create_batch
from mmcore.services.batches import KEPT_DAYS, MAX_PRODUCTS, Batch, delete_batch, list_batches
from mmcore.ui.acts import acting
from mmcore.ui.batch.running import running, stop
from mmcore.ui.desk import Desk
from mmcore.ui.notices import show_error
from mmcore.ui.uploads import let_go
from mmcore.ui.words import counted, moment, plain

TURN = "x.turn"
ID, OF_PRODUCT = "id", "batch"
STATES = {
    "new": "not predicted yet",
    "done": "predicted",
    "cancelled": "cancelled",
    "failed": "failed",
}


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
        f"Up to {MAX_PRODUCTS:,} products. What is uploaded is kept in the workspace for "
        f"{KEPT_DAYS} days after it was last used, or until you delete it; nothing goes into the "
        "catalogue before you say so."
    )
    if st.button("Keep and check", type="primary", disabled=table is None):
        _keep(desk, [table, *photos], turn)


def _keep(desk: Desk, files: list, turn: int) -> None:
    uploads = [Upload(file.name, file) for file in files]
    try:
        with st.spinner("Keeping the files…"):
            batch = create_batch(desk.workspace, uploads, time.time())
    except MmcoreError as error:
        show_error(error)
        return
    let_go(files)
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
            plain(batch.name),
            key=f"x.open.{batch.id}",
            on_click=_open,
            args=(batch.id,),
            width="stretch",
        )
        middle.text("  ·  ".join(_told(batch)))
        with right.popover("Delete", key=f"x.ask.{batch.id}", type="tertiary"):
            st.text(
                "The upload and its predictions go for good. The catalogue keeps what is in it."
            )
            st.button(
                "Delete it",
                key=f"x.delete.{batch.id}",
                type="primary",
                on_click=_delete,
                args=(desk, batch),
            )


def _told(batch: Batch) -> list[str]:
    """Return what is known of an upload, in words."""
    told = [moment(batch.created_at), "running" if running(batch) else STATES[batch.state]]
    if batch.num_predicted:
        told.append(f"{counted(batch.num_predicted, 'product')} by {batch.model}")
    if batch.num_added:
        told.append(f"{batch.num_added:,} in the catalogue")
    return told


def batch_asked_for() -> str:
    """Return the id of the batch in the address, "" without one.

    The way back from a product of a batch, seen on Predict, has the name that it has there.
    """
    query = st.query_params
    if ID not in query and OF_PRODUCT in query:
        query[ID] = query.pop(OF_PRODUCT)
        query.pop("row", None)
    return query.get(ID, "")


def close_batch() -> None:
    """Leave the batch, for the list of all."""
    st.query_params.pop(ID, None)


def _open(batch_id: str) -> None:
    st.query_params[ID] = batch_id


@acting
def _delete(desk: Desk, batch: Batch) -> str:
    stop(batch)
    delete_batch(desk.workspace, batch.id)
    close_batch()
    return f"{batch.name} is deleted; the catalogue keeps what was added to it."
