"""Looking through the catalogue: pages of products, one product with its history, numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from mmcore.catalog.class_names import ClassName, Ranked
from mmcore.errors import ConfigError, NotFoundError
from mmcore.store import browse as queries
from mmcore.store.engine import Store
from mmcore.store.product_filter import ProductFilter

ORDERS = tuple(queries.ORDERS)
PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000
COUNTED = 10_000  # products counted at most; a list says "10,000+" behind it


@dataclass(frozen=True)
class ProductRow:
    """What a list shows of one product.

    Attributes:
        id: row id, for selections and acts; `product_id` is the shop's own.
        photo: content key, "" without a photo.
        predicted: by the model in production, None where it hasn't seen the product.
    """

    id: int
    product_id: str
    title: str
    label: ClassName | None
    predicted: Ranked | None
    photo: str
    split: str
    is_flagged: bool
    version: int
    num_annotations: int

    @property
    def has_photo(self) -> bool:
        return self.photo != ""


@dataclass(frozen=True)
class PageRequest:
    """Which page of a list: `after` is the `next_page` of the one before, None for the first."""

    after: str | None = None
    size: int = PAGE_SIZE


@dataclass(frozen=True)
class ProductPage:
    """One page; `next_page` is None on the last."""

    rows: tuple[ProductRow, ...]
    next_page: str | None


@dataclass(frozen=True)
class Count:
    """How many products a filter means; `is_more` where counting stopped at `num`."""

    num: int
    is_more: bool


@dataclass(frozen=True)
class HistoryEntry:
    """One annotation.

    Attributes:
        label_before, label: class codes, None for no label.
        suggestion: what was shown: class, probability, hidden; {} without one.
        model: name of the version that suggested, None without one.
    """

    id: int
    act_id: int
    kind: str
    annotator: str
    label_before: str | None
    label: str | None
    version: int
    created_at: float
    seconds: float | None
    suggestion: Mapping[str, Any]
    model: str | None
    comment: str


@dataclass(frozen=True)
class ModelSays:
    """What one model version says about a product, by class code.

    Attributes:
        suspicion: of the label that the product has now, None where it wasn't checked yet.
    """

    model: str
    stage: str
    fused: str
    fused_probability: float
    text: str | None
    text_probability: float | None
    image: str | None
    image_probability: float | None
    margin: float
    disagreement: float
    suspicion: float | None


@dataclass(frozen=True)
class ProductDetail:
    """Everything about one product.

    Attributes:
        removed_at: when an import took it out of the catalogue, None while it is in.
        history: the first annotation first.
        predictions: of the newest model first.
    """

    id: int
    product_id: str
    title: str
    description: str
    photo: str
    extra: Mapping[str, str]
    label: ClassName | None
    split: str
    group_id: str
    version: int
    is_flagged: bool
    created_at: float
    removed_at: float | None
    history: tuple[HistoryEntry, ...]
    predictions: tuple[ModelSays, ...]


def list_products(
    store: Store,
    wanted: ProductFilter | None = None,
    order: str = "catalogue",
    page: PageRequest | None = None,
) -> ProductPage:
    """Return one page of the products that a filter means.

    Args:
        order: one of ORDERS; those by prediction (suspicion, disagreement, margin, entropy) leave
            out products that the model hasn't seen; suspicion also unchecked labels.

    Raises:
        ConfigError: if the order, the page or its size isn't one.
    """
    wanted, page = wanted or ProductFilter(), page or PageRequest()
    if order not in queries.ORDERS:
        raise ConfigError(f"order {order!r}: use one of {', '.join(ORDERS)}")
    if not 1 <= page.size <= MAX_PAGE_SIZE:
        raise ConfigError(f"page size {page.size}: use a number from 1 to {MAX_PAGE_SIZE:,}")
    after = _place(page.after)
    with store.reading() as session:
        # one more than asked for tells whether there is a next page
        rows = queries.page_rows(session, wanted, order, after, page.size + 1)
    has_more, rows = len(rows) > page.size, rows[: page.size]
    next_page = json.dumps([rows[-1].key, rows[-1].id]) if has_more else None
    return ProductPage(tuple(map(_product_row, rows)), next_page)


def rows_of(store: Store, ids: Sequence[int]) -> tuple[ProductRow, ...]:
    """Return the products with these numbers, in their order; those that left are left out."""
    wanted = ProductFilter(product_ids=tuple(ids))
    with store.reading() as session:
        rows = queries.page_rows(session, wanted, "catalogue", None, len(ids))
    found = {row.id: _product_row(row) for row in rows}
    return tuple(found[i] for i in ids if i in found)


def count_products(
    store: Store, wanted: ProductFilter | None = None, at_most: int = COUNTED
) -> Count:
    """Return how many products a filter means, counted no further than `at_most`."""
    with store.reading() as session:
        found = queries.count_up_to(session, wanted or ProductFilter(), at_most + 1)
    return Count(min(found, at_most), found > at_most)


def product_detail(store: Store, product_id: str) -> ProductDetail:
    """Return all about one product, by the shop's own id.

    Raises:
        NotFoundError: if there is none.
    """
    with store.reading() as session:
        found = queries.find_product(session, product_id)
        if found is None:
            raise NotFoundError(
                f"there is no product {product_id!r}; search for words of it in the catalogue"
            )
        entries = queries.history(session, found.id)
        says = queries.predictions(session, found.id)
    return ProductDetail(
        id=found.id,
        product_id=found.product_id,
        title=found.title,
        description=found.description,
        photo=found.photo,
        extra=found.extra,
        label=_class_label(found, "label"),
        split=found.split,
        group_id=found.group_id,
        version=found.version,
        is_flagged=found.is_flagged,
        created_at=found.created_at,
        removed_at=found.removed_at,
        history=tuple(HistoryEntry(**row._mapping) for row in entries),
        predictions=tuple(ModelSays(**row._mapping) for row in says),
    )


def _place(token: str | None) -> queries.Place | None:
    if token is None:
        return None
    try:
        key, row_id = json.loads(token)
        if not (math.isfinite(key) and isinstance(row_id, int)):
            raise ValueError(token)
        return queries.Place(float(key), row_id)
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigError(
            f"page {token[:40]!r} is no page of a list; take `next_page` of the page before, or "
            "begin with the first"
        ) from error


def _product_row(row: Row) -> ProductRow:
    label, predicted = _class_label(row, "label"), _class_label(row, "predicted")
    return ProductRow(
        id=row.id,
        product_id=row.product_id,
        title=row.title,
        label=label,
        predicted=predicted and Ranked(**vars(predicted), probability=row.probability),
        photo=row.photo,
        split=row.split,
        is_flagged=row.is_flagged,
        version=row.version,
        num_annotations=row.num_annotations,
    )


def _class_label(row: Row, name: str) -> ClassName | None:
    code = getattr(row, name)
    if code is None:
        return None
    return ClassName(code, getattr(row, f"{name}_fr"), getattr(row, f"{name}_en"))
