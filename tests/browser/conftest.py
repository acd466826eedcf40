"""The app as a person has it: a server of its own, and Chromium in front of it.

Where no Chromium is on the machine these tests are skipped, loudly; under CI=true that is an error.
"""

import os
import shutil

import pytest
from app_shop import open_app_shop
from screen import Screen
from screen_app import App

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OWN_404 = "/_stcore/"  # Streamlit asks for its routes below each page's address, to find its base


@pytest.fixture(scope="session")
def chromium():
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = f"no Chromium ({', '.join(NAMES)}): apt-get install chromium. NO BROWSER TEST RAN"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = open_app_shop(tmp_path_factory.mktemp("shop") / "home", num_products=60)
    yield shop
    shop.store.close()


@pytest.fixture(scope="module")
def app(shop):
    app = App(shop.home)
    yield app
    app.stop()


@pytest.fixture
def open_screen(chromium):
    """Return a function that opens the app in a browser of its own.

    At the end no console may have told of an error, and nothing may have been asked of other
    machines: such requests are blocked, and counted.
    """
    opened = []

    def open_as(app, address, person=None, width=1440, dark=False):
        scheme = "dark" if dark else "light"
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        screen = Screen(context, app.url, OWN_404)
        opened.append((context, screen))
        screen.go(address, person)
        return screen

    yield open_as
    for context, screen in opened:
        context.close()
        assert screen.abroad == [], "the page asked other machines"
        assert screen.errors == [], "the console told of errors"
