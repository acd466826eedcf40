"""The app's server: cold addresses, a port that is taken, and its end."""

import signal
import subprocess
import sys

import pytest
from page_texts import ROOT
from playwright.sync_api import expect

from mmcore.ui.screens import SCREENS


def test_the_first_visit_of_a_new_process_may_be_any_address(open_screen, app):
    app.kill()
    app.start()
    screen = open_screen(app, "/label", "anna").ready()
    expect(screen.page.get_by_text("Page not found")).to_have_count(0)
    assert screen.page.url.split("?")[0].endswith("/label")


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.key)
def test_the_name_of_a_file_is_no_address(open_screen, app, screen):
    app.kill()
    app.start()
    window = open_screen(app, f"/{screen.key}", "vera")
    expect(window.page.get_by_text("Page not found")).to_have_count(1)
    expect(window.page.get_by_text("Workspace · vera")).to_be_visible()  # the router ran
    (told,) = window.errors
    assert "does not seem to exist" in told
    window.errors.clear()


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.key)
def test_every_screen_opens_by_its_address(open_screen, app, screen):
    window = open_screen(app, f"/{screen.address}", "adam")
    expect(window.page.get_by_text("Page not found")).to_have_count(0)
    expect(window.page.get_by_test_id("stException")).to_have_count(0)
    assert f"/{screen.address}" in window.page.url


def test_a_port_that_is_taken_is_named(app):
    command = [sys.executable, "-m", "mmcore", "serve", "--home", str(app.home)]
    command += ["--port", str(app.port), "--host", "127.0.0.1"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert told.returncode == 1
    assert f"port {app.port} of 127.0.0.1 can't be listened on" in told.stderr
    assert "--port" in told.stderr


def test_ctrl_c_ends_it_without_a_traceback(app):
    app.process.send_signal(signal.SIGINT)
    app.process.wait(20)
    assert "Traceback" not in app.log.read_text()
    app.start()
