"""Commands about classes: classes list, add, rename, archive, unarchive, merge."""

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mmcore.cli import screen
from mmcore.cli.confirm import Yes, confirm
from mmcore.cli.following import follow
from mmcore.cli.label_commands import Token, token_or_new
from mmcore.cli.opening import opened_for_me
from mmcore.cli.options import Home, Json, examples, given_text, open_workspace

if TYPE_CHECKING:
    from mmcore.services.class_merge import MergePreview
    from mmcore.services.classes import ClassResult

classes_app = typer.Typer(
    no_args_is_help=True, help="Show and change the classes; every change can be undone."
)
Code = Annotated[str, typer.Argument(parser=given_text, metavar="CODE", help="Code of the class.")]
NameFr = Annotated[
    str | None, typer.Option("--fr", parser=given_text, metavar="NAME", help="French name.")
]
NameEn = Annotated[
    str | None, typer.Option("--en", parser=given_text, metavar="NAME", help="English name.")
]


@classes_app.command("list", epilog=examples("classes list --all"))
def list_all(
    archived: Annotated[bool, typer.Option("--all", help="Archived classes, too.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the classes with their number of products."""
    from mmcore.services.classes import list_classes

    with opened_for_me(home) as (store, _):
        found = list_classes(store, with_archived=archived)
    if as_json:
        screen.print_json({"classes": [vars(one) for one in found]})
        return
    table = Table()
    for name in ("code", "French", "English"):
        table.add_column(name)
    table.add_column("products", justify="right")
    table.add_column("")
    for one in found:
        state = f"merged into {one.merged_into}" if one.merged_into else "archived"
        cells = [screen.plain(text) for text in (one.code, one.name_fr, one.name_en)]
        table.add_row(*cells, f"{one.count:,}", state if one.is_archived else "")
    screen.out().print(table)


@classes_app.command(
    "add", epilog=examples('classes add 2906 --fr "Jeux de plage" --en "Beach games"')
)
def add(
    code: Code,
    name_fr: NameFr = None,
    name_en: NameEn = None,
    token: Token = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a class, placed last."""
    from mmcore.services.classes import ClassNames, add_class

    with opened_for_me(home) as (store, actor):
        names = ClassNames(code, name_fr, name_en)
        _show(add_class(store, actor, names, token_or_new(token), time.time()), as_json)


@classes_app.command("rename", epilog=examples('classes rename 2906 --fr "Jeux de plage"'))
def rename(
    code: Code,
    new_code: Annotated[str | None, typer.Option("--code", help="New code.")] = None,
    name_fr: NameFr = None,
    name_en: NameEn = None,
    token: Token = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give a class another code or other names; its products keep it."""
    from mmcore.services.classes import ClassNames, rename_class

    with opened_for_me(home) as (store, actor):
        names = ClassNames(new_code, name_fr, name_en)
        _show(rename_class(store, actor, code, names, token_or_new(token), time.time()), as_json)


@classes_app.command("archive", epilog=examples("classes archive 2906"))
def archive(code: Code, token: Token = None, home: Home = None, as_json: Json = False) -> None:
    """Take a class out of use; its products keep the label."""
    from mmcore.services.classes import archive_class

    with opened_for_me(home) as (store, actor):
        _show(archive_class(store, actor, code, token_or_new(token), time.time()), as_json)


@classes_app.command("unarchive", epilog=examples("classes unarchive 2906"))
def unarchive(code: Code, token: Token = None, home: Home = None, as_json: Json = False) -> None:
    """Take a class into use again."""
    from mmcore.services.classes import unarchive_class

    with opened_for_me(home) as (store, actor):
        _show(unarchive_class(store, actor, code, token_or_new(token), time.time()), as_json)


@classes_app.command(
    "merge", epilog=examples("classes merge 2906 1280 --dry-run", "classes merge 2906 1280 --yes")
)
def merge(
    code: Annotated[str, typer.Argument(help="Code of the class that goes.")],
    into: Annotated[str, typer.Argument(help="Code of the class that takes its products.")],
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    token: Token = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Merge one class into another: shows what changes, then asks.

    All products change their label in one act, which `labels undo` with its number takes back.
    """
    from mmcore.services.class_merge import merge_classes, preview_merge

    with opened_for_me(home) as (store, actor):
        preview = preview_merge(store, code, into, time.time())
        if dry_run or not as_json:
            _show_preview(preview, as_json)
        if dry_run:
            return
        confirm(f"merge {code} into {into}?", yes)
        result = merge_classes(store, actor, code, into, token_or_new(token), time.time())
        follow(store, actor, *open_workspace(home))  # nobody has checked the labels they have now
        _show(result, as_json)


def _show_preview(preview: "MergePreview", as_json: bool) -> None:
    if as_json:
        screen.print_json({**vars(preview), "count": preview.count})
        return
    splits = ", ".join(f"{count:,} {split}" for split, count in sorted(preview.products.items()))
    lines = [
        f"{preview.count:,} products change from {preview.code} to {preview.into} ({splits or '-'})"
        f"; {preview.into} has {preview.into_count:,} now",
        f"{preview.annotations:,} annotations name {preview.code} and stay in the history",
        f"{preview.open_products:,} of the products are open on somebody's screen",
    ]
    if preview.models:
        names = ", ".join(preview.models[:5])
        lines.append(f"models that answer with {preview.code} until a retrain: {names}")
    for line in lines:
        screen.err().print(screen.plain(line))


def _show(result: "ClassResult", as_json: bool) -> None:
    if as_json:
        screen.print_json(vars(result))
    else:
        screen.out().print(screen.plain(f"{result.text} (act {result.act_id})"))
