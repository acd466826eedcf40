"""Commands that bring products in: import csv, import rakuten."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.following import follow
from mmcore.cli.options import (
    COUNT,
    FLAG,
    Home,
    Json,
    check_input,
    check_issues,
    given_path,
    given_text,
    open_workspace,
)

if TYPE_CHECKING:  # pandas and torch are loaded by the command that needs them, not by --help
    from mmcore.catalog.csv_columns import CsvColumns
    from mmcore.services.import_report import ImportReport

SHOWN_ISSUES = 10

Issues = Annotated[
    Path | None,
    typer.Option(
        parser=given_path,
        metavar="FILE",
        help="Write every remark about a row as a CSV table. Without: the first 10 are printed.",
    ),
]
Images = Annotated[
    Path | None,
    typer.Option(
        parser=given_path,
        metavar="PATH",
        help="Folder or ZIP archive of the photos. Without: no photos.",
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        parser=given_text,
        metavar="CHARACTER",
        help="What separates the columns. Without: found by looking.",
    ),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        metavar=FLAG,
        help="Drop the catalogue that is there instead of adding; test products stay test.",
    ),
]
Relabel = Annotated[
    bool, typer.Option("--relabel", help="Labels of the file win over those that people gave.")
]
Seed = Annotated[
    int, typer.Option(metavar=COUNT, min=0, help="Seed by which train, val and test are drawn.")
]


def column_option(meaning: str, *names: str) -> object:
    """Return the option that names a column."""
    help = f"Column with the {meaning}; '' for none. Without: guessed."
    return typer.Option(*names, parser=given_text, metavar="COLUMN", help=help)


def import_csv(
    file: Annotated[
        Path, typer.Argument(parser=given_path, metavar="FILE", help="CSV file with a header.")
    ],
    home: Home = None,
    product_id: Annotated[str | None, column_option("product id", "--id")] = None,
    title: Annotated[str | None, column_option("title")] = None,
    description: Annotated[str | None, column_option("description")] = None,
    image: Annotated[str | None, column_option("name of the photo file")] = None,
    label: Annotated[str | None, column_option("class")] = None,
    group: Annotated[str | None, column_option("group of near-copies")] = None,
    split: Annotated[str | None, column_option("split (train, val, test)")] = None,
    images: Images = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            parser=given_text,
            metavar="COLUMN",
            help="Further column to keep (price, brand); repeatable. "
            "Without any column named: all.",
        ),
    ] = None,
    separator: Separator = None,
    replace_all: Replace = False,
    relabel: Relabel = False,
    seed: Seed = 0,
    issues: Issues = None,
    as_json: Json = False,
) -> None:
    """Import products from a CSV file; the same file again changes nothing.

    Columns that are not named are guessed from the header. A row that can't be read is reported
    with its line and the reason; the rest goes in.
    """
    from mmcore.catalog.csv_columns import FIELDS
    from mmcore.services import catalogue

    check_input(file)
    check_input(images)
    check_issues(issues, file)
    names = (product_id, title, description, image, label, group, split)
    given = dict(zip(FIELDS, names, strict=True))
    columns = choose_columns(file, separator, given, extra)
    options = catalogue.CsvImport(file, columns, images, separator, replace_all, relabel, seed)
    report, job = _import(home, catalogue.import_csv, options)
    mapping = {field: getattr(columns, field) for field in FIELDS}
    _show(report, issues, as_json, job, {**mapping, "extra": list(columns.extra)})


def import_rakuten(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=given_path, metavar="FOLDER", help="Folder of the Rakuten France challenge."
        ),
    ],
    home: Home = None,
    part: Annotated[
        str, typer.Option(metavar="PART", help="train, or test (which has no labels).")
    ] = "train",
    replace_all: Replace = False,
    relabel: Relabel = False,
    seed: Seed = 0,
    issues: Issues = None,
    as_json: Json = False,
) -> None:
    """Import the Rakuten France challenge: X_train_update.csv, Y_train_CVw08PX.csv, images/."""
    from mmcore.services import catalogue

    check_issues(issues, folder)
    options = catalogue.RakutenImport(folder, part, replace_all, relabel, seed)
    report, job = _import(home, catalogue.import_rakuten, options)
    _show(report, issues, as_json, job, {})


def _import(
    home: Path | None, verb: Callable[..., "ImportReport"], options: object
) -> tuple["ImportReport", dict | None]:
    """Return what an import into the chosen workspace did, and the job that follows it."""
    from mmcore.services.opening import opened_store
    from mmcore.services.people import local_actor

    workspace, settings = open_workspace(home)
    now = time.time()
    with opened_store(workspace, settings) as store:
        actor = local_actor(store, now)
        with screen.progress() as bars:
            report = verb(store, actor, workspace, options, now, bars.show)
        return report, follow(store, actor, workspace, settings)


def choose_columns(
    file: Path, separator: str | None, given: dict[str, str | None], extra: list[str] | None
) -> "CsvColumns":
    """Return the named columns, and a guess for those that were not named."""
    from mmcore.catalog.csv_columns import FIELDS, CsvColumns, guess_columns
    from mmcore.catalog.csv_table import open_table

    table = open_table(file, separator)
    guess = guess_columns(table.header, table.unnamed)
    named = {field: name for field, name in given.items() if name is not None}
    if extra is not None or named:  # who names columns doesn't expect all the others
        guess = replace(guess, extra=tuple(extra or ()))
    taken = {*named.values(), *guess.extra}
    guessed = {
        field: None if getattr(guess, field) in taken else getattr(guess, field) for field in FIELDS
    }
    chosen = {**guessed, **{field: name or None for field, name in named.items()}}
    return CsvColumns(**chosen, extra=guess.extra)


def _show(
    report: "ImportReport", issues: Path | None, as_json: bool, job: dict | None, mapping: dict
) -> None:
    """Print what was imported; the table of remarks may fail, the import is done all the same."""
    from mmcore.catalog.issues import write_table

    if as_json:
        columns = {"columns": mapping} if mapping else {}
        screen.print_json({**report.to_json(), **columns, "predictions": job})
    else:
        _show_lines(report, mapping)
    if issues is not None:
        write_table(report.issues, issues)


def _show_lines(report: "ImportReport", mapping: dict) -> None:
    if mapping:
        pairs = ", ".join(f"{field} = {name}" for field, name in mapping.items() if name)
        screen.say(f"columns: {pairs}")
    for line in report.summary():
        screen.say(line)
    for issue in report.issues[:SHOWN_ISSUES]:
        where = f"line {issue.line}" + (f", {issue.column}" if issue.column else "")
        screen.say(f"  {where}: {issue.reason} ({issue.severity})")
    if len(report.issues) > SHOWN_ISSUES:
        more = len(report.issues) - SHOWN_ISSUES
        screen.say(f"  and {more:,} more remarks; --issues FILE writes them all")
