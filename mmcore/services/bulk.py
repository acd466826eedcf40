"""One decision on many products: label, accept predictions, flag, over a selection or a filter.

It is one act, undone as a whole. Products that somebody else decided on after they were shown are
left out and counted: nobody's decision is overwritten unseen.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError, StaleWriteError
from mmcore.services.inputs import checked_comment, checked_token
from mmcore.services.people import Actor, require
from mmcore.store import bulk, queue
from mmcore.store.acts import NewAct, add_details, begin_act, saved_act
from mmcore.store.annotations import Mark, lock_products, record_for
from mmcore.store.classes import usable_class
from mmcore.store.engine import Store
from mmcore.store.history import newest_annotation
from mmcore.store.one_of import is_one_of
from mmcore.store.product_filter import ProductFilter, conditions, in_catalogue
from mmcore.store.tables import Product

_SHOWN_IDS = 5


@dataclass(frozen=True)
class Selection:
    """Products ticked one by one.

    Attributes:
        ids: their numbers in the store.
        versions: as they were shown, in the same order; a product that has another one now is
            left out. None: not asked.
    """

    ids: tuple[int, ...]
    versions: tuple[int, ...] | None = None


@dataclass(frozen=True)
class BulkRequest:
    """Which products are meant, and as who saw them.

    Attributes:
        token: unique for this decision; the same token again changes nothing.
        seen: `BulkPreview.seen`: products that others decided on since are left out.
        expected_count: the number that was shown; more than that now are refused.
    """

    target: Selection | ProductFilter
    token: str
    seen: int | None = None
    expected_count: int | None = None


@dataclass(frozen=True)
class BulkPreview:
    """What a bulk act would meet.

    Attributes:
        classes: class code (None: no label) and number of products, the most first.
        seen: to be handed to the act, so that later decisions of others are left out.
        becomes: of accepted predictions: class code and number of products.
    """

    count: int
    classes: tuple[tuple[str | None, int], ...]
    seen: int
    becomes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class BulkResult:
    """What a bulk act did.

    Attributes:
        count: products that were changed.
        changed_by_others: products left out because of a decision since they were shown.
        not_applicable: left out because no usable class was predicted for them, or (unflag)
            because they had no flag.
    """

    act_id: int
    count: int
    changed_by_others: int
    not_applicable: int


def preview(store: Store, target: Selection | ProductFilter) -> BulkPreview:
    """Return how many products are meant, and from which classes.

    Raises:
        NotFoundError: if a selected product doesn't exist.
        RefusedError: if a selected product left the catalogue.
    """
    with store.reading() as session:
        seen = newest_annotation(session)  # first: what comes between counts as unseen
        where = _where(session, target)
        classes = tuple(bulk.count_by_class(session, where))
        return BulkPreview(sum(count for _, count in classes), classes, seen)


def preview_accept(
    store: Store, target: Selection | ProductFilter, model_version_id: int | None = None
) -> BulkPreview:
    """Return also which classes the products would get from a model (else the production one)."""
    with store.reading() as session:
        seen = newest_annotation(session)
        where = _where(session, target)
        model_id = _model(session, model_version_id)
        classes = tuple(bulk.count_by_class(session, where))
        becomes = tuple(bulk.count_by_prediction(session, where, model_id))
        return BulkPreview(sum(count for _, count in becomes), classes, seen, becomes)


def bulk_label(
    store: Store, actor: Actor, request: BulkRequest, class_code: str, now: float
) -> BulkResult:
    """Give many products one class.

    Raises:
        StaleWriteError: if more products are meant than were shown.
        RefusedError: if the class is archived or merged, no product is meant, a selected one left
            the catalogue, the token was used for another act, or somebody below a lead uses a
            filter.
        NotFoundError: if there is no such class or product.
    """
    return _act(store, actor, request, _Decision("label", class_code=class_code), now)


def bulk_accept(
    store: Store,
    actor: Actor,
    request: BulkRequest,
    now: float,
    model_version_id: int | None = None,
) -> BulkResult:
    """Give many products the class that a model (else the production one) predicts for each.

    Raises:
        As `bulk_label`; NotFoundError also if there is no such model.
    """
    return _act(store, actor, request, _Decision("accept", model_id=model_version_id), now)


def bulk_flag(
    store: Store, actor: Actor, request: BulkRequest, comment: str, now: float
) -> BulkResult:
    """Flag many products with one comment."""
    return _act(store, actor, request, _Decision("flag", comment=checked_comment(comment)), now)


def bulk_unflag(
    store: Store, actor: Actor, request: BulkRequest, comment: str, now: float
) -> BulkResult:
    """Take the flag from those of the products that have one."""
    return _act(store, actor, request, _Decision("unflag", comment=checked_comment(comment)), now)


@dataclass(frozen=True)
class _Decision:
    verb: str
    class_code: str | None = None
    model_id: int | None = None
    comment: str = ""


def _act(
    store: Store, actor: Actor, request: BulkRequest, decision: _Decision, now: float
) -> BulkResult:
    require(actor, "annotator" if isinstance(request.target, Selection) else "lead")
    asked = {"target": _target_json(request.target), **asdict(decision)}
    token = checked_token(request.token)
    new = NewAct("bulk", decision.verb, actor.id, token, asked, now, details={"asked_for": asked})
    with store.writing() as session:
        act_id = begin_act(session, new)
        if act_id is None:
            return _saved(session, token)
        mark = _mark(session, act_id, actor, decision, now)  # locks classes, so before products
        ids, num_changed = _lock(session, request, actor)
        if decision.verb == "accept":
            count = bulk.record_predictions(session, ids, mark)
        else:
            fitting = bulk.flagged(session, ids) if decision.verb == "unflag" else ids
            count = record_for(session, fitting, mark)
        if not count:
            raise RefusedError(_nothing(decision.verb, len(ids), num_changed))
        result = {
            "count": count,
            "changed_by_others": num_changed,
            "not_applicable": len(ids) - count,
        }
        add_details(session, act_id, result)
        queue.settle(session, act_id, now)
        return BulkResult(act_id, **result)


def _mark(session: Session, act_id: int, actor: Actor, decision: _Decision, now: float) -> Mark:
    mark = Mark(act_id, actor.id, decision.verb, now, comment=decision.comment)
    if decision.verb == "label":
        return replace(mark, class_id=usable_class(session, decision.class_code).id)
    if decision.verb == "accept":
        bulk.lock_usable_classes(session)
        return replace(mark, model_version_id=_model(session, decision.model_id))
    return replace(mark, is_flagged=decision.verb == "flag")


def _lock(session: Session, request: BulkRequest, actor: Actor) -> tuple[list[int], int]:
    """Return the products that are meant, locked, and how many others were changed since."""
    target = request.target
    rows = lock_products(session, _where(session, target))
    ids = [row.id for row in rows]
    changed: set[int] = set()
    if isinstance(target, Selection) and target.versions is not None:
        shown = dict(zip(target.ids, target.versions, strict=True))
        changed = {row.id for row in rows if row.version != shown[row.id]}
    if request.seen is not None:
        changed |= bulk.changed_by_others(session, ids, request.seen, actor.id)
    left = [product_id for product_id in ids if product_id not in changed]
    if request.expected_count is not None and len(left) > request.expected_count:
        raise StaleWriteError(
            f"{len(left):,} products are meant now, {request.expected_count:,} when you looked; "
            "nothing was changed: look again and decide"
        )
    return left, len(changed)


def _where(session: Session, target: Selection | ProductFilter) -> list[ColumnElement[bool]]:
    if isinstance(target, ProductFilter):
        return conditions(target)
    unknown = bulk.unknown_ids(session, target.ids)
    if unknown:
        shown = ", ".join(map(str, unknown[:_SHOWN_IDS]))
        raise NotFoundError(f"{len(unknown):,} of the products don't exist: number {shown}")
    removed = bulk.removed_names(session, target.ids)
    if removed:
        more = f" and {len(removed) - _SHOWN_IDS:,} more" if len(removed) > _SHOWN_IDS else ""
        raise RefusedError(
            f"{len(removed):,} of the {len(target.ids):,} products are not in the catalogue any "
            f"more ({', '.join(removed[:_SHOWN_IDS])}{more}); nothing was changed: select again "
            "without them"
        )
    # once more under the lock: an import may take one out at this very moment
    return [is_one_of(session, Product.id, target.ids), in_catalogue()]


def _model(session: Session, model_version_id: int | None) -> int:
    found = bulk.model_of(session, model_version_id)
    if found is None:
        which = "in production" if model_version_id is None else f"number {model_version_id}"
        raise NotFoundError(f"there is no model version {which}; train and activate one first")
    return found


def _target_json(target: Selection | ProductFilter) -> dict:
    if isinstance(target, Selection):
        digest = hashlib.sha256(json.dumps(sorted(set(target.ids))).encode()).hexdigest()
        return {"selected": len(target.ids), "digest": digest}
    return {name: value for name, value in asdict(target).items() if value not in (None, "")}


def _nothing(verb: str, num_left: int, num_changed: int) -> str:
    if num_left:
        what = {"accept": "has a predicted class that can be given", "unflag": "is flagged"}[verb]
        return f"none of the {num_left:,} products {what}; nothing was changed"
    if num_changed:
        return (
            f"all {num_changed:,} products were changed by others since you looked; nothing was "
            "changed: look again and decide"
        )
    return "no product fits the filter, or none is selected; nothing was changed"


def _saved(session: Session, token: str) -> BulkResult:
    act = saved_act(session, token)
    names = ("count", "changed_by_others", "not_applicable")
    return BulkResult(act.id, **{name: act.details[name] for name in names})
