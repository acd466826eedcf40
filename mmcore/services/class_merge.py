"""Merge one class into another: all its products change their label in one act, undone as one."""

from dataclasses import dataclass

from sqlalchemy import Row
from sqlalchemy.orm import Session

from mmcore.errors import RefusedError
from mmcore.services.classes import ClassResult, class_details, saved_class_act
from mmcore.services.inputs import checked_token
from mmcore.services.people import Actor, require
from mmcore.store import classes as rows
from mmcore.store import queue
from mmcore.store.acts import NewAct, add_details, begin_act
from mmcore.store.annotations import Mark, lock_products, record_for
from mmcore.store.class_changes import ClassChange, apply_changes
from mmcore.store.engine import Store
from mmcore.store.tables import Product


@dataclass(frozen=True)
class MergePreview:
    """What a merge would change.

    Attributes:
        products: number of products that would change their label, by split.
        into_count: products that the other class has now.
        annotations: marks of people that name the class; they stay as they are.
        open_products: products of the class that somebody has open; what they decide afterwards
            is refused as stale, and they look again.
        models: model versions that have answered with the class; they will until a retrain.
    """

    code: str
    into: str
    products: dict[str, int]
    into_count: int
    annotations: int
    open_products: int
    models: tuple[str, ...]

    @property
    def count(self) -> int:
        return sum(self.products.values())


def preview_merge(store: Store, code: str, into: str, now: float) -> MergePreview:
    """Return what a merge would change; refuses what the merge would refuse.

    Raises:
        RefusedError: if the classes are the same, or one was merged or archived.
        NotFoundError: if one doesn't exist.
    """
    with store.reading() as session:
        source, target = _pair(session, code, into)
        return MergePreview(
            source.code,
            target.code,
            rows.counts_by_split(session, source.id),
            rows.count_products(session, target.id),
            rows.count_annotations(session, source.id),
            rows.count_leases(session, source.id, now),
            tuple(rows.models_that_answer(session, source.id)),
        )


def merge_classes(
    store: Store, actor: Actor, code: str, into: str, token: str, now: float
) -> ClassResult:
    """Give all products of one class another, and archive the class.

    Args:
        code: the class that goes.
        into: the class that takes its products.

    Raises:
        RefusedError: if the classes are the same, or one was merged or archived.
        NotFoundError: if one doesn't exist.
    """
    require(actor, "lead")
    new = NewAct(
        "class", "merge", actor.id, checked_token(token), {"class": code, "into": into}, now
    )
    with store.writing() as session:
        act_id = begin_act(session, new)
        if act_id is None:
            return saved_class_act(session, new.token)
        rows.lock_table(session)
        source, target = _pair(session, code, into)
        rows.lock_classes(session, [source.id, target.id])
        products = lock_products(session, [Product.class_id == source.id])
        mark = Mark(act_id, actor.id, "merge", now, class_id=target.id)
        count = record_for(session, [row.id for row in products], mark)
        before = {"is_archived": source.is_archived, "merged_into_id": None}
        change = ClassChange(source.id, before, {"is_archived": True, "merged_into_id": target.id})
        apply_changes(session, [change])
        text = f"merged class {rows.named(source)} into {rows.named(target)}: {count:,} products"
        add_details(session, act_id, class_details(code, text, [change], count))
        queue.settle(session, act_id, now)
        return saved_class_act(session, new.token)


def _pair(session: Session, code: str, into: str) -> tuple[Row, Row]:
    source, target = rows.find_class(session, code), rows.usable_class(session, into)
    if source.id == target.id:
        raise RefusedError(f"class {rows.named(source)} can't be merged into itself; name another")
    if source.merged_into_id is not None:
        end = rows.end_of_merges(session, source)
        raise RefusedError(f"class {rows.named(source)} was merged into {rows.named(end)} already")
    return source, target
