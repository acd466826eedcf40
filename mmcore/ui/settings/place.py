"""The workspace: what it takes of the disk, its backups, and what this machine offers."""

import importlib.metadata
import time
from pathlib import Path

import streamlit as st

from mmcore import __version__
from mmcore.errors import MmcoreError
from mmcore.services.backup import BackupOptions, backup
from mmcore.services.health import examine
from mmcore.services.machine import backbones_here, device_here
from mmcore.services.storage import storage
from mmcore.ui.acts import needs
from mmcore.ui.desk import Desk
from mmcore.ui.words import megabytes, moment

KEEP_S = 60
PACKAGES = ("streamlit", "torch", "torchvision", "timm", "pandas", "pillow", "plotly", "sqlalchemy")


def storage_box(desk: Desk) -> None:
    """Draw what each folder takes, and what may go."""
    found = _storage(desk.settings.home, desk)
    st.subheader(f"{megabytes(found.num_bytes)} in {found.home}")
    st.caption(f"{megabytes(found.free_bytes)} are free on its disk.")
    st.dataframe(
        {
            "folder": [part.name for part in found.parts],
            "files": [part.num_files for part in found.parts],
            "size": [megabytes(part.num_bytes) for part in found.parts],
            "what it is": [part.note for part in found.parts],
        },
        hide_index=True,
    )


def backup_box(desk: Desk) -> None:
    """Draw the choices of a backup, the button, and the backups that are there."""
    folder = desk.workspace.home / "backups"
    st.caption(
        "One file with everything that can't be made anew, taken while people work, and read "
        "again before it counts. Put it back with `python -m mmcore restore FILE`."
    )
    left, middle, right = st.columns([2, 2, 2], vertical_alignment="center")
    photos = left.toggle("With photos", value=True)
    models = middle.toggle("With models", value=True)
    refusal = needs(desk, "admin")
    if right.button("Back up now", type="primary", disabled=bool(refusal), help=refusal):
        _back_up(desk, folder, photos, models)
    for path in sorted(folder.glob("*.rayon"), reverse=True) if folder.is_dir() else ():
        size = path.stat()
        name, get = st.columns([5, 1], vertical_alignment="center")
        name.text(f"{path.name}  ·  {megabytes(size.st_size)}  ·  {moment(size.st_mtime)}")
        if not refusal:
            get.download_button(
                "Download",
                lambda path=path: path.open("rb"),
                path.name,
                "application/octet-stream",
                key=f"s.backup.{path.name}",
                on_click="ignore",
            )


def _back_up(desk: Desk, folder: Path, photos: bool, models: bool) -> None:
    now = time.time()
    name = time.strftime("%Y-%m-%d-%H%M%S.rayon", time.localtime(now))
    bar = st.progress(0.0, text="copying the database")

    def show(done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        bar.progress(share, text=f"{megabytes(done)} of {megabytes(total)}")

    try:
        folder.mkdir(exist_ok=True)
        options = BackupOptions(folder / name, photos, models)
        report = backup(desk.store, desk.actor, desk.workspace, options, now, show)
    except (MmcoreError, OSError) as error:
        bar.empty()
        st.error(str(error), icon=":material/error:")
        return
    bar.empty()
    st.success(f"{report.target.name}: {megabytes(report.num_bytes)}, read again and whole.")
    for note in report.notes:
        st.text(note)


def about_box(desk: Desk) -> None:
    """Draw versions, device, weights, and what `doctor` finds."""
    st.text(f"Rayon {__version__}")
    place = desk.settings.database_url and "the database of MMCORE_DATABASE_URL"
    st.text(f"Workspace {desk.settings.home}; labels in {place or desk.workspace.database_file}")
    st.text(device_here(desk.settings).text)
    st.subheader("Image backbones")
    for found in backbones_here(desk.workspace, desk.settings):
        here = (
            "weights here: yes" if found.is_here else "weights here: no; " + "; ".join(found.ways)
        )
        st.text(f"{found.name}: {here}")
    st.subheader("Packages")
    st.dataframe(_packages(), hide_index=True)
    if st.button("Examine everything (doctor)", icon=":material/stethoscope:"):
        with st.spinner("Examining…"):
            for found in examine(desk.workspace, desk.settings):
                advice = f" ({found.advice})" if found.advice else ""
                st.text(f"{found.state}: {found.what}: {found.found}{advice}")


@st.cache_data(show_spinner=False)
def _packages() -> dict[str, list[str]]:
    names, versions, licences = [], [], []
    for name in PACKAGES:
        meta = importlib.metadata.metadata(name)
        names.append(name)
        versions.append(meta["Version"])
        licence = meta.get("License-Expression") or meta.get("License") or ""
        licences.append(licence.splitlines()[0][:60] if licence else "see its own page")
    return {"package": names, "version": versions, "licence": licences}


@st.cache_data(ttl=KEEP_S, show_spinner="Counting files…")
def _storage(home: Path, _desk: Desk):
    return storage(_desk.workspace)
