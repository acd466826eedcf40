"""Letting go of uploaded files: Streamlit keeps each in memory until the browser session ends."""

from collections.abc import Iterable

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def let_go(files: Iterable[UploadedFile]) -> None:
    """Free the server's copies of files that were read or written to disk.

    The uploader that they came from must get another key before the page runs again: it would ask
    for them.
    """
    context = get_script_run_ctx()
    if context is None:  # not inside a page: nothing holds them
        return
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
