"""The first statement of every page: nobody sees what their role doesn't allow.

The navigation hides what a role may not open, but an address can be typed. And until `app.py` has
run once in the process, Streamlit serves a page's file under its own name without it (seen on
1.67): a page that wasn't reached through the router sends the browser there.
"""

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.people import may
from mmcore.ui.desk import Desk, open_desk
from mmcore.ui.notices import show_error
from mmcore.ui.screens import screen_named

ROUTED = "rayon.routed"
WANTED = "rayon.wanted"


def let_in(key: str) -> None:
    """Tell the guard that the router is about to run the page with this key."""
    st.session_state[ROUTED] = key


def wanted() -> str | None:
    """Return the key of the page that somebody opened without the router, once."""
    return st.session_state.pop(WANTED, None)


def enter(key: str) -> Desk:
    """Return the desk, or stop the page: it wasn't routed, or the person may not see it."""
    screen = screen_named(key)
    if st.session_state.pop(ROUTED, None) != key:
        st.session_state[WANTED] = key
        st.switch_page("app.py")
    try:
        desk = open_desk()
    except MmcoreError as error:
        show_error(error)
        st.stop()
    if not may(desk.actor, screen.role):
        st.warning(
            f"**{screen.title}** needs the role {screen.role}; {desk.actor.name} is "
            f"{desk.actor.role}. Ask an admin to change the role on the Team screen.",
            icon=":material/lock:",
        )
        st.stop()
    return desk
