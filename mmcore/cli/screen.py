"""What the command line shows: progress bars on stderr, results on stdout."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from mmcore.runtime import Prediction
    from mmcore.services.demo import DemoSummary

VIEW_NAMES = {
    "text": "text",
    "image": "image",
    "fused": "fused",
    "fused_without_image": "fused, without image",
    "fused_without_text": "fused, without text",
}


def out() -> Console:
    """Return the console for results (made anew: tests and pipes swap stdout)."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """Return the console for progress and notes."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """Print one JSON object to stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def note(text: str) -> None:
    """Print a note to stderr."""
    err().print(f"[dim]note:[/dim] {plain(text)}")


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress bars on stderr, each with its remaining time; silent where piped."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield bars


@contextmanager
def counting(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar; yields a function to be called with (done, total)."""
    with progress() as bars:
        task = bars.add_task(description, total=None, note="")
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGTERM or Ctrl-C into a request; yields the function that tells of it.

    A second Ctrl-C interrupts at once.
    """
    asked = threading.Event()
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: object) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.set()

    for number in before:
        signal.signal(number, handle)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def scores_table(scores: dict, title: str) -> Table:
    """Return the scores of all views as a table."""
    table = Table(title=title, title_justify="left")
    table.add_column("view")
    for column in ("macro-F1", "weighted F1", "accuracy", "calibration error", "products"):
        table.add_column(column, justify="right")
    for view, row in scores.items():
        name = VIEW_NAMES.get(view, view.replace("_", " "))
        if row is None:
            table.add_row(name, *["-"] * 4, "0")
            continue
        cells = [f"{row[k]:.3f}" for k in ("macro_f1", "weighted_f1", "accuracy", "ece")]
        table.add_row(name, *cells, f"{row['n']:,}")
    return table


def class_table(rows: list[dict]) -> Table:
    """Return the per-class report as a table, worst classes first."""
    table = Table(title="fused, by class (worst first)", title_justify="left")
    table.add_column("class")
    for column in ("precision", "recall", "F1", "products"):
        table.add_column(column, justify="right")
    for row in sorted(rows, key=lambda r: (r["n"] == 0, r["f1"])):
        cells = [f"{row[k]:.3f}" for k in ("precision", "recall", "f1")]
        table.add_row(plain(row["label"]), *cells, str(row["n"]))
    return table


def answer_table(answer: "Prediction", top: int) -> Table:
    """Return the best classes of text, image and fused, side by side."""
    usual = [view for view in answer.probs if "_without_" not in view]
    table = Table()
    for view in usual:
        table.add_column(view)
        table.add_column("", justify="right")
    columns = [answer.top(view, top) for view in usual]
    for row in zip(*columns, strict=True):
        cells = [(plain(_label(r.code, r.name_fr)), f"{r.probability:.1%}") for r in row]
        table.add_row(*(cell for pair in cells for cell in pair))
    return table


def show_demo(summary: "DemoSummary") -> None:
    """Print what the demo has to show."""
    console = out()
    console.print(scores_table(summary.scores, f"{summary.model} on drawn test products"))
    table = Table(title="drawn products and what the model says", title_justify="left")
    for column in ("title", "labelled", "text", "image", "fused", ""):
        table.add_column(column)
    for e in summary.examples:
        cells = [plain(c) for c in (e.title[:38], e.label, e.text, e.image, e.fused)]
        table.add_row(*cells, f"{e.probability:.0%}")
    console.print(table)
    console.print(f"Every product above was drawn by code. Workspace: {summary.home}")
    console.print('Try: python -m mmcore predict --title "piscine gonflable" --explain')


def _label(code: str, name: str) -> str:
    return code if name == code else f"{code} {name}"


def plain(text: str) -> str:
    """Return text in which square brackets are no rich markup."""
    return text.replace("[", r"\[")
