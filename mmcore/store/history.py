"""What happened: to one product, by one person, since a moment."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session, aliased

from mmcore.store.tables import Act, Annotation, Annotator, Product, ProductClass

_PAST = {
    "label": "labelled",
    "accept": "labelled",
    "skip": "skipped",
    "flag": "flagged",
    "unflag": "unflagged",
    "merge": "moved by a merge of classes",
    "undo": "put back by an undo",
    "import": "labelled by an import",
}


def last_change(session: Session, product_id: int, version: int) -> Row | None:
    """Return who made the version of a product: name, kind, class_id, created_at, act_id."""
    statement = (
        select(
            Annotation.id, Annotation.act_id, Annotation.kind, Annotation.class_id,
            Annotation.comment, Annotation.created_at, Annotation.annotator_id, Annotator.name,
        )
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .where(Annotation.product_id == product_id, Annotation.version == version)
        .order_by(Annotation.id)
        .limit(1)
    )  # fmt: skip
    return session.execute(statement).one_or_none()


def was_overruled(session: Session, product_id: int, version: int) -> bool:
    """Return whether more than a colleague's own opinion came after a version of a product."""
    found = (
        select(Annotation.id)
        .join(Act, Act.id == Annotation.act_id)
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .where(
            Annotation.product_id == product_id,
            Annotation.version > version,
            or_(Act.kind.in_(("bulk", "import", "class")), Annotator.role.in_(("lead", "admin"))),
        )
    )
    return session.scalar(select(found.exists()))


def told(change: Row | None, label: str | None) -> str:
    """Return a change in words: labelled 40 by Anna at 2026-01-02 03:04:05 UTC."""
    if change is None:
        return f"given the label {label or 'none'} by the catalogue"
    what = _PAST[change.kind]
    if change.kind in ("label", "accept", "import", "merge", "undo"):
        what += f" to {label or 'no label'}" if change.kind in ("merge", "undo") else f" {label}"
    if change.kind == "flag" and change.comment:
        what += f" ({change.comment[:60]})"
    return f"{what} by {change.name} at {moment(change.created_at)}"


def moment(seconds: float) -> str:
    """Return a time as people read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def newest_annotation(session: Session) -> int:
    """Return the id of the last annotation: what came later has a higher one."""
    return session.scalar(select(func.max(Annotation.id))) or 0


def of_product(session: Session, product_id: int) -> Sequence[Row]:
    """Return all annotations of a product, oldest first."""
    before, after = aliased(ProductClass), aliased(ProductClass)
    statement = (
        select(
            Annotation.id, Annotation.act_id, Act.kind.label("act_kind"), Annotation.kind,
            before.code.label("label_before"), after.code.label("label"), Annotation.was_flagged,
            Annotation.is_flagged, Annotation.version, Annotator.name.label("annotator"),
            Annotation.created_at, Annotation.seconds, Annotation.suggestion,
            Annotation.model_version_id, Annotation.comment, Act.is_undone, Act.undoes_id,
        )
        .select_from(Annotation)
        .join(Act, Act.id == Annotation.act_id)
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .outerjoin(before, before.id == Annotation.class_before_id)
        .outerjoin(after, after.id == Annotation.class_id)
        .where(Annotation.product_id == product_id)
        .order_by(Annotation.id)
    )  # fmt: skip
    return session.execute(statement).all()


def recent_acts(session: Session, annotator_id: int, limit: int) -> Sequence[Row]:
    """Return a person's last decisions, newest first; undos show as `is_undone` of the undone."""
    newest = (
        select(Act.id, Act.kind, Act.details, Act.is_undone, Act.created_at)
        .where(Act.annotator_id == annotator_id, Act.kind.in_(("single", "bulk")))
        .order_by(Act.id.desc())
        .limit(limit)
        .subquery()
    )
    row = aliased(Annotation)
    first = select(func.min(row.id)).where(row.act_id == newest.c.id).scalar_subquery()
    statement = (
        select(
            newest, Annotation.kind.label("verb"), Annotation.comment,
            Product.id.label("product_row"), Product.product_id.label("shop_id"), Product.title,
            Product.photo, ProductClass.code.label("label"),
        )
        .select_from(newest)
        .join(Annotation, Annotation.id == first)
        .join(Product, Product.id == Annotation.product_id)
        .outerjoin(ProductClass, ProductClass.id == Annotation.class_id)
        .order_by(newest.c.id.desc())
    )  # fmt: skip
    return session.execute(statement).all()


def class_acts(session: Session, limit: int) -> list[Row]:
    """Return the last changes of classes with their undos and redos, newest first."""
    statement = select(
        Act.id, Act.kind, Act.details, Act.is_undone, Act.undoes_id, Act.created_at,
        Annotator.name.label("annotator"),
    ).join(Annotator, Annotator.id == Act.annotator_id)  # fmt: skip
    level = session.execute(
        statement.where(Act.kind == "class").order_by(Act.id.desc()).limit(limit)
    ).all()
    found: list[Row] = []
    while level:
        found += level
        ids = [row.id for row in level]
        level = session.execute(statement.where(Act.undoes_id.in_(ids))).all()
    return sorted(found, key=lambda row: -row.id)[:limit]
