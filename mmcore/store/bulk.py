"""Many products in one act: which are meant, which others changed since, what a model says of each.

All in sets: the number of statements doesn't grow with the number of products.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    false,
    func,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import Session

from mmcore.store.annotations import BULK_COLUMNS, Mark, insert_and_apply
from mmcore.store.classes import lock_classes
from mmcore.store.one_of import is_one_of
from mmcore.store.product_filter import in_catalogue
from mmcore.store.tables import Annotation, ModelVersion, Prediction, Product, ProductClass


def count_by_class(
    session: Session, where: Sequence[ColumnElement[bool]]
) -> list[tuple[str | None, int]]:
    """Return how many of the products have each label (None: without), the most first."""
    count = func.count()
    statement = (
        select(ProductClass.code, count)
        .select_from(Product)
        .outerjoin(ProductClass, ProductClass.id == Product.class_id)
        .where(*where)
        .group_by(ProductClass.code)
        .order_by(count.desc(), ProductClass.code)
    )
    return [tuple(row) for row in session.execute(statement)]


def count_by_prediction(
    session: Session, where: Sequence[ColumnElement[bool]], model_id: int
) -> list[tuple[str, int]]:
    """Return how many of the products a model gives to each class that can be given."""
    count = func.count()
    statement = (
        _predicted(select(ProductClass.code, count), model_id)
        .where(*where)
        .group_by(ProductClass.code)
        .order_by(count.desc(), ProductClass.code)
    )
    return [tuple(row) for row in session.execute(statement)]


def changed_by_others(
    session: Session, ids: Sequence[int], seen: int, annotator_id: int
) -> set[int]:
    """Return which products somebody else decided on after annotation number `seen`."""
    statement = select(Annotation.product_id).where(
        Annotation.id > seen,
        Annotation.annotator_id != annotator_id,
        Annotation.kind != "skip",
        is_one_of(session, Annotation.product_id, ids),
    )
    return set(session.scalars(statement))


def unknown_ids(session: Session, ids: Sequence[int]) -> list[int]:
    """Return the numbers that no product has."""
    known = set(session.scalars(select(Product.id).where(is_one_of(session, Product.id, ids))))
    return sorted(set(ids) - known)


def removed_names(session: Session, ids: Sequence[int]) -> list[str]:
    """Return the shop's ids of those products that left the catalogue."""
    statement = (
        select(Product.product_id)
        .where(is_one_of(session, Product.id, ids), ~in_catalogue())
        .order_by(Product.id)
    )
    return list(session.scalars(statement))


def lock_usable_classes(session: Session) -> None:
    """Keep everybody from archiving or merging classes until the transaction ends."""
    ids = session.scalars(select(ProductClass.id).where(ProductClass.is_archived.is_(False)))
    lock_classes(session, list(ids), is_shared=True)


def model_of(session: Session, model_id: int | None) -> int | None:
    """Return the model version of this id, or that in production; None where there is none."""
    wanted = ModelVersion.stage == "production" if model_id is None else ModelVersion.id == model_id
    return session.scalar(select(ModelVersion.id).where(wanted))


def flagged(session: Session, ids: Sequence[int]) -> list[int]:
    """Return which of the products are flagged."""
    statement = select(Product.id).where(
        is_one_of(session, Product.id, ids), Product.is_flagged.is_(True)
    )
    return list(session.scalars(statement))


def record_predictions(session: Session, ids: Sequence[int], mark: Mark) -> int:
    """Return how many locked products got the class that `mark.model_version_id` says."""
    rows = _predicted(
        select(
            literal(mark.act_id),
            Product.id,
            literal(mark.annotator_id),
            literal(mark.kind),
            Prediction.fused_class_id,
            Product.class_id,
            Product.is_flagged,
            Product.is_flagged,
            Product.version + 1,
            _suggestion(session),
            literal(mark.model_version_id, Integer),
            literal(mark.comment),
            literal(mark.now),
        ),
        mark.model_version_id,
    ).where(is_one_of(session, Product.id, ids))
    return insert_and_apply(session, mark.act_id, BULK_COLUMNS, rows)


def _predicted(statement: Select, model_id: int) -> Select:
    return (
        statement.select_from(Product)
        .join(
            Prediction,
            and_(Prediction.product_id == Product.id, Prediction.model_version_id == model_id),
        )
        .join(ProductClass, ProductClass.id == Prediction.fused_class_id)
        .where(ProductClass.is_archived.is_(False))
    )


def _suggestion(session: Session) -> ColumnElement:
    parts = ("class", ProductClass.code, "probability", Prediction.fused_probability, "hidden")
    if session.get_bind().dialect.name == "postgresql":
        made = func.json_build_object(*parts, false())
    else:
        made = func.json_object(*parts, func.json(text("'false'")))
    return type_coerce(made, Annotation.suggestion.type)
