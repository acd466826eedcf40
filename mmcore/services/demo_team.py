"""A drawn team at work on the drawn catalogue, so that every screen of the demo has something to
show: people, guidelines, a week of labels with skips, flags and disagreements.

Everything is done through the same services as people use, at times that lie back. What the team
says is drawn as well: the catalogue notes which class is right, and now and then they err.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mmcore.catalog.rakuten_guidelines import GUIDELINES
from mmcore.seeds import stream
from mmcore.services.classes import list_classes, set_guideline
from mmcore.services.labelling import Seen, Suggestion, accept, flag, label, skip
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.queue import QueueChoice, next_product, release
from mmcore.services.queue_item import QueueItem
from mmcore.services.queue_settings import QueueSettings, put_queue_settings
from mmcore.store.engine import Store

DAY_S = 86_400.0
BEGAN_S = 8 * DAY_S  # before now: when the drawn catalogue is said to have come in
ERRS, SKIPS, FLAGS = 0.06, 0.04, 0.03  # shares of what the team does
ERRS_AGAIN = 0.25  # of second opinions, so that there are conflicts to settle
SECONDS = (2.5, 9.0)  # spent on a product
HIDDEN_SHARE, OVERLAP_SHARE = 0.15, 0.2  # more than usual: few labels have to show something
COMMENTS = ("deux produits sur la photo", "photo sans rapport avec le titre", "titre trop vague")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Member:
    """One of the team: how many products they look at, and how many days ago that was."""

    name: str
    role: str
    products: int
    days_ago: float


TEAM = (
    Member("Léa", "lead", 18, 1.1),
    Member("Anna", "annotator", 70, 3.0),
    Member("Ben", "annotator", 55, 2.0),
    Member("Visite", "viewer", 0, 0.0),
)


def has_team(store: Store) -> bool:
    """Return whether the team has been at work already."""
    from mmcore.services.people import list_people

    return any(person.name == TEAM[0].name for person in list_people(store))


def plant_team(store: Store, admin: Actor, now: float, progress: Progress) -> int:
    """Return how many products the team decided.

    Args:
        progress: called with (products looked at, products in all).
    """
    people = {m: ensure_actor(store, m.name, m.role, now - BEGAN_S) for m in TEAM}
    known = {c.code for c in list_classes(store)}
    for code, text in GUIDELINES.items():
        if code in known:
            set_guideline(store, admin, code, text, f"demo guideline {code}", now - BEGAN_S)
    put_queue_settings(
        store, admin, QueueSettings(overlap_share=OVERLAP_SHARE, hidden_share=HIDDEN_SHARE)
    )
    total = sum(member.products for member in TEAM)
    done = 0
    # who began first comes first: a second opinion follows the first one
    for member in sorted((m for m in TEAM if m.products), key=lambda m: -m.days_ago):
        done += _work(store, people[member], member, now, lambda n, d=done: progress(d + n, total))
    progress(total, total)
    return done


def _work(
    store: Store, actor: Actor, member: Member, now: float, progress: Callable[[int], None]
) -> int:
    draw = stream(7, "demo team", member.name)
    at = now - member.days_ago * DAY_S
    codes = [c.code for c in list_classes(store)]
    for i in range(member.products):
        item = next_product(store, actor, QueueChoice(), at)
        if item is None:
            return i
        seconds = draw.uniform(*SECONDS)
        at += seconds
        _decide(store, actor, item, _Mood(draw, codes, seconds, at))
        progress(i + 1)
    release(store, actor)
    return member.products


@dataclass(frozen=True)
class _Mood:
    """What chance has in store for one decision."""

    draw: object
    codes: list[str]
    seconds: float
    at: float


def _decide(store: Store, actor: Actor, item: QueueItem, mood: _Mood) -> None:
    seen, draw = _seen(item, mood.seconds), mood.draw
    chance = draw.random()
    if chance < SKIPS:
        skip(store, actor, seen, "", mood.at)
        return
    if chance < SKIPS + FLAGS:
        flag(store, actor, seen, COMMENTS[int(draw.integers(len(COMMENTS)))], mood.at)
        return
    right = item.extra.get("_true_label") or item.label or mood.codes[0]
    errs = chance > 1 - (ERRS_AGAIN if item.is_second_opinion else ERRS)
    code = mood.codes[int(draw.integers(len(mood.codes)))] if errs else right
    is_shown = seen.suggestion is not None and not seen.suggestion.is_hidden
    if is_shown and seen.suggestion.class_code == code:
        accept(store, actor, seen, mood.at)
    else:
        label(store, actor, seen, code, mood.at)


def _seen(item: QueueItem, seconds: float) -> Seen:
    said = item.suggestion
    suggestion = None
    if said and said.fused:
        best = said.fused[0]
        suggestion = Suggestion(best.code, best.probability, said.is_hidden, said.model_version_id)
    return Seen(item.id, item.version, item.token, suggestion, seconds, item.is_second_opinion)
