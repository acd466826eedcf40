"""The labels of the products that are shown, or all that people did to them, as a file."""

import tempfile
from pathlib import Path

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.annotation_export import ExportChoices, export_labels
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell_error

FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl", "parquet": "application/octet-stream"}


def export_box(desk: Desk, wanted: ProductFilter) -> None:
    """Draw the choices and the button; the file is written when it is pressed."""
    with st.popover("Export", icon=":material/download:"):
        kind = st.segmented_control("Format", list(FORMATS), default="csv", key="c.format")
        is_history = st.toggle("With the whole history", key="c.history")
        kind = kind or "csv"
        name = "annotations" if is_history else "labels"
        st.download_button(
            "Download",
            lambda: _file(desk, ExportChoices(wanted, is_history, kind), kind),
            f"{name}.{kind}",
            FORMATS[kind],
            on_click="ignore",
            type="primary",
        )
        st.caption("The products that the filters mean. Formulas for spreadsheets are disarmed.")


def _file(desk: Desk, choices: ExportChoices, kind: str) -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="rayon-export-") as folder:
            path = Path(folder) / f"export.{kind}"
            export_labels(desk.store, path, choices)
            return path.read_bytes()
    except MmcoreError as error:
        tell_error(error)
        raise
