"""Asking before something is replaced or deleted."""

import sys
from typing import Annotated

import typer

from mmcore.errors import ConfigError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def confirm(question: str, yes: bool) -> None:
    """Go on if the person says yes.

    Raises:
        ConfigError: if there is nobody to ask.
        typer.Abort: if the person says no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Nobody can be asked here: say --yes")
    typer.confirm(question, abort=True, err=True)
