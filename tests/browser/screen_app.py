"""The app's process on a workspace, for tests that kill it and start it again."""

import socket
import subprocess
import sys
import time
import urllib.request

from page_texts import ROOT

START_S = 60


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
        self.wait_until_it_answers(START_S)

    def wait_until_it_answers(self, timeout_s):
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).read()
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(f"no answer in {timeout_s} s: {self.log.read_text()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
