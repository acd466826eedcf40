"""Telling people what happened: errors where they occur, results after the page has run again."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.ui.words import plain

_WAITING = "rayon.notices"


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what the services refuse, in their words, in the place where it was asked for.

    Anything but an MmcoreError is a defect and goes on up, to the log.
    """
    try:
        yield
    except MmcoreError as error:
        show_error(error)


def show_error(error: Exception | str) -> None:
    """Show an error in its words, whatever names and texts of products they hold."""
    st.error(plain(str(error)), icon=":material/warning:")


def tell(text: str, icon: str = ":material/check_circle:") -> None:
    """Show a line at the next run of the page: for callbacks and before `st.rerun`.

    It is no Markdown: names of files, models and classes are shown as they are.
    """
    st.session_state.setdefault(_WAITING, []).append((plain(text), icon))


def tell_error(error: MmcoreError) -> None:
    """Show an error at the next run of the page, until it is closed by the person."""
    tell(str(error), ":material/warning:")


def show_told() -> None:
    """Show the lines that wait; errors stay until they are closed, the rest fades."""
    for text, icon in st.session_state.pop(_WAITING, []):
        st.toast(text, icon=icon, duration="infinite" if icon == ":material/warning:" else "short")
