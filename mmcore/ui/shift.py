"""What one person has open on the Label screen, and what their keys do to it.

Two products are kept: the one on the screen and the one behind it, which the browser has already.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from mmcore.errors import MmcoreError, RefusedError, StaleWriteError
from mmcore.services import queue
from mmcore.services.labelling import (
    Marked,
    Seen,
    Suggestion,
    accept,
    flag,
    label,
    product_named,
    skip,
)
from mmcore.services.queue import QueueChoice
from mmcore.services.queue_item import QueueItem
from mmcore.services.undoing import undo
from mmcore.ui.desk import Desk

Act = dict[str, Any]  # as the browser sends it, see mmcore/ui/label_board


@dataclass
class Shift:
    """One person at work in one browser tab.

    Attributes:
        answer: to the last decision, for the browser.
        saved_at: seconds since the epoch of the last decision that was stored.
        sent: keys of photos that the browser has.
    """

    choice: QueueChoice = field(default_factory=QueueChoice)
    current: QueueItem | None = None
    ahead: QueueItem | None = None
    answer: dict[str, Any] | None = None
    saved_at: float | None = None
    sent: set[str] = field(default_factory=set)

    def open_products(self) -> tuple[int, ...]:
        return tuple(item.id for item in (self.current, self.ahead) if item)


def fill(desk: Desk, shift: Shift, now: float) -> None:
    """Give the person a product, and one behind it, where they have none."""
    if shift.current is None:
        shift.current, shift.ahead = shift.ahead, None
    for place in ("current", "ahead"):
        if getattr(shift, place) is None:
            setattr(shift, place, _next(desk, shift, now))
        if getattr(shift, place) is None:
            return  # the end of the queue: nothing is behind it


def choose(desk: Desk, shift: Shift, choice: QueueChoice, now: float) -> None:
    """Work on another queue from now on; what was open goes back to the old one."""
    queue.release(desk.store, desk.actor, shift.open_products())
    shift.choice, shift.current, shift.ahead = choice, None, None
    fill(desk, shift, now)


def start_with(desk: Desk, shift: Shift, shop_id: str, now: float) -> None:
    """Put a certain product, by the shop's own id, on the screen before the one that is there.

    Raises:
        NotFoundError: if there is none.
        RefusedError: if it doesn't wait, or somebody else has it open.
    """
    if shift.current and shift.current.product_id == shop_id:
        return
    item = queue.take(desk.store, desk.actor, product_named(desk.store, shop_id).id, now)
    _push(desk, shift, item)


def handle(desk: Desk, shift: Shift, act: Act, now: float) -> None:
    """Do what a key asked for. What is refused becomes the answer; the decision stays on screen."""
    kind = act.get("kind")
    if kind == "photos":
        shift.sent.difference_update(act.get("keys", ()))
        return
    if kind == "renew":
        _renew(desk, shift, now)
        return
    shift.answer = {"token": act.get("token"), "error": None, "stale_version": None}
    try:
        _decide(desk, shift, act, now)
    except StaleWriteError as error:
        shift.answer |= {"error": str(error), "stale_version": error.version}
    except MmcoreError as error:
        shift.answer |= {"error": str(error)}


def _decide(desk: Desk, shift: Shift, act: Act, now: float) -> None:
    if act["kind"] == "undo":
        _undo(desk, shift, act, now)
    elif act["kind"] == "drop":
        queue.release(desk.store, desk.actor, [act["id"]])
        _advance(shift, act["id"])
    else:
        _mark(desk, shift, act, now)
        _advance(shift, act["id"])
        shift.saved_at = now
    fill(desk, shift, now)


def _mark(desk: Desk, shift: Shift, act: Act, now: float) -> Marked:
    seen = _seen(shift, act)
    who = (desk.store, desk.actor, seen)
    kind, comment = act["kind"], act.get("comment", "")
    if kind == "label":
        return label(*who, act["code"], now)
    if kind == "accept":
        return accept(*who, now)
    if kind == "skip":
        return skip(*who, comment, now)
    if kind == "flag":
        return flag(*who, comment, now)
    raise RefusedError(f"the screen has no act {kind!r}; load the page again")


def _seen(shift: Shift, act: Act) -> Seen:
    """Return what the person saw. A decision that outlived its tab says it all by itself."""
    item = next((i for i in (shift.current, shift.ahead) if i and i.id == act["id"]), None)
    return Seen(
        product_id=act["id"],
        version=act["version"],
        token=act["token"],
        suggestion=_suggestion(item) if item else _told_suggestion(act.get("suggestion")),
        seconds=act.get("seconds"),
        is_second_opinion=bool(item and item.is_second_opinion),
    )


def _told_suggestion(told: dict[str, Any] | None) -> Suggestion | None:
    """Return what the browser says it had shown: an answer was lost, the product has gone on."""
    return Suggestion(told["code"], told["p"], False, told["model"]) if told else None


def _suggestion(item: QueueItem) -> Suggestion | None:
    said = item.suggestion
    if said is None or not said.fused:
        return None
    best = said.fused[0]
    return Suggestion(best.code, best.probability, said.is_hidden, said.model_version_id)


def _advance(shift: Shift, product_id: int) -> None:
    if shift.ahead and shift.ahead.id == product_id:
        shift.ahead = None
    if shift.current and shift.current.id == product_id:
        shift.current, shift.ahead = shift.ahead, None


def _undo(desk: Desk, shift: Shift, act: Act, now: float) -> None:
    """Take the last decision back and put its product on the screen again."""
    undone = undo(desk.store, desk.actor, act["token"], now, act.get("act"))
    shift.saved_at = now
    if undone.product is None:
        return  # a bulk act: its products are back where they were, none is shown
    try:
        item = queue.take(desk.store, desk.actor, undone.product.product_id, now)
    except RefusedError:
        return  # undone all the same; a colleague has it open
    _push(desk, shift, item)


def _push(desk: Desk, shift: Shift, item: QueueItem) -> None:
    behind = shift.ahead
    if shift.current and shift.current.id != item.id:
        shift.ahead = shift.current
    else:
        behind = None
    if behind and behind.id not in (item.id, shift.ahead and shift.ahead.id):
        queue.release(desk.store, desk.actor, [behind.id])
    shift.current = item


def _renew(desk: Desk, shift: Shift, now: float) -> None:
    """Keep what is open for longer. What went to somebody else stays on the screen until decided:
    the store refuses a decision that comes too late, and the person reads by whom."""
    queue.renew(desk.store, desk.actor, shift.open_products(), now)


def _next(desk: Desk, shift: Shift, now: float) -> QueueItem | None:
    choice = QueueChoice(
        shift.choice.order, shift.choice.only, shift.choice.class_code, shift.open_products()
    )
    return queue.next_product(desk.store, desk.actor, choice, now)


def clock(seconds: float) -> str:
    """Return a time of day as the screen shows it, in this machine's zone."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))
