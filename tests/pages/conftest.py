"""The app as AppTest runs it: router, guard and page, on a small shop, for any person of it."""

import pytest
import streamlit as st
from app_shop import open_app_shop
from page_texts import ROOT
from streamlit.testing.v1 import AppTest


@pytest.fixture
def app_shop(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "home"))
    shop = open_app_shop(tmp_path / "home")
    yield shop
    shop.store.close()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def visit(app_shop):
    """Return a function that opens a page as a person; it gives the finished AppTest."""

    def open_page(key: str, person: str = "adam", **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        app.query_params["person"] = person
        app.run()
        for name, value in {"person": person, **query}.items():
            app.query_params[name] = value
        app.switch_page(f"pages/{key}.py")
        app.run()
        return app

    return open_page
