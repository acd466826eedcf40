"""The products as a whole: read as plain rows, and the facts about the catalogue they make up."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mmcore.store.settings import get_setting, put_setting
from mmcore.store.tables import Product, ProductClass

FACTS = "catalogue"  # name of the setting
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class CatalogueFacts:
    """What is true of the catalogue and of no single product.

    Attributes:
        source: csv, rakuten or drawn.
        extra: its further columns, in their order.
        revision: raised by each import that changed something.
        since: when the first products of this kind (drawn or real) came; those removed before
            were of the other kind.
        num_without_title, num_without_description: products that lack one. Only imports change
            texts; to count them again would mean to read all of them.
    """

    source: str
    extra: tuple[str, ...] = ()
    revision: int = 0
    since: float = 0.0
    num_without_title: int = 0
    num_without_description: int = 0


class StoredProduct(NamedTuple):
    """One row of the product table, with its class by code ("" for none)."""

    id: int
    product_id: str
    title: str
    description: str
    photo: str
    label: str
    group_id: str
    split: str
    photo_hash: str
    is_split_given: bool
    extra: Mapping[str, str]
    version: int
    removed_at: float | None


class StoredClass(NamedTuple):
    """One row of the class table."""

    id: int
    code: str
    name_fr: str
    name_en: str
    position: int
    is_archived: bool
    merged_into_id: int | None


def read_facts(session: Session) -> CatalogueFacts | None:
    """Return the facts about the catalogue, None where nothing was ever imported."""
    value = get_setting(session, FACTS)
    return CatalogueFacts(**{**value, "extra": tuple(value["extra"])}) if value else None


def count_products(session: Session) -> int:
    """Return how many products the catalogue has."""
    return session.scalar(select(func.count()).select_from(Product)) or 0


def write_facts(session: Session, facts: CatalogueFacts) -> None:
    """Write the facts about the catalogue."""
    put_setting(session, FACTS, {**asdict(facts), "extra": list(facts.extra)})


def read_products(session: Session, with_removed: bool = False) -> Iterator[StoredProduct]:
    """Yield the products in the order they came in.

    Args:
        with_removed: those that an import took out of the catalogue, too.
    """
    statement = (
        select(
            Product.id,
            Product.product_id,
            Product.title,
            Product.description,
            Product.photo,
            func.coalesce(ProductClass.code, ""),
            Product.group_id,
            Product.split,
            Product.photo_hash,
            Product.is_split_given,
            Product.extra,
            Product.version,
            Product.removed_at,
        )
        .outerjoin(ProductClass, ProductClass.id == Product.class_id)
        .order_by(Product.id)
    )
    if not with_removed:
        statement = statement.where(Product.removed_at.is_(None))
    result = session.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
    yield from map(StoredProduct._make, result)


def read_classes(session: Session) -> list[StoredClass]:
    """Return all classes, archived ones included, in the order of the screen."""
    columns = [getattr(ProductClass, name) for name in StoredClass._fields]
    rows = session.execute(select(*columns).order_by(ProductClass.position, ProductClass.id))
    return [StoredClass._make(row) for row in rows]
