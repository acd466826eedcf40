"""Components of our own: HTML, CSS and JavaScript that lie beside the Python that mounts them."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st


def component(folder: Path, stem: str) -> Callable:
    """Return what mounts the component of a package.

    Args:
        folder: of the package, whose name the component gets.
        stem: of its files, `stem.html`, `stem.css` and `stem.js`.
    """
    html, css, js = (
        (folder / f"{stem}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component(f"rayon.{folder.name}", html=html, css=css, js=js)
