"""What the columns of an uploaded table mean, its first rows, and what is wrong with it."""

import csv
import io

import streamlit as st

from mmcore.catalog.csv_columns import FIELDS, CsvColumns
from mmcore.catalog.issues import harmless
from mmcore.errors import MmcoreError
from mmcore.services.batch_check import BatchCheck, check_batch
from mmcore.services.batches import Batch, map_columns
from mmcore.ui.notices import tell_error

WORDS = {
    "product_id": "Id (needed)",
    "title": "Title",
    "description": "Description",
    "image": "Photo (name of the file)",
    "label": "Class",
    "group": "Group of near-copies",
    "split": "Split",
}


def mapping_box(batch: Batch) -> None:
    """Draw one choice a field, with a guess; a change is kept at once."""
    with st.expander("What the columns mean", expanded=batch.state == "new"):
        cells = st.columns(len(FIELDS))
        chosen = {}
        for cell, name in zip(cells, FIELDS, strict=True):
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
        extra = st.multiselect(
            "Further columns to keep (price, brand, …)",
            free,
            default=[name for name in batch.columns.extra if name in free],
            key=f"x.extra.{batch.id}",
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
    cells[3].metric("of these not uploaded", f"{found.num_lost_photos:,}")
    with st.expander("The first rows", expanded=batch.state == "new"):
        st.dataframe(
            {
                name: [getattr(row, name) for row in found.first]
                for name in ("product_id", "title", "description", "image", "label")
            },
            hide_index=True,
        )
    if found.issues:
        with st.expander(f"{len(found.issues):,} remarks on rows"):
            st.dataframe(found.rows()[:500], hide_index=True)
        st.download_button(
            "Download the remarks",
            lambda: _remarks(found),
            f"{batch.name}.remarks.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    return found


def _remarks(found: BatchCheck) -> bytes:
    text = io.StringIO()
    rows = found.rows()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows({name: harmless(str(cell)) for name, cell in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig")


@st.cache_data(show_spinner="Reading the table…", max_entries=8)
def _checked(batch_id: str, columns: str, _batch: Batch) -> BatchCheck:
    return check_batch(_batch)
