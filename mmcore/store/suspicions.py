"""How suspect labels are, in the rows of a model version's predictions.

A suspicion is about one label, which stands beside it (`label_class_id`), and comes from models
that haven't seen that label (`cross_check.py`). Where the product has another label by now - a
person relabelled it, its class was merged, an import came - nobody has been asked about that one:
it is not suspect, until a check opposes it. The row keeps what it says, so that an undo finds it.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, bindparam, select, update
from sqlalchemy.orm import Session

from mmcore.store.product_filter import in_catalogue
from mmcore.store.tables import Prediction, Product

_prediction = Prediction.__table__
_SET = (
    update(_prediction)
    .where(
        _prediction.c.model_version_id == bindparam("model"),
        _prediction.c.product_id == bindparam("product"),
    )
    .values(suspicion=bindparam("found"), label_class_id=bindparam("label"))
)


def is_about_label() -> ColumnElement[bool]:
    """Return the condition that a prediction's suspicion is about its product's label now."""
    return Prediction.label_class_id.is_not_distinct_from(Product.class_id)


def is_check_due(session: Session, model_version_id: int) -> bool:
    """Return whether any label has not been checked since it was given, or since it was predicted.

    Read from the rows themselves, so that no death of a process can lose it.
    """
    unchecked = (
        select(Prediction.product_id)
        .join(Product, Product.id == Prediction.product_id)
        .where(
            Prediction.model_version_id == model_version_id,
            Product.class_id.is_not(None),
            in_catalogue(),
            ~is_about_label(),
        )
    )
    return session.scalar(unchecked.limit(1)) is not None


def labelled_products(session: Session) -> Sequence[Row]:
    """Return id, title, description, photo, class_id, group_id of every labelled product."""
    p = Product
    return session.execute(
        select(p.id, p.title, p.description, p.photo, p.class_id, p.group_id)
        .where(p.class_id.is_not(None), in_catalogue())
        .order_by(p.id)
    ).all()


def write_suspicions(session: Session, model_version_id: int, rows: Sequence[tuple]) -> None:
    """Write (product id, class id of the label, suspicion) where the version has a prediction."""
    values = [
        {"model": model_version_id, "product": product_id, "label": class_id, "found": found}
        for product_id, class_id, found in rows
    ]
    if values:
        session.connection().execute(_SET, values)
