"""Choices of the lead: queue settings show, set; models gate show, set."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.opening import opened_for_me
from mmcore.cli.options import Home, Json, examples, given_text
from mmcore.errors import ConfigError

queue_settings_app = typer.Typer(
    no_args_is_help=True, help="How the queue is mixed and shared between people."
)
gate_app = typer.Typer(
    no_args_is_help=True, help="What the quality gate lets through; verdicts that were given stay."
)


@queue_settings_app.command("show", epilog=examples("queue settings show"))
def show_queue(home: Home = None, as_json: Json = False) -> None:
    """Show how the queue is mixed and shared."""
    from mmcore.services.queue_settings import queue_settings

    with opened_for_me(home) as (store, _):
        _show(asdict(queue_settings(store)), as_json)


@queue_settings_app.command(
    "set",
    epilog=examples(
        "queue settings set --overlap 0.1 --lease-minutes 15",
        "queue settings set --mix disagreement=3 --mix random=1",
    ),
)
def set_queue(
    overlap: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of products two people get. Without: as it is."),
    ] = None,
    hidden: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Share shown without the suggestion. Without: as it is."
        ),
    ] = None,
    lease_minutes: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", help="How long a product is kept. Without: as it is."),
    ] = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            parser=given_text,
            metavar="ORDER=WEIGHT",
            help="How often the mix draws from an order; repeatable, the whole mix at once.",
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change how the queue is mixed and shared; what isn't named stays."""
    from mmcore.services.queue_settings import put_queue_settings, queue_settings

    given = {
        "overlap_share": overlap,
        "hidden_share": hidden,
        "lease_minutes": lease_minutes,
        "mix": _weights(mix) if mix else None,
    }
    with opened_for_me(home) as (store, actor):
        settings = replace(queue_settings(store), **_named(given))
        put_queue_settings(store, actor, settings)
    _show(asdict(settings), as_json)


@gate_app.command("show", epilog=examples("models gate show"))
def show_gate(home: Home = None, as_json: Json = False) -> None:
    """Show what the quality gate lets through."""
    from mmcore.services.comparison import read_limits

    with opened_for_me(home) as (store, _):
        _show(asdict(read_limits(store)), as_json, _gate_help())


@gate_app.command("set", epilog=examples("models gate set --class-drop 0.05 --class-products 30"))
def set_gate(
    macro_drop: Annotated[
        float | None,
        typer.Option(metavar="F1", help="Fused macro-F1 that may be lost. Without: as it is."),
    ] = None,
    class_drop: Annotated[
        float | None,
        typer.Option(metavar="F1", help="F1 that one class may lose. Without: as it is."),
    ] = None,
    class_products: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Test products below which a class isn't looked at. Without: as it is.",
        ),
    ] = None,
    ece_rise: Annotated[
        float | None,
        typer.Option(
            metavar="ERROR", help="Calibration error that may be added. Without: as it is."
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Of the bootstrap interval. Without: as it is."),
    ] = None,
    resamples: Annotated[
        int | None, typer.Option(metavar="N", help="Draws of the bootstrap. Without: as it is.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change what the quality gate lets through; what isn't named stays."""
    from mmcore.services.comparison import read_limits, save_limits

    given = {
        "macro_drop": macro_drop,
        "class_drop": class_drop,
        "class_products": class_products,
        "ece_rise": ece_rise,
        "confidence": confidence,
        "resamples": resamples,
    }
    with opened_for_me(home) as (store, actor):
        limits = replace(read_limits(store), **_named(given))
        save_limits(store, actor, limits)
    _show(asdict(limits), as_json, _gate_help())


def _named(given: Mapping[str, object]) -> dict[str, object]:
    """Return the choices that were made.

    Raises:
        ConfigError: if there are none.
    """
    found = {name: value for name, value in given.items() if value is not None}
    if not found:
        raise ConfigError(f"nothing was given to change; name one of {', '.join(given)}")
    return found


def _weights(words: list[str]) -> dict[str, float]:
    found = {}
    for word in words:
        order, equals, weight = word.partition("=")
        try:
            found[order] = float(weight)
        except ValueError:
            raise ConfigError(
                f"--mix {word!r}: write ORDER=WEIGHT, as random=0.2, with a number of 0 or more"
            ) from None
    return found


def _gate_help() -> dict[str, str]:
    from mmcore.gate import GateLimits

    return {limit.name: limit.metadata["help"] for limit in fields(GateLimits)}


def _show(values: Mapping[str, object], as_json: bool, help: Mapping[str, str] = {}) -> None:
    if as_json:
        screen.print_json(dict(values))
        return
    for name, value in values.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{order} {weight:g}" for order, weight in value.items())
        meaning = f"  {help[name]}" if name in help else ""
        screen.say(f"{name}: {value}{meaning}")
