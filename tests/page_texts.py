"""What a person can read on a page that AppTest has run."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("error", "warning", "info", "success", "markdown", "caption", "title", "header", "text")


def texts(app: AppTest) -> str:
    """Return every message and text of a page as the browser shows it, joined."""
    return "\n".join(_shown(element.value) for kind in KINDS for element in getattr(app, kind))


def told(app: AppTest) -> list[str]:
    """Return what fades in at the edge of a page: results of acts, and errors."""
    return [_shown(toast.value) for toast in app.toast]


def _shown(value: object) -> str:
    """Return Markdown as it is read: stars make bold, a backslash keeps a character as it is."""
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", re.sub(r"(?<!\\)\*+", "", str(value)))
