"""The classes: found by code, listed with their products, changed as data that can be put back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError
from mmcore.store.tables import Annotation, Lease, ModelVersion, Prediction, Product, ProductClass

COLUMNS = (
    ProductClass.id,
    ProductClass.code,
    ProductClass.name_fr,
    ProductClass.name_en,
    ProductClass.guideline,
    ProductClass.position,
    ProductClass.is_archived,
    ProductClass.merged_into_id,
)
_SHOWN_CODES = 8


def find_class(session: Session, code: str) -> Row:
    """Return all columns of the class with this code, archived ones included.

    Raises:
        NotFoundError: if there is none.
    """
    return _one(session, code, select(*COLUMNS).where(ProductClass.code == code))


def usable_class(session: Session, code: str) -> Row:
    """Return the class with this code, which nobody archives or merges meanwhile.

    Raises:
        NotFoundError: if there is none.
        RefusedError: if it is archived, naming the class that it was merged into.
    """
    found = _one(
        session,
        code,
        select(*COLUMNS).where(ProductClass.code == code).with_for_update(read=True),
    )
    if found.merged_into_id is not None:
        into = end_of_merges(session, found)
        raise RefusedError(
            f"class {named(found)} was merged into {named(into)}; label it {into.code} instead"
        )
    if found.is_archived:
        raise RefusedError(
            f"class {named(found)} is archived; choose another, or ask a lead to take it back"
        )
    return found


def lock_classes(session: Session, ids: Sequence[int], is_shared: bool = False) -> dict[int, Row]:
    """Return classes by id, which nobody changes meanwhile; nor labels with, unless shared."""
    statement = select(*COLUMNS).where(ProductClass.id.in_(ids)).order_by(ProductClass.id)
    lock = {"read": True} if is_shared else {"key_share": True}
    return {row.id: row for row in session.execute(statement.with_for_update(**lock))}


def lock_table(session: Session) -> None:
    """Keep everybody else from changing classes; labelling with them goes on."""
    if session.get_bind().dialect.name == "postgresql":
        # no row lock covers a code that is about to be taken
        session.execute(text("LOCK TABLE product_class IN SHARE ROW EXCLUSIVE MODE"))


def end_of_merges(session: Session, row: Row) -> Row:
    """Return the class where the products of a merged class are now."""
    seen = {row.id}
    while row.merged_into_id is not None and row.merged_into_id not in seen:
        row = class_of_id(session, row.merged_into_id)
        seen.add(row.id)
    return row


def class_of_id(session: Session, class_id: int) -> Row:
    """Return all columns of a class that is surely there."""
    return session.execute(select(*COLUMNS).where(ProductClass.id == class_id)).one()


def code_of(session: Session, class_id: int | None) -> str | None:
    """Return the code of a class, None for no class."""
    if class_id is None:
        return None
    return session.scalar(select(ProductClass.code).where(ProductClass.id == class_id))


def named(row: Row) -> str:
    """Return a class as messages call it: 40 (Jeux vidéo)."""
    return row.code if row.name_fr in ("", row.code) else f"{row.code} ({row.name_fr})"


def list_classes(session: Session, with_archived: bool) -> Sequence[Row]:
    """Return the classes in the order of the screen, each with `count`, `merged_into` (a code)."""
    counts = (
        select(Product.class_id, func.count().label("count"))
        .where(Product.class_id.is_not(None))
        .group_by(Product.class_id)
        .subquery()
    )
    into = select(ProductClass.id, ProductClass.code).subquery()
    statement = (
        select(
            *COLUMNS,
            func.coalesce(counts.c.count, 0).label("count"),
            into.c.code.label("merged_into"),
        )
        .outerjoin(counts, counts.c.class_id == ProductClass.id)
        .outerjoin(into, into.c.id == ProductClass.merged_into_id)
        .order_by(ProductClass.position, ProductClass.id)
    )
    if not with_archived:
        statement = statement.where(ProductClass.is_archived.is_(False))
    return session.execute(statement).all()


def insert_class(session: Session, values: Mapping[str, Any]) -> int:
    """Return the id of a new class, placed last."""
    last = session.scalar(select(func.max(ProductClass.position)))
    row = {"guideline": "", "is_archived": False, "position": (last or 0) + 1, **values}
    return session.execute(insert(ProductClass).returning(ProductClass.id), row).scalar()


def update_class(session: Session, class_id: int, values: Mapping[str, Any]) -> None:
    """Write columns of one class."""
    session.execute(update(ProductClass).where(ProductClass.id == class_id).values(**values))


def count_products(session: Session, class_id: int) -> int:
    """Return how many products have this label."""
    return session.scalar(select(func.count()).where(Product.class_id == class_id))


def counts_by_split(session: Session, class_id: int) -> dict[str, int]:
    """Return how many products of a class each split has."""
    statement = select(Product.split, func.count()).where(Product.class_id == class_id)
    return {split: count for split, count in session.execute(statement.group_by(Product.split))}


def count_annotations(session: Session, class_id: int) -> int:
    """Return how many marks of people gave a class; looks through all of them."""
    return session.scalar(select(func.count()).where(Annotation.class_id == class_id))


def count_leases(session: Session, class_id: int, now: float) -> int:
    """Return how many products of a class somebody has open."""
    statement = (
        select(func.count())
        .select_from(Lease)
        .join(Product, Product.id == Lease.product_id)
        .where(Product.class_id == class_id, Lease.expires_at > now)
    )
    return session.scalar(statement)


def models_that_answer(session: Session, class_id: int) -> list[str]:
    """Return the names of the model versions that have predicted a class, newest first."""
    has_answered = (
        select(1)
        .where(
            Prediction.model_version_id == ModelVersion.id, Prediction.fused_class_id == class_id
        )
        .exists()
    )
    statement = select(ModelVersion.name).where(has_answered).order_by(ModelVersion.id.desc())
    return list(session.scalars(statement))


def _one(session: Session, code: str, statement) -> Row:
    found = session.execute(statement).one_or_none()
    if found is None:
        codes = session.scalars(
            select(ProductClass.code)
            .where(ProductClass.is_archived.is_(False))
            .order_by(ProductClass.position)
            .limit(_SHOWN_CODES)
        ).all()
        raise NotFoundError(
            f"there is no class {code!r}; classes are {', '.join(codes) or 'none yet'}"
            + (", ..." if len(codes) == _SHOWN_CODES else "")
        )
    return found
