"""The app on a workspace, and a browser on the app, for the benchmarks of screens.

Needs requirements-test.txt and Debian's chromium.
"""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from mmcore.workspace import Workspace

WIDTH_PX, HEIGHT_PX = 1440, 900
PATIENCE_MS = 60_000
SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@contextmanager
def served(workspace: Workspace) -> Iterator[tuple[str, subprocess.Popen]]:
    """Give the address of the app on a workspace, and its process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "mmcore", "serve", "--home", str(workspace.home)]
    command += ["--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/_stcore/health", process)
        yield url, process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Return when the app answers."""
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=2).read()
            return
        except OSError:
            if process.poll() is not None:
                sys.exit(f"the app ended with {process.returncode} before it answered")
            time.sleep(0.1)
    sys.exit("the app gave no answer in 60 s")


@contextmanager
def browser_page() -> Iterator[Page]:
    """Give a window of Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()
