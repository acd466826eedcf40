"""Buttons that act once, and say what came of it.

A callback that is `acting` shows what the services refuse. Where a service takes a token, it is
kept until the act succeeded (`token`, `done`): a double click is one act.
"""

import functools
import secrets
import time
from collections.abc import Callable

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.catching_up import follow_up
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


def acting(act: Callable[..., str | None]) -> Callable[..., None]:
    """Return an act as a callback: what it returns is told, what the services refuse is shown."""

    @functools.wraps(act)
    def callback(*args: object) -> None:
        try:
            said = act(*args)
        except MmcoreError as error:
            tell_error(error)
            return
        if said:
            tell(said)

    return callback


@acting
def attempt(name: str, act: Callable[[], str | None]) -> str | None:
    """Do what a button with a token of this name stands for."""
    said = act()
    done(name)
    return said


def caught_up(desk: Desk) -> str:
    """Let production look at what came or changed; return that in words, " Meanwhile …".

    What was done is saved already: that nobody can run the job is told beside it.
    """
    try:
        found = follow_up(desk.store, desk.actor, time.time(), desk.backend)
    except MmcoreError as error:
        tell_error(error)
        return ""
    return f" Meanwhile {found.sentence}." if found else ""


def undo_button(
    desk: Desk,
    act_id: int | None,
    label: str,
    key: str,
    role: str = "annotator",
    after: Callable[[], str] = lambda: "",
) -> None:
    """Draw a button that takes an act back, or brings back what an undo took away.

    Args:
        act_id: None draws it disabled: there is nothing to take back.
        after: called when that succeeded; what it returns is told, too.
    """

    def take_back() -> str:
        found = undo(desk.store, desk.actor, token(key), time.time(), act_id)
        more = f", {found.restored:,} products put back" if found.restored else ""
        kept = f", {found.kept:,} kept because changed since" if found.kept else ""
        word = "In force again" if found.is_redo else "Undone"
        return f"{word}: {found.verb}{more}{kept}.{after()}"

    st.button(
        label,
        icon=":material/undo:",
        key=key,
        type="tertiary",
        disabled=act_id is None or needs(desk, role) is not None,
        help=needs(desk, role),
        on_click=attempt,
        args=(key, take_back),
    )
