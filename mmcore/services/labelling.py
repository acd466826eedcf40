"""One person's decision on one product: label, accept, skip, flag. Undo is in `undoing.py`.

Each is safe to send again with the same token: it acts once, and answers the same every time.

What was answered survives the death of every process. A power cut is another matter on SQLite:
with WAL and synchronous=NORMAL the file stays whole, but the labels of the last moments before it
may be missing (PostgreSQL keeps them, too, as it is delivered).
"""

import math
from dataclasses import dataclass, replace

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError, StaleWriteError
from mmcore.services.inputs import (
    checked_comment,
    checked_line,
    checked_token,
    seconds_or_none,
)
from mmcore.services.people import Actor, require
from mmcore.store import queue
from mmcore.store.acts import NewAct, begin_act, saved_act
from mmcore.store.annotations import Mark, find_product, lock_product, record
from mmcore.store.classes import code_of, usable_class
from mmcore.store.engine import Store
from mmcore.store.history import last_change, moment, told, was_overruled
from mmcore.store.tables import Annotation, ModelVersion, ProductClass


@dataclass(frozen=True)
class Suggestion:
    """What the model proposed.

    Attributes:
        probability: 0 to 1.
        is_hidden: it was kept from the annotator on purpose, to measure its influence.
    """

    class_code: str
    probability: float
    is_hidden: bool = False
    model_version_id: int | None = None


@dataclass(frozen=True)
class Seen:
    """A product as it stood on the screen when a person decided.

    Attributes:
        product_id: its number in the store (`Product.id`), not the shop's id.
        version: of the product; a label of a product that has another one now is refused. None
            (for skip, flag and unflag) doesn't ask.
        token: unique for this showing; the same token again changes nothing.
        seconds: spent looking.
        is_second_opinion: a colleague was given the product, too, on purpose: what they decided
            meanwhile is no reason to refuse this; a lead's word, a bulk act or an import is.
    """

    product_id: int
    version: int | None
    token: str
    suggestion: Suggestion | None = None
    seconds: float | None = None
    is_second_opinion: bool = False


@dataclass(frozen=True)
class Marked:
    """What was saved.

    Attributes:
        version: of the product, after.
        label: class code, after; None without a label.
    """

    annotation_id: int
    act_id: int
    product_id: int
    version: int
    label: str | None
    is_flagged: bool


@dataclass(frozen=True)
class ProductRef:
    """A product found by the shop's id: what a script needs to label it."""

    id: int
    version: int
    label: str | None


def label(store: Store, actor: Actor, seen: Seen, class_code: str, now: float) -> Marked:
    """Give a product a class.

    Raises:
        StaleWriteError: if the product was changed since it was seen: by whom, when, to what.
        RefusedError: if the class is archived or merged, the product left the catalogue, or the
            token was used for another act.
        NotFoundError: if there is no such product or class.
    """
    return _mark(store, actor, seen, _Decision("label", class_code=class_code), now)


def accept(store: Store, actor: Actor, seen: Seen, now: float) -> Marked:
    """Give a product the class that was suggested on the screen.

    Raises:
        RefusedError: if no suggestion was shown; else as `label`.
    """
    if seen.suggestion is None or seen.suggestion.is_hidden:
        raise RefusedError(
            f"no suggestion was shown for product number {seen.product_id}: there is nothing to "
            "accept; choose a class"
        )
    decision = _Decision("accept", class_code=seen.suggestion.class_code)
    return _mark(store, actor, seen, decision, now)


def skip(store: Store, actor: Actor, seen: Seen, reason: str, now: float) -> Marked:
    """Pass a product on to somebody else; its label and version stay."""
    comment = checked_comment(reason, "the reason of a skip")
    return _mark(store, actor, replace(seen, version=None), _Decision("skip", comment), now)


def flag(store: Store, actor: Actor, seen: Seen, comment: str, now: float) -> Marked:
    """Mark a product as a problem that somebody should look at."""
    return _mark(store, actor, seen, _Decision("flag", checked_comment(comment)), now)


def unflag(store: Store, actor: Actor, seen: Seen, comment: str, now: float) -> Marked:
    """Take the flag from a product, with a word on how it was settled."""
    return _mark(store, actor, seen, _Decision("unflag", checked_comment(comment)), now)


def product_named(store: Store, shop_id: str) -> ProductRef:
    """Return the product with the shop's id.

    Raises:
        NotFoundError: if there is none.
    """
    with store.reading() as session:
        return ProductRef(*find_product(session, shop_id))


@dataclass(frozen=True)
class _Decision:
    verb: str
    comment: str = ""
    class_code: str | None = None


def _mark(store: Store, actor: Actor, seen: Seen, decision: _Decision, now: float) -> Marked:
    require(actor, "annotator")
    if seen.version is None and decision.verb in ("label", "accept"):
        raise RefusedError(
            f"a {decision.verb} of product number {seen.product_id} must name the version that "
            "was seen; read the product first"
        )
    new = NewAct(
        kind="single",
        verb=decision.verb,
        annotator_id=actor.id,
        token=checked_token(seen.token),
        asked={
            "product": seen.product_id,
            "class": decision.class_code,
            "comment": decision.comment,
        },
        now=now,
    )
    suggestion = _suggestion_json(seen.suggestion)
    with store.writing() as session:
        act_id = begin_act(session, new)
        if act_id is None:
            return saved_mark(session, saved_act(session, new.token).id)
        code = decision.class_code
        class_id = usable_class(session, code).id if code is not None else None
        product = lock_product(session, seen.product_id)
        if decision.verb != "skip":  # whoever has it open goes on with a skip
            _refuse_removed(product)
        _refuse_stale(session, product, seen)
        if suggestion and class_id is not None:
            suggestion |= queue.suspicion_shown(session, product.id)
        mark = Mark(
            act_id,
            actor.id,
            decision.verb,
            now,
            class_id=class_id,
            is_flagged={"flag": True, "unflag": False}.get(decision.verb),
            comment=decision.comment,
            seconds=seconds_or_none(seen.seconds),
            suggestion=suggestion,
            model_version_id=_known_model(session, seen.suggestion),
        )
        record(session, product, mark)
        queue.settle(session, act_id, now)
        return saved_mark(session, act_id)


def saved_mark(session: Session, act_id: int) -> Marked:
    """Return what an act of one product saved, however often the product changed since."""
    statement = (
        select(
            Annotation.id, Annotation.act_id, Annotation.product_id, Annotation.version,
            ProductClass.code, Annotation.is_flagged,
        )
        .outerjoin(ProductClass, ProductClass.id == Annotation.class_id)
        .where(Annotation.act_id == act_id)
    )  # fmt: skip
    return Marked(*session.execute(statement).one())


def _refuse_removed(product: Row) -> None:
    if product.removed_at is not None:
        raise RefusedError(
            f"product {product.product_id} is not in the catalogue any more: an import took it "
            f"out at {moment(product.removed_at)}. Nothing was changed; go on with another one, or "
            "import a file that has it"
        )


def _refuse_stale(session: Session, product: Row, seen: Seen) -> None:
    if seen.version is None or product.version == seen.version:
        return
    if seen.is_second_opinion and not was_overruled(session, product.id, seen.version):
        return
    now_label = code_of(session, product.class_id)
    change = told(last_change(session, product.id, product.version), now_label)
    raise StaleWriteError(
        f"product {product.product_id} was {change}, after you had opened it: its label is "
        f"{now_label or 'none'} now. Nothing was changed; look again and decide",
        version=product.version,
        label=now_label,
    )


def _known_model(session: Session, suggestion: Suggestion | None) -> int | None:
    if suggestion is None or suggestion.model_version_id is None:
        return None
    model_id = suggestion.model_version_id
    if session.scalar(select(ModelVersion.id).where(ModelVersion.id == model_id)) is None:
        raise NotFoundError(f"there is no model version number {model_id}")
    return model_id


def _suggestion_json(suggestion: Suggestion | None) -> dict:
    if suggestion is None:
        return {}
    probability = float(suggestion.probability)
    if not math.isfinite(probability) or not 0 <= probability <= 1:
        raise RefusedError(f"the suggestion's probability is {probability}; it must be 0 to 1")
    code = checked_line(suggestion.class_code, "the suggested class", 200)
    return {"class": code, "probability": probability, "hidden": bool(suggestion.is_hidden)}
