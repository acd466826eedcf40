"""What the columns of an uploaded table mean, its first rows, and what is wrong with it."""

import streamlit as st

from mmcore.catalog.csv_columns import FIELDS, CsvColumns
from mmcore.errors import MmcoreError
from mmcore.services.batch_check import PHOTOS_LOOKED_FOR, BatchCheck, check_batch, remarks_file
from mmcore.services.batches import Batch, map_columns
from mmcore.ui.notices import tell_error
from mmcore.ui.words import counted

WORDS = {
    "product_id": "Id (needed)",
    "title": "Title",
    "description": "Description",
    "image": "Photo (file name)",
    "label": "Class",
    "group": "Group of near-copies",
    "split": "Split",
}


def mapping_box(batch: Batch) -> None:
    """Draw one choice a field, with a guess; a change is kept at once."""
    with st.expander("What the columns mean", expanded=batch.state == "new"):
        top, bottom = st.columns(4), st.columns(4)
        chosen = {}
        for cell, name in zip([*top, *bottom], FIELDS, strict=False):
            now = getattr(batch.columns, name)
            options = [None, *batch.header]
            chosen[name] = cell.selectbox(
                WORDS[name],
                options,
                index=options.index(now) if now in options else 0,
                format_func=lambda column: column or "none",
                key=f"x.column.{batch.id}.{name}",
            )
        taken = {name for name in chosen.values() if name}
        free = [name for name in batch.header if name not in taken]
        extra = bottom[3].multiselect(
            "Further columns to keep",
            free,
            default=[name for name in batch.columns.extra if name in free],
            key=f"x.extra.{batch.id}",
            help="Price, brand, …: kept in the catalogue if the products are added to it.",
        )
    columns = CsvColumns(**chosen, extra=tuple(extra))
    if columns != batch.columns:
        try:
            map_columns(batch, columns)
        except MmcoreError as error:
            tell_error(error)
        st.rerun()


def check_box(batch: Batch) -> BatchCheck:
    """Draw the first rows and the remarks.

    Raises:
        MmcoreError: if the table can't be used by these columns.
    """
    found = _checked(batch.id, repr(batch.columns), batch)
    cells = st.columns(4)
    cells[0].metric("Products", f"{found.num_products:,}")
    cells[1].metric("Rows that can't be used", f"{found.num_left_out:,}")
    cells[2].metric("Photos named", f"{found.num_named_photos:,}")
    more = found.num_named_photos > PHOTOS_LOOKED_FOR and batch.photos is not None
    cells[3].metric(
        "of these not uploaded",
        f"{found.num_lost_photos:,}",
        help=f"Of the first {PHOTOS_LOOKED_FOR:,}; the others are looked for when predicting."
        if more
        else None,
    )
    with st.expander("The first rows", expanded=batch.state == "new"):
        st.dataframe(
            {
                name: [getattr(row, name) for row in found.first]
                for name in ("product_id", "title", "description", "image", "label")
            },
            hide_index=True,
        )
    if found.issues:
        with st.expander(f"{counted(len(found.issues), 'remark')} on rows"):
            st.dataframe(found.rows()[:500], hide_index=True)
        st.download_button(
            "Download the remarks",
            lambda: remarks_file(found.rows()),
            f"{batch.name}.remarks.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    return found


@st.cache_data(show_spinner="Reading the table…", max_entries=8)
def _checked(batch_id: str, columns: str, _batch: Batch) -> BatchCheck:
    return check_batch(_batch)
