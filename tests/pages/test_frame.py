"""The frame of every page: roles, the guard, cold addresses, people."""

import pytest
import streamlit as st
from page_texts import ROOT, texts
from streamlit.testing.v1 import AppTest

from mmcore.services.people import may
from mmcore.ui.screens import SCREENS, screen_named

ROLES = {"vera": "viewer", "anna": "annotator", "lena": "lead", "adam": "admin"}


def test_every_page_has_a_screen_and_an_address_of_its_own():
    files = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert files == {screen.key for screen in SCREENS}
    addresses = {screen.address for screen in SCREENS}
    assert len(addresses) == len(SCREENS) and not addresses & files


@pytest.mark.parametrize("person", ROLES)
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.key)
def test_a_page_opens_for_its_roles_and_for_no_others(visit, app_shop, screen, person):
    app = visit(screen.key, person)
    assert not app.exception
    is_refused = f"needs the role {screen.role}" in texts(app)
    assert is_refused == (not may(app_shop.people[person], screen.role))


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.key)
def test_a_cold_address_never_shows_a_page_without_the_router(app_shop, monkeypatch, screen):
    sent_to = []

    def switch_page(page):
        sent_to.append(page)
        st.stop()

    monkeypatch.setattr(st, "switch_page", switch_page)
    app = AppTest.from_file(str(ROOT / screen.file), default_timeout=30).run()
    assert sent_to == ["app.py"] and not app.exception
    assert texts(app) == "" and not app.button
    assert app.session_state["rayon.wanted"] == screen.key  # the router leads back to it


def test_an_unknown_person_is_told(app_shop):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.query_params["person"] = "nobody"
    app.run()
    assert "nobody" in texts(app)


def test_a_page_names_a_screen():
    with pytest.raises(StopIteration):
        screen_named("nowhere")
