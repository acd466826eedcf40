"""The labelling queue: the next product for a person, kept for them while they look at it.

Nobody else is given a product as long as its lease runs; pages renew it while it is open, and give
it back when they are left. A label, skip or flag ends it (through `store.queue.settle`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError, StoreError
from mmcore.seeds import stream
from mmcore.services.people import Actor, require
from mmcore.services.queue_item import Progress, QueueItem, Taken, item_of, progress_of
from mmcore.services.queue_settings import QueueSettings, read_settings, settings_of
from mmcore.store import queue, queue_next
from mmcore.store.engine import Store
from mmcore.store.models import is_production_kept
from mmcore.store.queue_next import ORDERS, LeaseTerms, Wish
from mmcore.store.queue_rows import LEADS
from mmcore.store.queue_scores import copy_scores
from mmcore.store.tables import Annotator, Lease, ProductClass, QueueEntry

MIX = "mix"
ONLY = ("undecided", "unlabelled", "flagged")
MAX_ON_SCREEN = 4  # products one person keeps from others while asking for one more
REFRESH_PIECE = 5_000  # products a transaction, so that labelling goes on meanwhile
ATTEMPTS = 50  # to take a product before somebody else; each failure means that another succeeded


@dataclass(frozen=True)
class QueueChoice:
    """Which queue a person works on, and what they have on the screen.

    Attributes:
        order: one of ORDERS, or MIX.
        only: undecided (by a person; labels of files are no decisions), unlabelled, or flagged
            (for leads: nobody else is given flagged products).
        class_code: only products that carry this label.
        on_screen: products (numbers in the store) that are open already, so that another one is
            asked for. A product that the person holds but doesn't name here is given again: a
            page that is loaded again goes on where it was.
    """

    order: str = MIX
    only: str = "undecided"
    class_code: str | None = None
    on_screen: tuple[int, ...] = ()


@dataclass(frozen=True)
class QueueState:
    """How far the work is.

    Attributes:
        waiting: products that no person has decided; done: those that somebody has.
        second_opinions: products of the overlap that wait for another person.
        flagged: products that wait for a lead.
        open_now: products that people have open.
    """

    waiting: int
    done: int
    unlabelled: int
    second_opinions: int
    flagged: int
    open_now: int


def next_product(store: Store, actor: Actor, choice: QueueChoice, now: float) -> QueueItem | None:
    """Return the product to look at next, which is this person's for a while; None at the end.

    Raises:
        RefusedError: if the choice isn't one, or needs a lead.
        NotFoundError: if there is no such class.
    """
    require(actor, "lead" if choice.only == "flagged" else "annotator")
    _check(choice)
    for _ in range(ATTEMPTS):
        # everybody else who writes waits meanwhile: what is only read comes afterwards
        with store.writing() as session:
            lease, settings, progress = _lease(session, actor, choice, now)
        if lease is None:
            return None
        with store.reading() as session:
            item = item_of(session.connection(), lease, settings, progress)
        if item is not None:  # else a bulk act has just decided it
            return item
    raise StoreError(f"{ATTEMPTS} products in a row were decided by others; try again")


def take(store: Store, actor: Actor, product_id: int, now: float) -> QueueItem:
    """Return a certain product (its number in the store), which is this person's for a while.

    What comes back after an undo, and what a link names, is opened this way.

    Raises:
        RefusedError: if it doesn't wait any more, or somebody else has it open; naming who.
    """
    require(actor, "annotator")
    with store.writing() as session:
        connection = session.connection()
        opening = queue_next.opening(connection)
        settings = settings_of(opening.setting)
        terms = LeaseTerms(secrets.token_urlsafe(16), now, now + settings.lease_minutes * 60)
        _refuse_closed(session, product_id, actor)
        token = queue_next.claim(connection, product_id, actor.id, terms)
        if token is None:
            raise RefusedError(
                f"product number {product_id} is open at {_holder(session, product_id)}; take "
                "another one, or wait until it is given back"
            )
        taken = Taken(product_id, token, terms.expires_at, "asked for")
        return item_of(connection, taken, settings, progress_of(opening, "undecided"))


def _refuse_closed(session: Session, product_id: int, actor: Actor) -> None:
    entry = session.get(QueueEntry, product_id)
    if entry is None:
        raise RefusedError(
            f"product number {product_id} doesn't wait to be labelled: it was decided, or left the "
            "catalogue; open it in the Catalogue to give it another label"
        )
    if entry.audience == LEADS:
        require(actor, "lead")
    if entry.decided_by_id == actor.id:
        raise RefusedError(
            f"product number {product_id} waits for a second opinion, and the first was yours"
        )


def _holder(session: Session, product_id: int) -> str:
    statement = select(Annotator.name).join(Lease, Lease.annotator_id == Annotator.id)
    return session.scalar(statement.where(Lease.product_id == product_id)) or "somebody else"


def renew(store: Store, actor: Actor, product_ids: Sequence[int], now: float) -> tuple[int, ...]:
    """Return those of the products that are still kept for this person, for longer now.

    One that is missing has gone to somebody else, or was decided: what the page shows is old.
    """
    require(actor, "annotator")
    with store.writing() as session:
        until = now + read_settings(session).lease_minutes * 60
        return tuple(queue_next.extend(session.connection(), actor.id, product_ids, until))


def release(store: Store, actor: Actor, product_ids: Sequence[int] | None = None) -> int:
    """Return how many products were given back to the queue: these, or all that one has open."""
    require(actor, "annotator")
    with store.writing() as session:
        return queue_next.give_back(session.connection(), actor.id, product_ids)


def queue_state(store: Store, now: float) -> QueueState:
    """Return how far the work is, counted anew."""
    with store.reading() as session:
        progress = progress_of(queue_next.opening(session.connection()), "undecided")
        second, flagged, unlabelled = session.execute(
            select(
                func.count().filter(QueueEntry.decided_by_id.is_not(None)),
                func.count().filter(QueueEntry.audience == LEADS),
                func.count().filter(QueueEntry.class_key == 0, QueueEntry.decided_by_id.is_(None)),
            )
        ).one()
        is_open = select(func.count()).where(Lease.expires_at > now)
        return QueueState(
            progress.waiting, progress.done, unlabelled, second, flagged, session.scalar(is_open)
        )


def refresh(store: Store, model_version_id: int) -> int | None:
    """Return how many products of the queue now stand where this model's scores put them.

    None where the model isn't in production (any more): the queue shows what production says, and
    whoever put another one there refreshes for that. Called when a model is activated, and again
    whenever more of its predictions have arrived: rows that are right already are left alone.
    Works in pieces, each a transaction of its own. Only for those that have checked who asks:
    `registry.activate`, `predictions.catch_up`.
    """
    with store.writing() as session:
        queue.fill(session)
    after, count = 0, 0
    while True:
        with store.writing() as session:
            if not is_production_kept(session, model_version_id):
                return None
            done = copy_scores(session, model_version_id, after, REFRESH_PIECE)
        if done is None:
            return count
        after, count = done.last, count + done.num_scored


def _check(choice: QueueChoice) -> None:
    if choice.order != MIX and choice.order not in ORDERS:
        raise RefusedError(
            f"the queue has no order {choice.order!r}; use {MIX}, {', '.join(ORDERS)}"
        )
    if choice.only not in ONLY:
        raise RefusedError(f"a queue of {choice.only!r} is unknown; use {', '.join(ONLY)}")
    if choice.only == "unlabelled" and choice.class_code is not None:
        raise RefusedError(
            f"no unlabelled product has the label {choice.class_code}; ask for one or the other"
        )
    if len(choice.on_screen) > MAX_ON_SCREEN:
        raise RefusedError(
            f"{len(choice.on_screen)} products are open already, the limit is {MAX_ON_SCREEN}; "
            "decide one, or give one back"
        )


def _class_key(session: Session, choice: QueueChoice) -> int | None:
    if choice.only == "unlabelled":
        return 0
    if choice.class_code is None:
        return None
    found = session.scalar(select(ProductClass.id).where(ProductClass.code == choice.class_code))
    if found is None:
        raise NotFoundError(f"there is no class {choice.class_code!r}; look its code up in Classes")
    return found


def _orders(choice: QueueChoice, settings: QueueSettings, actor: Actor, now: float) -> list[str]:
    """Return the orders to look in, one after the other, as long as they have nothing.

    The mix draws its first one anew each time, so every order gets its share and none starves.
    """
    if choice.order != MIX:
        return [choice.order]
    shares = {order: share for order, share in settings.mix.items() if share > 0}
    drawn = stream(0, "queue mix", actor.id, now).random() * sum(shares.values())
    orders = list(shares)
    first = orders[-1]
    for order in orders:
        drawn -= shares[order]
        if drawn < 0:
            first = order
            break
    return [first, *sorted(set(orders) - {first}, key=shares.get, reverse=True)]


def _lease(
    session: Session, actor: Actor, choice: QueueChoice, now: float
) -> tuple[Taken | None, QueueSettings, Progress]:
    connection = session.connection()
    opening = queue_next.opening(connection)
    settings = settings_of(opening.setting)
    class_key = _class_key(session, choice)
    wishes = [
        Wish(actor.id, order, class_key, choice.only == "flagged")
        for order in _orders(choice, settings, actor, now)
    ]
    terms = LeaseTerms(secrets.token_urlsafe(16), now, now + settings.lease_minutes * 60)
    taken = _take(connection, wishes, choice.on_screen, terms)
    return taken, settings, progress_of(opening, choice.only)


def _take(
    connection: Connection, wishes: Sequence[Wish], on_screen: Sequence[int], terms: LeaseTerms
) -> Taken | None:
    person = wishes[0].annotator_id
    own = queue_next.held(connection, wishes[0], on_screen)
    if own is not None:
        token = queue_next.claim(connection, own, person, terms)
        return Taken(own, token, terms.expires_at, wishes[0].order)
    for _ in range(ATTEMPTS):
        product_id = wish = None
        for wish in wishes:
            product_id = queue_next.find(connection, wish, terms.now)
            if product_id is not None:
                break
        if product_id is None:
            return None
        token = queue_next.claim(connection, product_id, person, terms)
        if token is not None:
            return Taken(product_id, token, terms.expires_at, wish.order)
    raise StoreError(
        f"{ATTEMPTS} products in a row were taken by others in the same moment; try again"
    )
