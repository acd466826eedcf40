"""Start the app's server in this process.

`streamlit run app.py` does the same, but for one thing: until `app.py` has run once in a process,
Streamlit takes `pages/` for the pages of the app, and answers the first visit of an address such as
/label with "page not found" (seen on 1.67).
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from mmcore.errors import ConfigError
from mmcore.settings import Settings

APP = Path(__file__).resolve().parents[2] / "app.py"


@dataclass(frozen=True)
class ServeOptions:
    """Where the app listens.

    Attributes:
        is_opened: a browser is opened on it, where the machine has a screen.
    """

    port: int = 8501
    host: str = "localhost"
    is_opened: bool = False


def serve(settings: Settings, options: ServeOptions) -> None:
    """Serve the app until told to end (Ctrl-C or SIGTERM).

    Raises:
        ConfigError: if the port can't be listened on, or app.py isn't beside the package.
    """
    if not APP.is_file():
        raise ConfigError(f"{APP} is missing: the app is served from a copy of the whole project")
    _check_port(options)
    os.environ["MMCORE_HOME"] = str(settings.home)  # for the pages, which read it anew
    PagesManager.uses_pages_directory = False  # as st.navigation sets it in the first run
    flags = {
        "server.port": options.port,
        "server.address": options.host,
        "server.headless": str(not options.is_opened).lower(),
        "server.showEmailPrompt": "false",
    }
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    cli.main(["run", str(APP), *words], prog_name="streamlit", standalone_mode=False)


def _check_port(options: ServeOptions) -> None:
    """Refuse a port that is taken in our words, before Streamlit says it in its own."""
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(
            f"--host {options.host} isn't known here: {error.strerror or error}; use localhost, or "
            "0.0.0.0 to be seen by other machines"
        ) from error
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise ConfigError(
                    f"port {options.port} of {options.host} can't be listened on: "
                    f"{error.strerror or error}; choose another with --port, or end what uses it"
                ) from error
