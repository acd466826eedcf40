"""Undo in sets: each product goes back to what it was before an act, unless it changed since.

An undo is an act with annotations of its own. Its annotation says with `stands` which older
version's decision is in force again, so the act before can be undone next, at any depth; and an
undo can itself be undone, which brings the decision back.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from mmcore.store.annotations import insert_and_apply
from mmcore.store.tables import Act, Annotation, Annotator, Product, ProductClass

_COLUMNS = (
    "act_id product_id annotator_id kind class_id class_before_id was_flagged is_flagged version "
    "stands suggestion comment created_at"
).split()


def lock_products_of(session: Session, act_id: int) -> None:
    """Keep everybody else from changing the products of an act until the transaction ends."""
    locked = (
        select(Product.id)
        .join(Annotation, Annotation.product_id == Product.id)
        .where(Annotation.act_id == act_id)
        .order_by(Product.id)
        .with_for_update(key_share=True, of=Product)
        .subquery()
    )
    session.scalar(select(func.count()).select_from(locked))


def count_products_of(session: Session, act_id: int) -> int:
    """Return how many products an act touched."""
    return session.scalar(select(func.count()).where(Annotation.act_id == act_id))


def classes_before(session: Session, act_id: int) -> list[int]:
    """Return the ids of the classes that an undo of an act would give back."""
    statement = select(Annotation.class_before_id).where(
        Annotation.act_id == act_id, Annotation.class_before_id.is_not(None)
    )
    return list(session.scalars(statement.distinct()))


def last_to_undo(session: Session, annotator_id: int) -> int | None:
    """Return a person's last labelling act that is in force."""
    return session.scalar(
        select(Act.id)
        .where(
            Act.annotator_id == annotator_id,
            Act.kind.in_(("single", "bulk")),
            Act.is_undone.is_(False),
        )
        .order_by(Act.id.desc())
        .limit(1)
    )


def last_undo(session: Session, annotator_id: int) -> int | None:
    """Return a person's last undo, where it is still in force and no redo."""
    undone = aliased(Act)
    return session.scalar(
        select(Act.id)
        .join(undone, undone.id == Act.undoes_id)
        .where(
            Act.annotator_id == annotator_id,
            Act.kind == "undo",
            Act.is_undone.is_(False),
            undone.kind != "undo",
        )
        .order_by(Act.id.desc())
        .limit(1)
    )


def restore(session: Session, act: Row, undo_id: int, annotator_id: int, now: float) -> int:
    """Return how many products an undo put back.

    Args:
        act: the act that is undone; its products and the classes to give back are locked.
        undo_id: the undo.
    """
    a = Annotation
    is_skip = act.details.get("of", act.details.get("verb")) == "skip"
    version = Product.version + (0 if is_skip else 1)
    stands = (
        _standing(Product.id, Product.version) if is_skip else _standing(Product.id, a.version - 1)
    )
    rows = (
        select(
            literal(undo_id),
            Product.id,
            literal(annotator_id),
            literal("undo"),
            Product.class_id if is_skip else a.class_before_id,
            Product.class_id,
            Product.is_flagged,
            # an act that left the flag alone doesn't touch it when it goes
            case((a.was_flagged == a.is_flagged, Product.is_flagged), else_=a.was_flagged),
            version,
            stands,
            literal({}, a.suggestion.type),
            literal(""),
            literal(now),
        )
        .join(a, a.product_id == Product.id)
        .where(a.act_id == act.id)
    )
    if not is_skip:
        rows = rows.where(_is_in_force(), _class_is_there())
    return insert_and_apply(session, undo_id, _COLUMNS, rows)


def kept(session: Session, act_id: int, undo_id: int, limit: int) -> Sequence[Row]:
    """Return the first products that an undo left alone, with the change that came since."""
    latest, before = aliased(Annotation), aliased(ProductClass)
    alone = _left_alone(act_id, undo_id).subquery()
    # the first row of a version made it; skips come after
    maker = (
        select(func.min(Annotation.id))
        .where(Annotation.product_id == Product.id, Annotation.version == Product.version)
        .scalar_subquery()
    )
    statement = (
        select(
            Product.id, Product.product_id.label("shop_id"), ProductClass.code.label("label"),
            before.code.label("label_before"), before.merged_into_id,
            latest.kind, latest.created_at, latest.comment, latest.act_id, Annotator.name,
        )
        .join(alone, alone.c.product_id == Product.id)
        .outerjoin(latest, latest.id == maker)
        .outerjoin(Annotator, Annotator.id == latest.annotator_id)
        .outerjoin(ProductClass, ProductClass.id == Product.class_id)
        .outerjoin(before, before.id == alone.c.class_before_id)
        .order_by(Product.id)
        .limit(limit)
    )  # fmt: skip
    return session.execute(statement).all()


def _left_alone(act_id: int, undo_id: int) -> Select:
    put_back = select(Annotation.product_id).where(Annotation.act_id == undo_id)
    return select(Annotation.product_id, Annotation.class_before_id).where(
        Annotation.act_id == act_id, Annotation.product_id.not_in(put_back)
    )


def _standing(product_id: ColumnElement, version: ColumnElement) -> ColumnElement[int]:
    """Return which version's decision was in force when a product stood at `version`."""
    row = aliased(Annotation)
    found = (
        select(func.min(func.coalesce(row.stands, row.version)))
        .where(row.product_id == product_id, row.version == version)
        .scalar_subquery()
    )
    return func.coalesce(found, version)


def _is_in_force() -> ColumnElement[bool]:
    """Return the condition that what the act decided is what the product is now."""
    decided = func.coalesce(Annotation.stands, Annotation.version)
    return and_(
        _standing(Product.id, Product.version) == decided,
        Product.class_id.is_not_distinct_from(Annotation.class_id),
    )


def _class_is_there() -> ColumnElement[bool]:
    """Return the condition that the class before hasn't been merged into another since."""
    merged = select(ProductClass.id).where(ProductClass.merged_into_id.is_not(None))
    return or_(Annotation.class_before_id.is_(None), Annotation.class_before_id.not_in(merged))
