"""Commands about people: user list, add, role, deactivate, reactivate."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.confirm import Yes, confirm
from mmcore.cli.opening import opened_for_me
from mmcore.cli.options import Home, Json, examples, given_text
from mmcore.times import local_time

if TYPE_CHECKING:  # the database is opened by the command that needs it, not by --help
    from mmcore.services.people import Person

ROLES = "viewer, annotator, lead or admin"

users = typer.Typer(no_args_is_help=True, help="Who may do what: let people in, and out.")
Name = Annotated[str, typer.Argument(parser=given_text, metavar="NAME", help="Of the person.")]


@users.command("list", epilog=examples("user list"))
def list_all(home: Home = None, as_json: Json = False) -> None:
    """List everybody: role, since when, and who changed it last."""
    from mmcore.services.people import list_people

    with opened_for_me(home) as (store, _):
        people = list_people(store)
    if as_json:
        screen.print_json({"people": [asdict(person) for person in people]})
        return
    from rich.table import Table

    table = Table()
    for column in ("name", "role", "since", "last change"):
        table.add_column(column)
    for person in people:
        role = person.role if person.is_active else f"{person.role}, deactivated"
        row = (person.name, role, local_time(person.created_at), _last(person))
        table.add_row(*map(screen.plain, row))
    screen.out().print(table)


@users.command("add", epilog=examples("user add lea --role lead"))
def add(
    name: Name,
    role: Annotated[str, typer.Option(metavar="ROLE", help=f"{ROLES}.")] = "annotator",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Let a person in."""
    from mmcore.services.people import add_person

    _change(home, as_json, lambda store, me, now: add_person(store, me, name, role, now))


@users.command("role", epilog=examples("user role lea admin"))
def role(
    name: Name,
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"{ROLES}.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give a person another role; the last active admin keeps theirs."""
    from mmcore.services.people import change_role

    _change(home, as_json, lambda store, me, now: change_role(store, me, name, role, now))


@users.command("deactivate", epilog=examples("user deactivate lea --yes"))
def deactivate(name: Name, home: Home = None, yes: Yes = False, as_json: Json = False) -> None:
    """Shut a person out; their work stays, and what they had open is free again."""
    from mmcore.services.people import deactivate

    confirm(f"shut {name} out?", yes)
    _change(home, as_json, lambda store, me, now: deactivate(store, me, name, now))


@users.command("reactivate", epilog=examples("user reactivate lea"))
def reactivate(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Let a person in again, in the role they had."""
    from mmcore.services.people import reactivate

    _change(home, as_json, lambda store, me, now: reactivate(store, me, name, now))


def _change(home: Path | None, as_json: bool, verb: Callable[..., "Person"]) -> None:
    with opened_for_me(home) as (store, me):
        person = verb(store, me, time.time())
    if as_json:
        screen.print_json(asdict(person))
        return
    state = "" if person.is_active else ", deactivated"
    screen.say(f"{person.name}: {person.role}{state}")


def _last(person: "Person") -> str:
    if not person.history:
        return ""
    event = person.history[-1]
    return f"{event.act} by {event.by}, {local_time(event.at)}"
