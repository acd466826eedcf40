"""Predictions at rest: one row a product and model version, read by naming the version.

A row is true of the product's text and photo as they were. Whoever changes those calls
`forget_changed` in the same transaction; the next `predict_missing` fills the gap. Of the label
only `suspicion` knows, which comes later and from elsewhere: see `suspicions.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mmcore.store.one_of import is_one_of
from mmcore.store.product_filter import in_catalogue
from mmcore.store.tables import Prediction, Product, ProductClass

INPUT = (
    Product.id,
    Product.product_id,
    Product.title,
    Product.description,
    Product.photo,
    Product.extra,
)


def count_missing(session: Session, version_id: int) -> int:
    """Return how many products of the catalogue a version has said nothing about."""
    missing = select(func.count()).select_from(Product).join(*_row_of(version_id), isouter=True)
    return session.scalar(missing.where(Prediction.product_id.is_(None), in_catalogue()))


def _row_of(version_id: int) -> tuple:
    """Return what a join to a version's prediction takes."""
    is_its = Prediction.model_version_id == version_id
    return Prediction, (Prediction.product_id == Product.id) & is_its


def products_without(session: Session, version_id: int, after: int, limit: int) -> list[tuple]:
    """Return INPUT's columns of the next products without a prediction.

    Args:
        after: id of the last product of the piece before, 0 at first.
    """
    rows = session.execute(
        select(*INPUT)
        .join(*_row_of(version_id), isouter=True)
        .where(Prediction.product_id.is_(None), Product.id > after, in_catalogue())
        .order_by(Product.id)
        .limit(limit)
    )
    return [tuple(row) for row in rows]


def inputs_now(session: Session, product_ids: Sequence[int]) -> dict[int, tuple]:
    """Return id -> INPUT's columns as they are now, without products that are gone."""
    if not product_ids:
        return {}
    # a range and not a list of ids: SQLite and PostgreSQL both limit the parameters of a statement
    inside = Product.id.between(min(product_ids), max(product_ids))
    wanted = set(product_ids)
    rows = session.execute(select(*INPUT).where(inside))
    return {row[0]: tuple(row) for row in rows if row[0] in wanted}


def add_predictions(session: Session, rows: list[dict]) -> None:
    """Store predictions; one that is there already (another process was quicker) stays."""
    if not rows:
        return
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # the table and not the class: no object is built for any of 100,000 rows
    session.execute(make(Prediction.__table__).on_conflict_do_nothing(), rows)


def forget_products(session: Session, product_ids: Iterable[int]) -> None:
    """Delete what every version said about products whose text or photo has changed."""
    ids = sorted(product_ids)
    if ids:
        session.execute(delete(Prediction).where(is_one_of(session, Prediction.product_id, ids)))


def forget_changed(session: Session, values: Sequence[Mapping[str, Any]]) -> None:
    """Forget the products that these new values will make another input; called before writing.

    Args:
        values: by `id`; those among title, description, photo and extra that are written.
    """
    new = {row["id"]: row for row in values}
    if not new:
        return
    columns = (Product.id, Product.title, Product.description, Product.photo, Product.extra)
    rows = session.execute(select(*columns).where(is_one_of(session, Product.id, sorted(new))))
    forget_products(session, [row.id for row in rows if _differs(row, new[row.id])])


def _differs(row: Row, values: Mapping[str, Any]) -> bool:
    names = ("title", "description", "photo", "extra")
    return any(name in values and values[name] != getattr(row, name) for name in names)


def class_now(session: Session) -> dict[int, int]:
    """Return class id -> the class it stands for now: itself, or what it was merged into."""
    rows = dict(session.execute(select(ProductClass.id, ProductClass.merged_into_id)).all())

    def end(class_id: int) -> int:
        seen = {class_id}
        while (following := rows.get(class_id)) is not None and following not in seen:
            seen.add(following)
            class_id = following
        return class_id

    return {class_id: end(class_id) for class_id in rows}


def class_codes(session: Session) -> dict[int, str]:
    """Return class id -> code, in the order of ids."""
    rows = session.execute(select(ProductClass.id, ProductClass.code).order_by(ProductClass.id))
    return dict(rows.all())
