"""Which products are meant: one filter for lists, bulk labels and exports, all in SQL."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from mmcore.store.tables import Product


@dataclass(frozen=True)
class ProductFilter:
    """Every part narrows the choice; None leaves it open.

    Attributes:
        class_ids: products with one of these labels.
        predicted_class_ids: by the fused answer of `model_version_id`.
        split: train, val or test.
        is_labelled, is_flagged, has_photo: as the words say.
        annotator_id: somebody who has annotated the product.
        search: words that all occur in title, description or id.
        product_ids: row ids (a selection).
    """

    class_ids: tuple[int, ...] | None = None
    predicted_class_ids: tuple[int, ...] | None = None
    model_version_id: int | None = None
    split: str | None = None
    is_labelled: bool | None = None
    is_flagged: bool | None = None
    has_photo: bool | None = None
    annotator_id: int | None = None
    search: str = ""
    product_ids: tuple[int, ...] | None = None


def conditions(wanted: ProductFilter) -> list[ColumnElement[bool]]:
    """Return the WHERE conditions on `Product` that a filter stands for."""
    found: list[ColumnElement[bool]] = []
    if wanted.class_ids is not None:
        found.append(Product.class_id.in_(wanted.class_ids))
    if wanted.split is not None:
        found.append(Product.split == wanted.split)
    if wanted.is_labelled is not None:
        is_null = Product.class_id.is_(None)
        found.append(~is_null if wanted.is_labelled else is_null)
    if wanted.is_flagged is not None:
        found.append(Product.is_flagged.is_(wanted.is_flagged))
    if wanted.product_ids is not None:
        found.append(Product.id.in_(wanted.product_ids))
    return found
