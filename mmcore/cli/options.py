"""Options that several commands share, with their help texts; and how their words are read."""

import re
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from mmcore.errors import ConfigError
from mmcore.settings import Settings, read_settings
from mmcore.workspace import Workspace, check_target

_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: what a byte that is no text becomes


def given_text(word: str) -> str:
    """Return a word of the command line as text that can be stored and printed.

    Bytes that the locale can't read arrive as lone surrogates; most are UTF-8 all the same.
    """
    if _SURROGATE.search(word):
        try:
            data = word.encode(sys.getfilesystemencoding(), "surrogateescape")
            word = data.decode("utf-8", "replace")
        except UnicodeEncodeError:
            pass
    return _SURROGATE.sub("\ufffd", word).replace("\0", " ")


def given_path(word: str) -> Path:
    """Return a word of the command line as a path, whatever bytes its name holds."""
    if not word:
        raise typer.BadParameter("it is empty; name a file or folder ('.' is the current one)")
    if "\0" in word:
        raise typer.BadParameter("it holds a NUL character, which no name of a file may")
    return Path(word)


def check_input(path: Path | None) -> None:
    """Refuse what can't be read more than once to its end: a pipe, a device, a socket.

    What is missing or a folder is left to the reader, who knows what it should have been.

    Raises:
        ConfigError: naming what to give instead.
    """
    if path is None or not path.exists() or path.is_dir():
        return
    if not path.is_file():
        raise ConfigError(f"{path} is no regular file; save it to a file first and name that")
    if not path.stat().st_size:  # such as those in /proc, which may not end all the same
        raise ConfigError(f"{path} is empty (0 bytes); name another file")


def check_issues(issues: Path | None, source: Path) -> None:
    """Refuse a table of remarks that couldn't be written, before hours may be spent.

    Raises:
        ConfigError: if it is the file that is read.
        WorkspaceError: if it can't be written.
    """
    if issues is None:
        return
    check_target(issues)
    if issues.resolve() == source.resolve():
        raise ConfigError(f"{issues} is what is imported; write --issues to another file")


def examples(*lines: str) -> str:
    """Return the end of a command's help: how it is typed."""
    shown = "\n\n".join(f"python -m mmcore {line}" for line in lines)
    return f"Examples:\n\n{shown}"


FLAG = ""  # a switch takes no value, so its help shows no type
COUNT = "N"

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        parser=given_path,
        help="Workspace folder. Without: MMCORE_HOME, else the user data folder.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", metavar=FLAG, help="Print the result as one JSON object, alone on stdout."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="NAME", help="Model version. Without: production, else the newest."
    ),
]


# --home before the command; the one after it wins
home_for_all: ContextVar[Path | None] = ContextVar("home_for_all", default=None)


def open_workspace(home: Path | None) -> tuple[Workspace, Settings]:
    """Return the chosen workspace and this machine's settings."""
    settings = read_settings(home or home_for_all.get())
    return Workspace(settings.home), settings
