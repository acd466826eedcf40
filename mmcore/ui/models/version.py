"""One model version: how it was trained, what it is worth, its files."""

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.model_details import ModelDetails, model_details
from mmcore.services.model_files import list_files, model_zip
from mmcore.services.registry_view import VersionInfo
from mmcore.services.snapshots import snapshot_numbers
from mmcore.ui.charts import draw, learning_curves
from mmcore.ui.desk import Desk
from mmcore.ui.notices import errors_shown, tell_error
from mmcore.ui.retrain.difference import show_confusion, show_difference
from mmcore.ui.retrain.verdict import decision_bar, show_verdict
from mmcore.ui.words import duration, megabytes, moment, plain

PARTS = ("Scores", "By class", "What is taken for what", "Changes", "Training", "Files")


def show_version(desk: Desk, version: VersionInfo) -> None:
    """Draw everything about a version."""
    st.subheader(f"Model {version.name}")
    parent = f", started from {version.parent}" if version.parent else ", trained from the start"
    st.caption(f"{version.stage}, made {moment(version.created_at)}{parent}")
    if version.folder != "present":
        st.error(
            plain(version.problem or f"Its folder is {version.folder}."), icon=":material/error:"
        )
    decision_bar(desk, version, f"m.{version.name}")
    part = st.segmented_control("Show", PARTS, default=PARTS[0], key="m.part", required=True)
    if part == "Scores":
        show_verdict(desk, version)
    elif part == "What is taken for what":
        show_confusion(desk, version.name)
    elif part == "Changes":
        _changes(desk, version)
    elif version.folder == "pruned":
        st.info("Its folder was deleted; its scores stay.", icon=":material/info:")
    elif part == "Files":
        _files(desk, version)
    else:
        details = model_details(desk.workspace, version.name)
        _by_class(details) if part == "By class" else _training(desk, version, details)


def _changes(desk: Desk, version: VersionInfo) -> None:
    against = version.verdict.get("against") if version.verdict else None
    if not against:
        st.info("It was never compared with another model.", icon=":material/balance:")
        return
    st.caption(f"From {against} to {version.name}, over the whole catalogue.")
    show_difference(desk, against, version.name)


def _by_class(details: ModelDetails) -> None:
    views = list(details.per_class)
    if not views:
        st.caption("There were no test products to judge it by.")
        return
    view = st.segmented_control("View", views, default=views[-1], key="m.view") or views[-1]
    rows = details.per_class[view]
    st.dataframe(
        {
            "class": [row.code for row in rows],
            "test products": [row.n for row in rows],
            "precision": [row.precision for row in rows],
            "recall": [row.recall for row in rows],
            "F1": [row.f1 for row in rows],
        },
        hide_index=True,
        column_config={
            name: st.column_config.ProgressColumn(name, format="%.3f", min_value=0, max_value=1)
            for name in ("precision", "recall", "F1")
        },
    )


def _training(desk: Desk, version: VersionInfo, details: ModelDetails) -> None:
    if details.epochs:
        for cell, figure, name in zip(
            st.columns(2), learning_curves(details.epochs), ("loss", "f1"), strict=True
        ):
            with cell:
                draw(figure, f"m.curve.{name}", 260)
    if details.seconds:
        st.text(f"It took {duration(details.seconds)}.")
    for pattern, decided in details.decided.items():
        st.text(f"With {pattern}: {decided}")
    for note in details.notes:
        st.text(note)
    with errors_shown():
        found = snapshot_numbers(desk.workspace, version.snapshot)
        splits = ", ".join(f"{split} {num:,}" for split, num in found.by_split.items())
        st.text(f"Snapshot {found.hash}: {found.num_products:,} labels ({splits})")
    with st.expander("Choices it was trained with"):
        st.json(details.config, expanded=1)


def _files(desk: Desk, version: VersionInfo) -> None:
    is_checked = st.toggle("Hold every file to its checksum", key="m.check")
    files = list_files(desk.workspace, version.name, is_checked)
    st.dataframe(
        {
            "file": [file.name for file in files],
            "size": [megabytes(file.num_bytes) for file in files],
            "state": [file.state for file in files],
            "sha256": [file.sha256 for file in files],
        },
        hide_index=True,
    )
    st.download_button(
        "Download the model folder",
        lambda: _zip(desk, version.name),
        f"{version.name}.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )


def _zip(desk: Desk, name: str):
    """Return the folder as a ZIP; it is packed when the button is pressed, not before."""
    try:
        return model_zip(desk.workspace, name)
    except MmcoreError as error:
        tell_error(error)
        raise
