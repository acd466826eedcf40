"""Backups: made beside the screen, looked through, downloaded; how to restore one."""

import shlex
import time

import streamlit as st

from mmcore.errors import BackupError, JobCancelledError, MmcoreError
from mmcore.services.backup import BackupOptions, verify_backup
from mmcore.services.backup_run import BackupFile, BackupRun, list_backups, new_backup_path
from mmcore.ui.acts import needs
from mmcore.ui.desk import Desk
from mmcore.ui.notices import show_error, tell, tell_error
from mmcore.ui.words import megabytes, moment

EVERY_S = 0.5
DOWNLOAD_BYTES = 2_000_000_000  # the server holds a download in memory


def backup_box(desk: Desk) -> None:
    """Draw the choices of a backup or how far one is, and the backups that are there."""
    st.caption(
        "One file with everything that can't be made anew, taken while people work, and read "
        "again before it counts. Not in it: caches, thumbnails, logs, pretrained weights."
    )
    run = _runs().get(str(desk.settings.home))
    if run is not None and run.is_running:
        _progress(desk, run)
    else:
        if run is not None:
            _ended(run)
        _start_box(desk)
    _files(desk)
    st.subheader("To put one back")
    command = ["python", "-m", "mmcore", "restore", "FILE", "--home", str(desk.settings.home)]
    st.code(f"{shlex.join(command)} --replace", language="bash")
    st.caption(
        "End the app and its workers first. The file is checked before anything is touched, and "
        "what was there is kept aside. An admin's: whoever may run commands on this machine."
    )


@st.cache_resource(show_spinner=False)
def _runs() -> dict[str, BackupRun]:
    """Return the last backup of each workspace in this process: a reloaded page finds it."""
    return {}


def _start_box(desk: Desk) -> None:
    refusal = needs(desk, "admin")
    with st.container(border=True):
        folder = st.text_input(
            "Folder on this machine",
            str(desk.workspace.backups),
            key="s.backup.folder",
            disabled=refusal is not None,
            help="Better on another disk: a backup beside its workspace is lost with it.",
        )
        left, middle, right = st.columns([2, 2, 2], vertical_alignment="center")
        photos = left.toggle("With photos", value=True, key="s.backup.photos")
        models = middle.toggle("With models", value=True, key="s.backup.models")
        right.button(
            "Back up now",
            key="s.backup.start",
            type="primary",
            icon=":material/backup:",
            width="stretch",
            disabled=refusal is not None,
            help=refusal,
            on_click=_start,
            args=(desk, folder, photos, models),
        )


def _start(desk: Desk, folder: str, photos: bool, models: bool) -> None:
    home, now = str(desk.settings.home), time.time()
    running = _runs().get(home)
    if running is not None and running.is_running:  # a double click, or somebody else's
        tell("A backup is being made already.", ":material/info:")
        return
    try:
        target = new_backup_path(desk.workspace, folder, now)
        options = BackupOptions(target, photos, models)
        _runs()[home] = BackupRun(desk.store, desk.actor, desk.workspace, options, now)
    except MmcoreError as error:
        tell_error(error)


def _progress(desk: Desk, run: BackupRun) -> None:
    """Draw how far it is, anew twice a second until it has ended."""

    @st.fragment(run_every=EVERY_S)
    def watch() -> None:
        if not run.is_running:
            st.rerun()
        st.progress(min(1.0, run.done / run.total), text=_told(run))
        refusal = needs(desk, "admin")
        st.button(
            "Cancel",
            key="s.backup.cancel",
            icon=":material/stop_circle:",
            disabled=run.is_cancelled or run.done >= run.total or refusal is not None,
            help=refusal,
            on_click=run.cancel,
        )

    with st.container(border=True):
        watch()
        st.caption("You may leave this page or close it: the backup goes on while the app runs.")


def _told(run: BackupRun) -> str:
    if run.is_cancelled:
        return "cancelling"
    if run.done >= run.total:
        return "reading it again"
    if not run.done:
        return "beginning"
    return f"{megabytes(run.done)} of {megabytes(run.total)}"


def _ended(run: BackupRun) -> None:
    if isinstance(run.error, JobCancelledError):
        st.info(str(run.error), icon=":material/cancel:")
    elif run.error is not None:
        show_error(run.error)
    elif run.report is not None:
        size = megabytes(run.report.num_bytes)
        st.success(f"{run.target}: {size}, read again and whole.", icon=":material/check_circle:")
        for note in run.report.notes:
            st.text(note)


def _files(desk: Desk) -> None:
    st.subheader("Backups in this workspace")
    found = list_backups(desk.workspace)
    if not found:
        st.caption("None yet.")
    for file in found:
        _file(desk, file)


def _file(desk: Desk, file: BackupFile) -> None:
    refusal = needs(desk, "admin")
    name, check, get = st.columns([5, 1.5, 2], vertical_alignment="center")
    name.text(f"{file.path.name}  ·  {megabytes(file.num_bytes)}  ·  {moment(file.at)}")
    key = f"s.backup.{file.path.name}"
    if check.button(
        "Check", key=f"{key}.check", width="stretch", disabled=refusal is not None, help=refusal
    ):
        with st.spinner("Reading every byte of it…"):
            _check(file)
    if file.num_bytes > DOWNLOAD_BYTES:
        get.text("fetch it from the folder")
        return
    get.download_button(
        "Download",
        lambda: _open(file),
        file.path.name,
        "application/octet-stream",
        key=key,
        icon=":material/download:",
        width="stretch",
        disabled=refusal is not None,
        help=refusal,
        on_click="ignore",
    )


def _check(file: BackupFile) -> None:
    try:
        info = verify_backup(file.path)
    except MmcoreError as error:
        show_error(error)
        return
    left_out = [
        word for word, has in (("photos", info.has_photos), ("models", info.has_models)) if not has
    ]
    holds = ", ".join(f"{num:,} {what}" for what, num in info.counts().items())
    without = f"; left out: {' and '.join(left_out)}" if left_out else ""
    st.success(f"It is whole. It holds {holds}{without}.", icon=":material/check_circle:")


def _open(file: BackupFile):
    try:
        return file.path.open("rb")
    except OSError as error:
        tell_error(BackupError(f"{file.path} can't be read: {error.strerror or error}"))
        raise
