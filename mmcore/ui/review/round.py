"""A person going through one review: what is open, what was put off, what keys do."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from mmcore.errors import MmcoreError, RefusedError, StaleWriteError
from mmcore.services.browse import rows_of
from mmcore.services.labelling import Seen, Suggestion, flag, label
from mmcore.services.queue import release, take
from mmcore.services.queue_item import QueueItem
from mmcore.services.reviewing import Case, open_case, review_list
from mmcore.services.undoing import undo
from mmcore.ui.desk import Desk

LISTED = 100  # products that are looked at for one that nobody has open


@dataclass
class Round:
    """One review in one browser tab.

    Attributes:
        later: products that were put off; they come again when the page is run anew at its end.
        item: the product as the queue gave it, kept from others; None of one that doesn't wait.
        decided: products that were decided here, the last one at the end.
        num_left: products of the review that weren't put off.
        token: of the open case; another one each time a case is opened.
    """

    kind: str
    case: Case | None = None
    item: QueueItem | None = None
    later: set[str] = field(default_factory=set)
    decided: list[str] = field(default_factory=list)
    num_left: int = 0
    token: str = ""
    answer: dict[str, Any] | None = None
    saved_at: float | None = None
    sent: set[str] = field(default_factory=set)


def go_on(desk: Desk, turn: Round, now: float) -> None:
    """Open the most pressing product that wasn't put off, where none is open."""
    if turn.case is not None:
        return
    # as many more as were put off, or these would hide the rest
    found = review_list(desk.store, turn.kind, LISTED + len(turn.later))
    left = [p for p in found if p not in turn.later]
    turn.num_left = len(left)
    for shop_id in left:
        if _open(desk, turn, shop_id, now):
            return


def _open(desk: Desk, turn: Round, shop_id: str, now: float) -> bool:
    """Return whether the product is open now; one that a colleague has open is left to them."""
    case = open_case(desk.store, shop_id)
    turn.item = None
    if turn.kind != "conflicts":
        try:
            turn.item = take(desk.store, desk.actor, case.product.id, now)
        except RefusedError:
            return False
    turn.case = case
    turn.token = turn.item.token if turn.item else f"review-{secrets.token_urlsafe(12)}"
    return True


def handle(desk: Desk, turn: Round, act: dict[str, Any], now: float) -> None:
    """Do what a key asked for; what is refused becomes the answer."""
    if act["kind"] == "photos":
        turn.sent.difference_update(act.get("keys", ()))
        return
    if act["kind"] == "renew":
        return
    turn.answer = {"token": act.get("token"), "error": None, "stale_version": None}
    try:
        _decide(desk, turn, act, now)
    except StaleWriteError as error:
        turn.answer |= {"error": str(error), "stale_version": error.version}
    except MmcoreError as error:
        turn.answer |= {"error": str(error)}


def _decide(desk: Desk, turn: Round, act: dict[str, Any], now: float) -> None:
    kind = act["kind"]
    if kind == "undo":
        _undo(desk, turn, act, now)
        return
    if turn.case is None or act.get("id") != turn.case.product.id:
        return  # sent again: the answer to the first one was lost
    shop_id = turn.case.product.product_id
    if kind in ("skip", "drop"):
        turn.later.add(shop_id)
    elif kind == "flag":
        flag(desk.store, desk.actor, _seen(turn, act), act.get("comment", ""), now)
    else:
        label(desk.store, desk.actor, _seen(turn, act), act["code"], now)
    if kind in ("skip", "drop") and turn.item:
        release(desk.store, desk.actor, [turn.item.id])
    if kind not in ("skip", "drop"):
        turn.decided.append(shop_id)
        turn.saved_at = now
    turn.case = turn.item = None


def _seen(turn: Round, act: dict[str, Any]) -> Seen:
    said = turn.item.suggestion if turn.item else None
    suggestion = None
    if said and said.fused:
        best = said.fused[0]
        suggestion = Suggestion(best.code, best.probability, False, said.model_version_id)
    return Seen(act["id"], act["version"], act["token"], suggestion, act.get("seconds"))


def _undo(desk: Desk, turn: Round, act: dict[str, Any], now: float) -> None:
    """Take an act back and open its product again."""
    done = undo(desk.store, desk.actor, act["token"], now, act.get("act"))
    turn.saved_at = now
    if done.product is None:
        return  # several products: they are back where they were, none is shown
    found = rows_of(desk.store, [done.product.product_id])
    if not found:
        return
    shop_id = found[0].product_id
    turn.decided = [product for product in turn.decided if product != shop_id]
    if turn.item:
        release(desk.store, desk.actor, [turn.item.id])
    turn.case = turn.item = None
    _open(desk, turn, shop_id, now)
