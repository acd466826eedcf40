"""Labels to check, and what came of it, in the rows of a model version's predictions."""

from collections.abc import Sequence

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from mmcore.store.tables import Prediction, Product, Setting

_prediction = Prediction.__table__
_SET = (
    update(_prediction)
    .where(
        _prediction.c.model_version_id == bindparam("model"),
        _prediction.c.product_id == bindparam("product"),
    )
    .values(suspicion=bindparam("found"), label_class_id=bindparam("label"))
)


def is_check_due(session: Session, model_version_id: int) -> bool:
    """Return whether a version's predictions came without the check of the labels after them."""
    return session.get(Setting, _due(model_version_id)) is not None


def note_check(session: Session, model_version_id: int, is_due: bool) -> None:
    """Keep in mind that a version's check is due, over the death of the process, or is done."""
    if is_due:
        session.merge(Setting(name=_due(model_version_id), value={}))
    else:
        session.execute(delete(Setting).where(Setting.name == _due(model_version_id)))


def _due(model_version_id: int) -> str:
    return f"check of labels due {model_version_id}"


def labelled_products(session: Session) -> Sequence[Row]:
    """Return id, title, description, photo, class_id, group_id of every labelled product."""
    p = Product
    return session.execute(
        select(p.id, p.title, p.description, p.photo, p.class_id, p.group_id)
        .where(p.class_id.is_not(None), p.removed_at.is_(None))
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
