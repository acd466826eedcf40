"""The bar with the screens that a person may open, and who that person is."""

import streamlit as st

from mmcore.services.people import may
from mmcore.ui.desk import Desk
from mmcore.ui.guard import wanted
from mmcore.ui.screens import GROUPS, SCREENS, Screen

HOME = {"viewer": "predict_page"}  # the screen that opens first; for all others it is Label
START = "start"


def navigate(desk: Desk) -> tuple["st.Page", str]:
    """Draw the bar; return the page that was asked for, and its key.

    A screen above somebody's role stays out of the bar but keeps its address: the guard there
    says what is missing instead of "page not found".
    """
    pages = {screen.key: _page(screen, desk) for screen in SCREENS}
    home = HOME.get(desk.actor.role, "label_page")

    def start() -> None:
        st.switch_page(pages[wanted() or home])

    # the bare address leads on to a screen, so that each screen has one address of its own
    pages[START] = st.Page(start, title="Rayon", default=True, visibility="hidden")
    listed = {
        group: [pages[screen.key] for screen in SCREENS if screen.group == group]
        for group in GROUPS
    }
    listed[GROUPS[-1]] += [pages[screen.key] for screen in SCREENS if not screen.group]
    listed[GROUPS[-1]].append(pages[START])
    # the last group tells who is at work: it leads to Team, where that is changed
    listed[f"{GROUPS[-1]} · {desk.actor.name}"] = listed.pop(GROUPS[-1])
    page = st.navigation(listed, position="top")
    key = next(key for key, known in pages.items() if known == page)
    return page, key


def _page(screen: Screen, desk: Desk) -> "st.Page":
    is_listed = screen.group and may(desk.actor, screen.role)
    return st.Page(
        screen.file,
        title=screen.title,
        icon=screen.icon,
        url_path=screen.address,
        visibility="visible" if is_listed else "hidden",
    )
