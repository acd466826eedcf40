"""Photos as the browser gets them: small copies as data URLs, so no route has to serve them."""

import base64
from pathlib import Path

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.photos import CARD_PX, LIST_PX, thumbnail
from mmcore.workspace import Workspace


def list_photo(workspace: Workspace, key: str) -> str:
    """Return the data URL of a photo for lists (160 px); "" without a photo or a readable one."""
    return _data_url(workspace.home, key, LIST_PX) if key else ""


def card_photo(workspace: Workspace, key: str) -> str:
    """Return the data URL of a photo for cards (640 px); "" without a photo or a readable one."""
    return _data_url(workspace.home, key, CARD_PX) if key else ""


# the name of a photo is its content, so what is cached is never out of date
@st.cache_data(show_spinner=False, max_entries=2_000)
def _data_url(home: Path, key: str, size_px: int) -> str:
    try:
        content = thumbnail(Workspace(home), key, size_px).read_bytes()
    except MmcoreError:
        return ""  # the card says "no photo"; doctor names what is damaged
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode('ascii')}"
