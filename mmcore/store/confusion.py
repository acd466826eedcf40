"""Which class is taken for which: counted and listed in SQL over the stored predictions."""

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from mmcore.store.predictions import class_now
from mmcore.store.product_filter import in_catalogue
from mmcore.store.tables import Prediction, Product


def count_pairs(
    session: Session, version_id: int, view: str, split: str
) -> list[tuple[int, int, int]]:
    """Return (class id of the label, of the answer, products) for every pair that occurs."""
    answer = _answer(session, view).label("answer")
    query = select(Product.class_id, answer, func.count())
    query = _judged(query, version_id, view, split).group_by(Product.class_id, "answer")
    return [tuple(row) for row in session.execute(query)]


def list_pair(
    session: Session,
    version_id: int,
    where: tuple[str, str],
    pair: tuple[int, int],
    after: int,
    limit: int,
) -> list:
    """Return a page of the products of one pair, by product row id.

    Args:
        where: (view, split).
        pair: class ids (label, answer).
        after: row id of the last product of the page before, 0 at first.
    """
    view, split = where
    probability = getattr(Prediction, f"{view}_probability").label("probability")
    columns = (Product.id, Product.product_id, Product.title, Product.photo, probability)
    query = _judged(select(*columns), version_id, view, split)
    query = query.where(Product.class_id == pair[0], _answer(session, view) == pair[1])
    return list(session.execute(query.where(Product.id > after).order_by(Product.id).limit(limit)))


def _answer(session: Session, view: str) -> ColumnElement[int]:
    """Return the view's answer; a class that was merged since counts as what it became."""
    column = getattr(Prediction, f"{view}_class_id")
    merged = {old: new for old, new in class_now(session).items() if old != new}
    return case(merged, value=column, else_=column) if merged else column


def _judged(query: Select, version_id: int, view: str, split: str) -> Select:
    return (
        query.select_from(Prediction)
        .join(Product, Product.id == Prediction.product_id)
        .where(
            Prediction.model_version_id == version_id,
            getattr(Prediction, f"{view}_class_id").is_not(None),
            Product.class_id.is_not(None),
            Product.split == split,
            in_catalogue(),
        )
    )
