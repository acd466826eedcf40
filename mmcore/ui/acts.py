"""Buttons that act once: one token for what is about to be done, kept until it succeeded."""

import secrets
import time
from collections.abc import Callable

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.people import may
from mmcore.services.undoing import undo
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell, tell_error


def token(name: str) -> str:
    """Return the token of an act; the same one until `done` is called for it."""
    return st.session_state.setdefault(f"token.{name}", secrets.token_urlsafe(16))


def done(name: str) -> None:
    """Note that the act succeeded: the next one is another."""
    st.session_state.pop(f"token.{name}", None)


def needs(desk: Desk, role: str) -> str | None:
    """Return why a button is disabled for this person, None where it isn't."""
    if may(desk.actor, role):
        return None
    return f"needs the role {role}; {desk.actor.name} is {desk.actor.role}"


def attempt(name: str, act: Callable[[], str | None]) -> None:
    """Do something in a callback: what it returns is told, what is refused is shown."""
    try:
        said = act()
    except MmcoreError as error:
        tell_error(error)
        return
    done(name)
    if said:
        tell(said)


def undo_button(
    desk: Desk,
    act_id: int,
    label: str,
    key: str,
    role: str = "annotator",
    after: Callable[[], str] = lambda: "",
) -> None:
    """Draw a button that takes an act back, or brings back what an undo took away.

    Args:
        after: called when that succeeded; what it returns is told, too.
    """

    def take_back() -> str:
        found = undo(desk.store, desk.actor, token(key), time.time(), act_id)
        more = f", {found.restored:,} products put back" if found.restored else ""
        kept = f", {found.kept:,} kept because changed since" if found.kept else ""
        word = "In force again" if found.is_redo else "Undone"
        return f"{word}: {found.verb}{more}{kept}. {after()}".strip()

    st.button(
        label,
        icon=":material/undo:",
        key=key,
        type="tertiary",
        disabled=needs(desk, role) is not None,
        help=needs(desk, role),
        on_click=attempt,
        args=(key, take_back),
    )
