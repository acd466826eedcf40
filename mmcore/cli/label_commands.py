"""Commands about labels: labels set, undo, redo, history, export, import."""

import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.following import follow
from mmcore.cli.opening import opened_for_me
from mmcore.cli.options import (
    Home,
    Json,
    check_input,
    check_issues,
    examples,
    given_path,
    given_text,
    open_workspace,
)
from mmcore.times import local_time
from mmcore.workspace import check_target

if TYPE_CHECKING:  # the database is opened by the command that needs it, not by --help
    from mmcore.services.annotation_import import AnnotationImport
    from mmcore.services.people import Actor
    from mmcore.services.undoing import Undone
    from mmcore.store.engine import Store

SHOWN = 10  # rows or products named on the screen

labels_app = typer.Typer(no_args_is_help=True, help="Label products; take labels out, in and back.")
Act = Annotated[int | None, typer.Argument(help="Number of an act; your last one without.")]
Format = Annotated[
    str | None, typer.Option("--format", help="csv, jsonl or parquet; else by the file's name.")
]
Token = Annotated[
    str | None,
    typer.Option(help="Name of this decision: sent twice, it acts once. For scripts that retry."),
]


def token_or_new(token: str | None) -> str:
    """Return the given token, else one that nobody has used."""
    return token or f"cli-{secrets.token_hex(12)}"


@labels_app.command("set", epilog=examples("labels set ref-17 2583"))
def set_label(
    product: Annotated[
        str,
        typer.Argument(
            parser=given_text, metavar="PRODUCT", help="Id of the product, as the shop has it."
        ),
    ],
    class_code: Annotated[
        str, typer.Argument(parser=given_text, metavar="CLASS", help="Code of the class.")
    ],
    token: Token = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give one product a class."""
    from mmcore.services.labelling import Seen, label, product_named

    with opened_for_me(home) as (store, actor):
        found = product_named(store, product)
        seen = Seen(found.id, found.version, token_or_new(token))
        saved = label(store, actor, seen, class_code, time.time())
    if as_json:
        screen.print_json({"product": product, "label_before": found.label, **vars(saved)})
        return
    before = f", it was {found.label}" if found.label else ""
    screen.say(f"{product} is labelled {saved.label}{before} (act {saved.act_id})")


@labels_app.command("undo", epilog=examples("labels undo", "labels undo 42"))
def undo_act(
    act: Act = None, token: Token = None, home: Home = None, as_json: Json = False
) -> None:
    """Take back an act: a label, a bulk label, a merge, an import, or an undo."""
    from mmcore.services.undoing import undo

    with opened_for_me(home) as (store, actor):
        result = undo(store, actor, token_or_new(token), time.time(), act)
        _follow_many(store, actor, result, home)
    _show_undo(result, as_json)


@labels_app.command("redo", epilog=examples("labels redo"))
def redo_act(
    act: Act = None, token: Token = None, home: Home = None, as_json: Json = False
) -> None:
    """Bring back what was undone."""
    from mmcore.services.undoing import redo

    with opened_for_me(home) as (store, actor):
        result = redo(store, actor, token_or_new(token), time.time(), act)
        _follow_many(store, actor, result, home)
    _show_undo(result, as_json)


@labels_app.command("history", epilog=examples("labels history ref-17"))
def show_history(
    product: Annotated[
        str,
        typer.Argument(
            parser=given_text, metavar="PRODUCT", help="Id of the product, as the shop has it."
        ),
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Tell everything that people did to one product."""
    from mmcore.services.history import history
    from mmcore.services.labelling import product_named

    with opened_for_me(home) as (store, _):
        lines = history(store, product_named(store, product).id)
    if as_json:
        screen.print_json({"product": product, "annotations": [vars(line) for line in lines]})
        return
    if not lines:
        screen.say(f"nobody has annotated {product} yet")
    for line in lines:
        change = f"{line.label_before or 'none'} -> {line.label or 'none'}"
        undone = " (undone)" if line.is_undone else ""
        comment = f": {line.comment}" if line.comment else ""
        when = local_time(line.created_at)
        screen.say(
            f"{when} act {line.act_id} {line.annotator} {line.verb} {change}{comment}{undone}"
        )


@labels_app.command(
    "export", epilog=examples("labels export labels.csv", "labels export history.parquet --history")
)
def export_file(
    file: Annotated[
        Path,
        typer.Argument(
            parser=given_path, metavar="FILE", help="File to write: .csv, .jsonl or .parquet."
        ),
    ],
    history: Annotated[
        bool, typer.Option("--history", help="Every step of every product, not the labels now.")
    ] = False,
    split: Annotated[str | None, typer.Option(help="Only train, val or test.")] = None,
    format: Format = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write all labels, or the whole history, into a file."""
    from mmcore.services.annotation_export import ExportChoices, export_labels
    from mmcore.store.product_filter import ProductFilter

    check_target(file)
    choices = ExportChoices(ProductFilter(split=split), history, format)
    with opened_for_me(home) as (store, _):
        report = export_labels(store, file, choices)
    if as_json:
        screen.print_json({"path": str(report.path), "format": report.format, "n": report.count})
        return
    what = "annotations" if history else "labels"
    screen.say(f"wrote {report.count:,} {what} to {report.path}")


@labels_app.command("import", epilog=examples("labels import labels.csv --issues left-out.csv"))
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            parser=given_path, metavar="FILE", help="File with columns product_id and label."
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also where a person decided later than the row.")
    ] = False,
    issues: Annotated[
        Path | None,
        typer.Option(
            parser=given_path, metavar="FILE", help="Write the rows left out as a CSV table."
        ),
    ] = None,
    format: Format = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give products the labels of a file; the same file again changes nothing.

    Columns annotator, time and comment are taken where they are there. It is one act: `labels undo`
    with its number takes all of it back.
    """
    from mmcore.catalog.issues import write_table
    from mmcore.services.annotation_import import ImportChoices, import_labels

    check_input(file)
    check_issues(issues, file)
    with opened_for_me(home) as (store, actor):
        choices = ImportChoices(overwrite, format)
        report = import_labels(store, actor, file, time.time(), choices)
        job = follow(store, actor, *open_workspace(home)) if report.changed else None
    if issues is not None:
        write_table(report.issues, issues)
    if as_json:
        rows = [asdict(issue) for issue in report.issues]
        screen.print_json({**vars(report), "issues": rows, "predictions": job})
        return
    _show_import(report)


def _show_import(report: "AnnotationImport") -> None:
    if report.is_repeated:
        screen.say(f"this file was imported before, as act {report.act_id}: nothing was changed")
    number = f" (act {report.act_id})" if report.act_id is not None else ""
    screen.say(
        f"{report.rows:,} rows: {report.changed:,} products labelled, {report.unchanged:,} had "
        f"the label, {report.left_out:,} left out{number}"
    )
    if report.new_annotators:
        names = ", ".join(report.new_annotators[:SHOWN])
        screen.say(f"new annotators, not active: {names}")
    for issue in report.issues[:SHOWN]:
        screen.say(f"  line {issue.line}, {issue.product_id}: {issue.reason}")
    if len(report.issues) > SHOWN:
        screen.say(f"  and {len(report.issues) - SHOWN:,} more; --issues FILE writes them all")


def _follow_many(store: "Store", actor: "Actor", result: "Undone", home: Path | None) -> None:
    """Have the labels checked that many products have again; one isn't worth a job of its own."""
    if result.restored > 1:
        follow(store, actor, *open_workspace(home))


def _show_undo(result: "Undone", as_json: bool) -> None:
    if as_json:
        screen.print_json(asdict(result))
        return
    word = "redid" if result.is_redo else "undid"
    kept = f", {result.kept:,} kept because they were changed since" if result.kept else ""
    screen.say(
        f"{word} the {result.verb} (act {result.undone_id}): {result.restored:,} products put "
        f"back{kept}; act {result.act_id}"
    )
    for product in result.kept_first[:SHOWN]:
        screen.say(f"  {product.shop_id} {product.reason}")
