"""Commands about the labelling queue: queue next, state, release, report; queue settings."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli.opening import opened_for_me
from mmcore.cli.options import Home, Json, examples
from mmcore.cli.setting_commands import queue_settings_app

if TYPE_CHECKING:
    from mmcore.services.quality import Share
    from mmcore.services.queue_item import QueueItem

queue_app = typer.Typer(no_args_is_help=True, help="What waits to be labelled, and in which order.")
queue_app.add_typer(queue_settings_app, name="settings")


@queue_app.command(
    "next", epilog=examples("queue next", "queue next --order suspicion --class 2583")
)
def next_one(
    order: Annotated[
        str,
        typer.Option(
            help="mix, disagreement, margin, entropy, suspicion, newest or random. Without: mix."
        ),
    ] = "mix",
    only: Annotated[
        str, typer.Option(help="undecided, unlabelled or flagged products. Without: undecided.")
    ] = "undecided",
    class_code: Annotated[
        str | None,
        typer.Option("--class", metavar="CODE", help="Only with this label. Without: all."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take the next product to label; it is kept for you for some minutes.

    Asked again, it is the same one, until it is labelled, skipped or released.
    """
    from mmcore.services.queue import QueueChoice, next_product

    choice = QueueChoice(order, only, class_code)
    with opened_for_me(home) as (store, actor):
        item = next_product(store, actor, choice, time.time())
    if as_json:
        screen.print_json(asdict(item) if item else {})
    elif item is None:
        screen.say("nothing is left in this queue")
    else:
        _show(item)


@queue_app.command("state", epilog=examples("queue state"))
def state(home: Home = None, as_json: Json = False) -> None:
    """Tell how many products wait, are done, are flagged and are open now."""
    from mmcore.services.queue import queue_state

    with opened_for_me(home) as (store, _):
        found = queue_state(store, time.time())
    if as_json:
        screen.print_json(asdict(found))
        return
    screen.say(
        f"{found.waiting:,} wait ({found.unlabelled:,} without a label), {found.done:,} are done"
    )
    screen.say(
        f"{found.second_opinions:,} wait for a second opinion, {found.flagged:,} are flagged, "
        f"{found.open_now:,} are open now"
    )


@queue_app.command("release", epilog=examples("queue release"))
def release_all(home: Home = None, as_json: Json = False) -> None:
    """Give back every product that you have open."""
    from mmcore.services.queue import release

    with opened_for_me(home) as (store, actor):
        count = release(store, actor)
    if as_json:
        screen.print_json({"released": count})
    else:
        screen.say(f"{count:,} products were given back")


@queue_app.command("report", epilog=examples("queue report --json"))
def report(home: Home = None, as_json: Json = False) -> None:
    """Tell how good the labels are: agreement, conflicts, suspects, suggestions, pace."""
    data = _report(home)
    if as_json:
        screen.print_json(data)
        return
    alpha = data["agreement"]["alpha"]
    screen.say(f"two people agree on {_percent(data['agreement']['agreed'])} of the overlap")
    screen.say(f"Krippendorff's alpha: {'-' if alpha is None else f'{alpha:.2f}'}")
    screen.say(
        f"conflicts: {data['conflicts']['open']:,} open, {data['conflicts']['settled']:,} settled"
    )
    screen.say(f"suspect labels that people changed: {_percent(data['suspects']['changed'])}")
    screen.say(f"others that they changed: {_percent(data['suspects']['others_changed'])}")
    screen.say(f"decided as suggested: {_percent(data['suggestions']['shown'])} where it was shown")
    screen.say(f"  and {_percent(data['suggestions']['hidden'])} where it was hidden")
    for person in data["people"]:
        rate = person["labels_per_hour"]
        pace = "" if rate is None else f", {rate:.0f} an hour"
        screen.say(f"{person['annotator']}: {person['labels']:,} labels{pace}")


def _report(home: Path | None) -> dict:
    """Return the whole report as plain JSON values."""
    from mmcore.services.pace import work_by_person
    from mmcore.services.quality import agreement, anchoring, count_conflicts, suspect_precision

    with opened_for_me(home) as (store, _):
        agreed = agreement(store)
        is_open, settled = count_conflicts(store)
        suspects = suspect_precision(store)
        everyone = anchoring(store)[0]
        people = work_by_person(store)
    pairs = [
        {
            "first": pair.first,
            "second": pair.second,
            "agreed": _share(pair.agreed),
            "kappa": pair.kappa,
        }
        for pair in agreed.pairs
    ]
    names = ("changed", "as_predicted", "others_changed")
    return {
        "agreement": {"agreed": _share(agreed.agreed), "alpha": agreed.alpha, "pairs": pairs},
        "conflicts": {"open": is_open, "settled": settled},
        "suspects": {name: _share(getattr(suspects, name)) for name in names},
        "suggestions": {
            "shown": _share(everyone.shown),
            "hidden": _share(everyone.hidden),
            "gap": everyone.gap,
            "interval": everyone.interval,
        },
        "people": [asdict(person) for person in people],
    }


def _share(share: "Share") -> dict:
    return {**asdict(share), "share": share.value, "interval": share.interval}


def _percent(share: dict) -> str:
    if not share["n"]:
        return "- (of none so far)"
    low, high = share["interval"]
    return f"{share['share']:.0%} ({low:.0%} to {high:.0%}, of {share['n']:,})"


def _show(item: "QueueItem") -> None:
    screen.say(f"{item.product_id}  {item.title}")
    screen.say(f"label: {item.label or 'none'}   version: {item.version}   order: {item.order}")
    said = item.suggestion
    if said is not None and said.is_hidden:
        screen.say("the suggestion is hidden for this one, to see what you say without it")
    elif said is not None:
        for view in ("fused", "text", "image"):
            guesses = getattr(said, view)
            if guesses:
                screen.say(
                    f"{view}: {guesses[0].code} {guesses[0].name_fr} {guesses[0].probability:.0%}"
                )
    screen.say(f"{item.progress.done:,} done, {item.progress.waiting:,} wait")
