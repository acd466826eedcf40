"""Commands that keep a workspace safe: backup, restore."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.confirm import Yes, confirm
from mmcore.cli.options import Home, Json, given_path, open_workspace
from mmcore.times import local_time

if TYPE_CHECKING:
    from mmcore.services.backup_file import BackupInfo


def backup(
    file: Annotated[
        Path,
        typer.Argument(
            parser=given_path, metavar="FILE", help="Where to write it; must not exist yet."
        ),
    ],
    home: Home = None,
    photos: Annotated[bool, typer.Option(help="Put the photos in, too.")] = True,
    models: Annotated[bool, typer.Option(help="Put the model folders in, too.")] = True,
    as_json: Json = False,
) -> None:
    """Write everything that can't be made anew into one checked file, while people go on working.

    Not inside: caches, thumbnails, logs, unfinished trainings, pretrained weights.
    """
    workspace, settings = open_workspace(home)
    from mmcore.services.backup import BackupOptions, backup
    from mmcore.services.opening import opened_store
    from mmcore.services.people import local_actor

    with opened_store(workspace, settings) as store, screen.counting("bytes") as show:
        options, now = BackupOptions(file.expanduser().absolute(), photos, models), time.time()
        report = backup(store, local_actor(store, now), workspace, options, now, show)
    for text in report.notes:
        screen.note(text)
    if as_json:
        data = {"file": str(report.target), "bytes": report.num_bytes, **_facts(report.info)}
        screen.print_json({**data, "notes": list(report.notes)})
        return
    size = f"{report.num_bytes / 1e6:,.1f} MB"
    screen.say(f"{report.target}: {size}, {_contents(report.info)}")


def restore(
    file: Annotated[
        Path, typer.Argument(parser=given_path, metavar="FILE", help="A file that `backup` wrote.")
    ],
    home: Home = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the file and say what it holds.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Into a workspace with content, which is kept aside."),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Even while others have it open; what they write is lost."),
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put a backup into a workspace and its database: checked first, whole or not at all."""
    workspace, settings = open_workspace(home)
    from mmcore.services.backup import verify_backup
    from mmcore.services.people import OPERATOR
    from mmcore.services.restore import RestoreOptions, restore

    source = file.expanduser().absolute()
    if check:
        info, kept = verify_backup(source), None
    else:
        if replace:
            confirm(f"replace what is in {workspace.home}?", yes)
        options = RestoreOptions(OPERATOR, replace, force)
        with screen.counting("bytes") as show:
            report = restore(source, workspace, settings, options, time.time(), show)
        info, kept = report.info, report.kept
    if as_json:
        done = {"file": str(source), "restored": not check, "kept": kept and str(kept)}
        screen.print_json({**done, **_facts(info)})
        return
    at = local_time(info.created_at)
    what = "holds" if check else f"is restored to {workspace.home}:"
    screen.say(f"backup of {at} {what} {_contents(info)}")
    if kept:
        screen.say(f"what was there before is in {kept}: delete it in time")


def _facts(info: "BackupInfo") -> dict:
    return {
        "created_at": info.created_at,
        "revision": info.revision,
        "photos": info.has_photos,
        "models": info.has_models,
        "counts": info.counts(),
    }


def _contents(info: "BackupInfo") -> str:
    return ", ".join(f"{num:,} {what}" for what, num in info.counts().items())
