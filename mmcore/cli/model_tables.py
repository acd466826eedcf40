"""How the command line shows model versions, verdicts and changed products."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mmcore.cli.screen import plain
from mmcore.cli.tables import VIEW_NAMES
from mmcore.times import local_time

if TYPE_CHECKING:
    from mmcore.services.comparison import ChangedProduct
    from mmcore.services.registry_view import VersionInfo

_VERDICTS = {True: "passed", False: "refused", None: "unknown"}


def versions_table(versions: "list[VersionInfo]") -> Table:
    """Return the registry as a table."""
    table = Table(title="models, newest first", title_justify="left")
    for column in ("model", "stage", "made", "from", "gate", "folder"):
        table.add_column(column, no_wrap=column in ("model", "stage", "made"))
    for column in ("macro-F1", "MB"):
        table.add_column(column, justify="right")
    for v in versions:
        fused = (v.verdict.get("scores", {}).get("candidate") or v.scores).get("fused")
        table.add_row(
            plain(v.name),
            v.stage,
            local_time(v.created_at),
            plain(v.parent or "-"),
            _VERDICTS[v.verdict.get("passed")] if v.verdict else "-",
            v.folder,
            f"{fused['macro_f1']:.3f}" if fused else "-",
            f"{v.num_bytes / 1e6:.1f}",
        )
    return table


def verdict_lines(verdict: dict) -> Iterator[str | Text | Table]:
    """Yield a verdict as text and tables."""
    if verdict["scores"].get("production"):
        yield _scores_table(verdict)
    for check in verdict["checks"]:
        mark = ("passed  ", "green") if check["passed"] else ("refused ", "red")
        yield Text.assemble(mark, plain(check["sentence"]))
    if verdict.get("changes"):
        yield _counts_table(verdict["changes"])
    if not verdict["checks"]:
        yield plain(verdict["sentence"])


def _scores_table(verdict: dict) -> Table:
    title = f"candidate beside {verdict['against']}, on {verdict['n']:,} test products"
    table = Table(title=plain(title), title_justify="left")
    table.add_column("view")
    for column in ("macro-F1", "before", "difference", "95% from", "to", "accuracy", "before"):
        table.add_column(column, justify="right")
    table.columns[4].header = f"{verdict['limits']['confidence']:.0%} from"
    for view, after in verdict["scores"]["candidate"].items():
        before = verdict["scores"]["production"][view]
        found = verdict["intervals"][view]["difference"]
        cells = [f"{after['macro_f1']:.3f}", f"{before['macro_f1']:.3f}"]
        cells += [f"{found[key]:+.3f}" for key in ("value", "low", "high")]
        cells += [f"{after['accuracy']:.3f}", f"{before['accuracy']:.3f}"]
        table.add_row(VIEW_NAMES.get(view, view), *cells)
    return table


def _counts_table(changes: dict) -> Table:
    table = Table(title="the whole catalogue, product by product", title_justify="left")
    table.add_column("view")
    outcomes = list(next(iter(changes.values())))
    for outcome in outcomes:
        table.add_column(outcome.replace("_", ", "), justify="right")
    for view, counts in changes.items():
        table.add_row(VIEW_NAMES.get(view, view), *(f"{counts[o]:,}" for o in outcomes))
    return table


def changes_table(products: "list[ChangedProduct]") -> Table:
    """Return changed products as a table."""
    table = Table(title="changed products", title_justify="left")
    for column in ("product", "title", "label", "before", "after", ""):
        table.add_column(column, no_wrap=column in ("model", "stage", "state", "made"))
    for p in products:
        table.add_row(
            plain(p.product_id),
            plain(p.title[:38]),
            plain(p.label or "-"),
            _answer(p.before, p.before_probability),
            _answer(p.after, p.after_probability),
            p.outcome.replace("_", ", "),
        )
    return table


def _answer(code: str | None, probability: float | None) -> str:
    return "-" if code is None else plain(f"{code} {probability or 0:.0%}")
