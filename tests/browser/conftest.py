"""The app as a person has it: a server of its own, and Chromium in front of it.

Where no Chromium is on the machine these tests are skipped, loudly; under CI=true that is an error.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from app_shop import open_app_shop
from page_texts import ROOT
from screen import Screen

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
START_S = 60
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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class App:
    """The app's process on a workspace."""

    def __init__(self, home):
        self.home, self.port = home, free_port()
        self.log = home.parent / f"app-{self.port}.log"
        self.process = None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "mmcore", "serve", "--home", str(self.home)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--host", "127.0.0.1"],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).read()
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(f"no answer in {START_S} s: {self.log.read_text()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


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
