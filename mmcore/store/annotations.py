"""Annotations: each says what one act made of one product; the product itself follows them.

Order of locks, the same everywhere so that nobody waits in a circle: act, class, product.
SQLite needs none of them: a writing transaction is alone there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, func, insert, literal, select, update
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError
from mmcore.store.one_of import is_one_of
from mmcore.store.tables import Annotation, Product, ProductClass

BULK_COLUMNS = (
    "act_id product_id annotator_id kind class_id class_before_id was_flagged is_flagged version "
    "suggestion model_version_id comment created_at"
).split()

# plain SQL for what every label runs: it takes half the time
_annotation, _product = Annotation.__table__, Product.__table__


@dataclass(frozen=True)
class Mark:
    """What one act does to one product; None leaves label or flag as they are."""

    act_id: int
    annotator_id: int
    kind: str
    now: float
    class_id: int | None = None
    is_flagged: bool | None = None
    comment: str = ""
    seconds: float | None = None
    suggestion: Mapping[str, Any] = field(default_factory=dict)
    model_version_id: int | None = None

    @property
    def changes(self) -> bool:
        """Whether the product gets a new version: a skip leaves it to others as it was."""
        return self.kind != "skip"


def lock_product(session: Session, product_id: int) -> Row:
    """Return id, product_id, class_id, version, is_flagged, removed_at; it is locked.

    Raises:
        NotFoundError: if there is no such product.
    """
    columns = (
        Product.id, Product.product_id, Product.class_id, Product.version, Product.is_flagged,
        Product.removed_at,
    )  # fmt: skip
    statement = select(*columns).where(Product.id == product_id)
    found = session.execute(statement.with_for_update(key_share=True)).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no product number {product_id}; it may be of another shop")
    return found


def lock_products(session: Session, where: Sequence[ColumnElement[bool]]) -> Sequence[Row]:
    """Return id and version of the products that fit, none of which others change meanwhile."""
    statement = select(Product.id, Product.version).where(*where).order_by(Product.id)
    return session.execute(statement.with_for_update(key_share=True, of=Product)).all()


def record(session: Session, product: Row, mark: Mark) -> int:
    """Return the id of a new annotation on one locked product, whose state follows it."""
    version = product.version + mark.changes
    class_id = product.class_id if mark.class_id is None else mark.class_id
    is_flagged = product.is_flagged if mark.is_flagged is None else mark.is_flagged
    values = {
        "act_id": mark.act_id,
        "product_id": product.id,
        "annotator_id": mark.annotator_id,
        "kind": mark.kind,
        "class_id": class_id,
        "class_before_id": product.class_id,
        "was_flagged": product.is_flagged,
        "is_flagged": is_flagged,
        "version": version,
        "stands": None if mark.changes else standing(session, product.id, version),
        "seconds": mark.seconds,
        "suggestion": dict(mark.suggestion),
        "model_version_id": mark.model_version_id,
        "comment": mark.comment,
        "created_at": mark.now,
    }
    annotation_id = session.execute(
        insert(_annotation).returning(_annotation.c.id), values
    ).scalar()
    if mark.changes:
        state = {"class_id": class_id, "is_flagged": is_flagged, "version": version}
        session.execute(update(_product).where(_product.c.id == product.id).values(state))
    return annotation_id


def record_for(session: Session, ids: Sequence[int], mark: Mark) -> int:
    """Return how many locked products got the same mark, all in two statements."""
    class_id = Product.class_id if mark.class_id is None else literal(mark.class_id)
    flag = Product.is_flagged if mark.is_flagged is None else literal(mark.is_flagged)
    rows = select(
        *_who(mark), class_id, Product.class_id, Product.is_flagged, flag, Product.version + 1,
        *_why(mark),
    ).where(is_one_of(session, Product.id, ids))  # fmt: skip
    return insert_and_apply(session, mark.act_id, BULK_COLUMNS, rows)


def insert_and_apply(session: Session, act_id: int, columns: Sequence[str], rows: Select) -> int:
    """Return how many annotations an INSERT ... SELECT made; their products follow at once.

    Args:
        columns: of the annotation, in the order of `rows`.
        rows: of products that are locked.
    """
    statement = (
        insert(Annotation)
        .from_select(columns, rows, include_defaults=False)
        .execution_options(preserve_rowcount=True)
    )
    count = session.execute(statement).rowcount
    apply_to_products(session, act_id)
    return count


def apply_to_products(session: Session, act_id: int) -> None:
    """Bring the products of an act to the state that its annotations tell."""
    statement = (
        update(Product)
        .where(
            Annotation.act_id == act_id,
            Annotation.product_id == Product.id,
            Annotation.version > Product.version,
        )
        .values(
            class_id=Annotation.class_id,
            is_flagged=Annotation.is_flagged,
            version=Annotation.version,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(statement)


def standing(session: Session, product_id: int, version: int) -> int:
    """Return which version's decision is in force on a product that stands at `version`."""
    # rows of one version agree: the one that made it, and skips of it
    found = session.scalar(
        select(func.min(func.coalesce(Annotation.stands, Annotation.version))).where(
            Annotation.product_id == product_id, Annotation.version == version
        )
    )
    return version if found is None else found


def find_product(session: Session, shop_id: str) -> Row:
    """Return id, version and label of the product with the shop's own id.

    Raises:
        NotFoundError: if there is none.
    """
    statement = (
        select(Product.id, Product.version, ProductClass.code)
        .outerjoin(ProductClass, ProductClass.id == Product.class_id)
        .where(Product.product_id == shop_id)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no product {shop_id!r}; look its id up in the catalogue")
    return found


def _who(mark: Mark) -> tuple[ColumnElement, ...]:
    return (
        literal(mark.act_id),
        Product.id,
        literal(mark.annotator_id),
        literal(mark.kind),
    )


def _why(mark: Mark) -> tuple[ColumnElement, ...]:
    return (
        literal(dict(mark.suggestion), Annotation.suggestion.type),
        literal(mark.model_version_id, Integer),
        literal(mark.comment),
        literal(mark.now),
    )
