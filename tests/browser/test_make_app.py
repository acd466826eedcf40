"""The path of `make app`: from an empty workspace to a demo with something on every screen."""

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
from page_texts import ROOT
from playwright.sync_api import expect
from screen_app import App, free_port

READY_S = 400  # two minutes on two quiet cores; this machine may have other work


class MadeApp(App):
    """What the recipe of `make app` starts, on a workspace and port of its own."""

    def start(self):
        recipe = next(
            line for line in (ROOT / "Makefile").read_text().splitlines() if "mmcore serve" in line
        )
        words = shlex.split(recipe.replace("$(PORT)", str(self.port)))
        assert words[:3] == ["$(BIN)/python", "-m", "mmcore"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words[1:], "--host", "127.0.0.1"],
                cwd=ROOT,
                env={**os.environ, "MMCORE_HOME": str(self.home)},
                stdout=log,
                stderr=log,
            )


@pytest.fixture(scope="module")
def app(tmp_path_factory, chromium):
    app = MadeApp(tmp_path_factory.mktemp("demo") / "home")
    app.wait_until_it_answers(READY_S)
    yield app
    app.process.send_signal(signal.SIGINT)
    app.process.wait(30)


def test_the_label_screen_answers(open_screen, app):
    screen = open_screen(app, "/label").ready()
    before = screen.product
    screen.press("Enter" if screen.page.locator(".accept").is_enabled() else "Space", before)
    expect(screen.page.locator(".state")).to_contain_text("saved")
    assert "true_label" not in screen.page.locator(".facts").inner_text()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/catalogue", "1,356 products"),
        ("/review", "Suspect labels"),
        ("/predict?product=drawn-00007", "model demo"),
        ("/retrain", "the gate"),
        ("/models", "demo answers"),
        ("/team", "Labels a day"),
        ("/bulk", "Select cards"),
    ],
)
def test_every_screen_has_something_to_see(open_screen, app, address, shown):
    page = open_screen(app, address).page
    expect(page.get_by_text(shown).first).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_second_start_is_quick_and_draws_nothing_anew(app):
    port = free_port()
    began = time.monotonic()
    again = MadeApp.__new__(MadeApp)
    again.home, again.port, again.log = app.home, port, app.home.parent / "again.log"
    again.start()
    again.wait_until_it_answers(60)
    assert time.monotonic() - began < 60
    again.process.send_signal(signal.SIGINT)
    again.process.wait(30)
    assert "epoch" not in again.log.read_text()
