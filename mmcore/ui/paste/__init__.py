"""A photo pasted with Ctrl+V: Streamlit's uploader takes files only."""

import base64
import binascii
from collections.abc import Callable
from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "rayon.paste",
    html="<span></span>",
    js=(Path(__file__).parent / "paste.js").read_text(encoding="utf-8"),
)


def listen_for_photo(key: str, on_paste: Callable[[], None]) -> None:
    """Hear of a photo that is pasted anywhere on the page."""
    _mount(key=key, on_pasted_change=on_paste, height=1)


def pasted_photo(key: str) -> bytes | None:
    """Return the bytes of the photo that was just pasted; call it in the callback."""
    url = st.session_state[key].pasted or ""
    try:
        return base64.b64decode(url.partition(",")[2], validate=True) or None
    except (binascii.Error, ValueError):
        return None
