"""labels bulk: one class for every product that a filter means, after a look at how many."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.confirm import Yes, confirm
from mmcore.cli.filter_options import (
    ByAnnotator,
    Classes,
    Flagged,
    Labelled,
    Photo,
    Predicted,
    Search,
    Split,
)
from mmcore.cli.following import follow
from mmcore.cli.label_commands import Token, token_or_new
from mmcore.cli.opening import opened_for_me
from mmcore.cli.options import FLAG, Home, Json, given_text, open_workspace
from mmcore.errors import ConfigError

if TYPE_CHECKING:
    from mmcore.services.bulk import BulkPreview

_SHOWN = 8  # classes that the preview names


def label_many(
    class_code: Annotated[
        str, typer.Argument(parser=given_text, metavar="CODE", help="Code of the class to give.")
    ],
    label: Classes = None,
    predicted: Predicted = None,
    split: Split = None,
    labelled: Labelled = None,
    flagged: Flagged = None,
    photo: Photo = None,
    annotator: ByAnnotator = None,
    search: Search = "",
    everything: Annotated[
        bool, typer.Option("--all", metavar=FLAG, help="Every product; instead of a filter.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar=FLAG, help="Only show how many are meant.")
    ] = False,
    yes: Yes = False,
    token: Token = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give every product that the filters mean one class: shows how many, then asks.

    It is one act, which `labels undo` with its number takes back. Products that somebody decides
    on between the look and the act are left out and counted.
    """
    from mmcore.services import bulk
    from mmcore.services.product_choice import ProductChoice, find_filter

    choice = ProductChoice(
        classes=tuple(label or ()),
        predicted=tuple(predicted or ()),
        split=split,
        is_labelled=labelled,
        is_flagged=flagged,
        has_photo=photo,
        annotator=annotator,
        search=search,
    )
    if everything == (choice != ProductChoice()):
        raise ConfigError(
            "both --all and a filter were given; say one of them"
            if everything
            else "no filter was given; narrow the products (--class, --search, …) or say --all"
        )
    with opened_for_me(home) as (store, actor):
        wanted = find_filter(store, choice)
        seen = bulk.preview(store, wanted)
        if not (as_json and not dry_run):
            _show_preview(seen, class_code, as_json)
        if dry_run:
            return
        confirm(f"give {seen.count:,} products the class {class_code}?", yes)
        request = bulk.BulkRequest(wanted, token_or_new(token), seen.seen, seen.count)
        done = bulk.bulk_label(store, actor, request, class_code, time.time())
        job = follow(store, actor, *open_workspace(home))  # nobody has checked these labels
    if as_json:
        screen.print_json({**asdict(done), "predictions": job})
        return
    others = f", {done.changed_by_others:,} left out: others decided" * bool(done.changed_by_others)
    screen.say(f"{done.count:,} products are labelled {class_code}{others} (act {done.act_id})")
    screen.note(f"labels undo {done.act_id} takes all of it back")


def _show_preview(seen: "BulkPreview", class_code: str, as_json: bool) -> None:
    if as_json:
        classes = [{"class": code, "count": count} for code, count in seen.classes]
        screen.print_json({"class": class_code, "count": seen.count, "from": classes})
        return
    parts = [f"{count:,} {code or 'without a label'}" for code, count in seen.classes[:_SHOWN]]
    if len(seen.classes) > _SHOWN:
        parts.append(f"{len(seen.classes) - _SHOWN} more classes")
    now = f" (now: {', '.join(parts)})" if parts else ""
    screen.err().print(screen.plain(f"{seen.count:,} products would get {class_code}{now}"))
