"""What the command line shows: results on stdout, progress and notes on stderr.

Nothing a person, a file or a model brings along is ever read as markup: the consoles have it
switched off, and colour comes from Text objects. Control characters are shown, not obeyed.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mmcore.times import iso_utc

PIPE_WIDTH = 160  # a table in a file or a pipe has no edge of a window to keep to
FIRST_LINE_S = 10.0  # without a terminal: what takes less needs no word about its progress

# an escape sequence in a title could clear the screen or forge a line of ours
_CONTROL = {c: f"\\x{c:02x}" for c in (*range(0x20), *range(0x7F, 0xA0)) if c not in (9, 10)}


class _Console(Console):
    """A console that leaves a broken pipe to `main`: Rich would close stdout for stderr's sake."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def out() -> Console:
    """Return the console for results (made anew: tests and pipes swap stdout)."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console for progress and notes."""
    return _console(sys.stderr)


def _console(file: Any) -> Console:
    console = _Console(file=file, highlight=False, soft_wrap=True, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPE_WIDTH
    return console


def accept_any_text() -> None:
    """Let stdout and stderr take every character, with a backslash where they lack it.

    Names of files may hold bytes that are no text, and a terminal of the C locale knows no accent.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print a line of the result to stdout."""
    out().print(plain(text))


def print_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object to stdout; moments (`at`, `created_at`, …) are ISO 8601 in UTC."""
    data = _with_moments(values)
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:  # JSON's own escapes are JSON still, Python's are not
        text = json.dumps(data, indent=2)
    print(text)


def _with_moments(data: Any, name: str = "") -> Any:
    if isinstance(data, Mapping):
        return {key: _with_moments(value, str(key)) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_moments(value) for value in data]
    is_moment = name == "at" or name.endswith("_at")
    return iso_utc(data) if is_moment and isinstance(data, int | float) else data


def note(text: str) -> None:
    """Print a note to stderr."""
    err().print(note_line(text))


def note_line(text: str) -> Text:
    """Return a note as it is printed."""
    return Text.assemble(("note:", "dim"), " ", plain(text))


def plain(text: str) -> str:
    """Return text in which no character steers the terminal."""
    return text.translate(_CONTROL)


def cell(text: str) -> str:
    """Return text for one cell of a table, on one line."""
    return plain(" ".join(text.split()))


class _Progress(Progress):
    """Bars with a line of their own for what is to be said of the work."""

    below = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if self.below:  # beside a bar it would take the room of the remaining time
            yield Text("  " + plain(self.below), no_wrap=True, overflow="ellipsis")


class Bars:
    """Progress bars with their remaining time; without a terminal, a line now and then."""

    def __init__(self, progress: _Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, tuple[float, int]] = {}  # when, and how much was done by then
        self._told_at = time.monotonic()
        self._wait_s = FIRST_LINE_S

    @property
    def on_terminal(self) -> bool:
        return not self._progress.disable

    def show(self, name: str, done: int, total: int | None, text: str = "") -> None:
        """Move the bar `name`, which appears with its first call; None: nobody knows how far."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(plain(name), total=None)
            self._began[name] = (time.monotonic(), done)
        self._progress.update(self._tasks[name], completed=done, total=total)
        self._progress.below = text
        if not self.on_terminal and time.monotonic() - self._told_at >= self._wait_s:
            began, first = self._began[name]
            elapsed_s = time.monotonic() - began
            line = _progress_line(name, (done, first), total, elapsed_s)
            self.say(f"{line}, {text}" if text else line)
            self._wait_s = max(FIRST_LINE_S, 0.1 * elapsed_s)

    def say(self, text: str | Text) -> None:
        """Print a line above the bars."""
        self._progress.console.print(plain(text) if isinstance(text, str) else text)
        self._told_at = time.monotonic()


def _progress_line(name: str, counts: tuple[int, int], total: int | None, elapsed_s: float) -> str:
    """Return how far something is.

    Args:
        counts: what is done, and what was done when it was first shown.
    """
    if total is None:
        return name
    done, first = counts
    line = f"{name}: {done:,} of {total:,}"
    if first < done < total:
        minutes, seconds = divmod(round(elapsed_s * (total - done) / (done - first)), 60)
        line += f", about {minutes}:{seconds:02d} left"
    return line


@contextmanager
def progress() -> Iterator[Bars]:
    """Show progress bars on stderr."""
    console = err()
    columns = (
        SpinnerColumn("line" if console.options.ascii_only else "dots"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with _Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield Bars(bars)


@contextmanager
def counting(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar; yields a function to be called with (done, total)."""
    with progress() as bars:
        yield lambda done, total: bars.show(name, done, total)
