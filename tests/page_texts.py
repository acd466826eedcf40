"""What a person can read on a page that AppTest has run."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("error", "warning", "info", "success", "markdown", "caption", "title", "header", "text")


def texts(app: AppTest) -> str:
    """Return every message and text of a page, joined."""
    return "\n".join(str(element.value) for kind in KINDS for element in getattr(app, kind))
