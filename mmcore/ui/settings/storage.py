"""What the workspace takes of the disk, and what of it may go."""

from pathlib import Path

import streamlit as st

from mmcore.services.storage import Storage, storage
from mmcore.ui.desk import Desk
from mmcore.ui.screens import screen_named
from mmcore.ui.words import megabytes

KEEP_S = 300


def storage_box(desk: Desk) -> None:
    """Draw what each folder takes, and what may go."""
    found = _storage(desk.settings.home, desk)
    left, middle, right = st.columns([2, 2, 6])
    left.metric("Workspace", megabytes(found.num_bytes))
    middle.metric("Free on its disk", megabytes(found.free_bytes))
    right.text(str(found.home))
    right.button("Count again", icon=":material/refresh:", key="s.count", on_click=_storage.clear)
    st.dataframe(
        {
            "folder": [part.name for part in found.parts],
            "size": [part.num_bytes for part in found.parts],
            "files": [part.num_files for part in found.parts],
            "what it is": [part.what for part in found.parts],
            "may it be deleted?": [part.may_go for part in found.parts],
        },
        hide_index=True,
        height="content",
        column_config={
            "size": st.column_config.NumberColumn(format="bytes"),
            "files": st.column_config.NumberColumn(format="localized"),
        },
    )
    models, batch = st.columns([1, 5])
    models.page_link(screen_named("models_page").file, label="Delete old models")
    batch.page_link(screen_named("batch_page").file, label="Delete uploads")


@st.cache_data(ttl=KEEP_S, max_entries=4, show_spinner="Counting files…")
def _storage(home: Path, _desk: Desk) -> Storage:
    return storage(_desk.workspace, _desk.store)
