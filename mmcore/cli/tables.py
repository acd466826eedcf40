"""Results as tables for people."""

from typing import TYPE_CHECKING

from rich.table import Table

from mmcore.cli import screen
from mmcore.cli.screen import cell

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


def scores_table(scores: dict, title: str) -> Table:
    """Return the scores of all views as a table."""
    table = Table(title=cell(title), title_justify="left")
    table.add_column("view")
    for column in ("macro-F1", "weighted F1", "accuracy", "calibration error", "products"):
        table.add_column(column, justify="right")
    for view, row in scores.items():
        name = VIEW_NAMES.get(view, cell(view.replace("_", " ")))
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
        table.add_row(cell(row["label"]), *cells, str(row["n"]))
    return table


def answer_table(answer: "Prediction", top: int) -> Table:
    """Return the best classes of text, image and fused, side by side."""
    usual = [view for view in answer.probs if "_without_" not in view]
    table = Table()
    for view in usual:
        table.add_column(cell(view))
        table.add_column("", justify="right")
    columns = [answer.top(view, top) for view in usual]
    for row in zip(*columns, strict=True):
        cells = [(cell(_label(r.code, r.name_fr)), f"{r.probability:.1%}") for r in row]
        table.add_row(*(cell for pair in cells for cell in pair))
    return table


def show_demo(summary: "DemoSummary") -> None:
    """Print what the demo has to show."""
    console = screen.out()
    console.print(scores_table(summary.scores, f"{summary.model} on drawn test products"))
    table = Table(title="drawn products and what the model says", title_justify="left")
    for column in ("title", "labelled", "text", "image", "fused", ""):
        table.add_column(column)
    for e in summary.examples:
        cells = [cell(c) for c in (e.title[:38], e.label, e.text, e.image, e.fused)]
        table.add_row(*cells, f"{e.probability:.0%}")
    console.print(table)
    screen.say(f"Every product above was drawn by code. Workspace: {summary.home}")
    screen.say('Try: python -m mmcore predict --title "piscine gonflable" --explain')


def _label(code: str, name: str) -> str:
    return code if name == code else f"{code} {name}"
