"""Options that several commands share, with their help texts."""

from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from mmcore.settings import Settings, read_settings
from mmcore.workspace import Workspace

Home = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="DIR", help="Workspace folder (else MMCORE_HOME, else user data folder)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="NAME", help="Model version; else production, else the newest."
    ),
]


# --home before the command; the one after it wins
home_for_all: ContextVar[Path | None] = ContextVar("home_for_all", default=None)


def open_workspace(home: Path | None) -> tuple[Workspace, Settings]:
    """Return the chosen workspace and this machine's settings."""
    settings = read_settings(home or home_for_all.get())
    return Workspace(settings.home), settings
