"""Which products are meant: one filter for lists, bulk labels and exports, all in SQL."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from mmcore.store.search import matches
from mmcore.store.tables import Annotation, ModelVersion, Prediction, Product


@dataclass(frozen=True)
class ProductFilter:
    """Every part narrows the choice; None leaves it open.

    Attributes:
        class_ids: products with one of these labels.
        predicted_class_ids: by the fused answer of `model_version_id`.
        model_version_id: None means the model in production.
        split: train, val or test.
        is_labelled, is_flagged, has_photo: as the words say.
        annotator_id: somebody who has annotated the product.
        search: words that all occur in title, description or id, or begin words that do; accents
            and capitals don't matter.
        product_ids: row ids (a selection).
        text_chars: least and most characters of title and description together.
        has_copies: near-copies of it are in the catalogue.
        group_id: of near-copies.
        photos: content keys; products with one of these photos.
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
    text_chars: tuple[int, int] | None = None
    has_copies: bool | None = None
    group_id: str | None = None
    photos: tuple[str, ...] | None = None


def conditions(wanted: ProductFilter) -> list[ColumnElement[bool]]:
    """Return the WHERE conditions on `Product` that a filter stands for.

    Products that left the catalogue are never meant.
    """
    found: list[ColumnElement[bool]] = [in_catalogue()]
    if wanted.class_ids is not None:
        found.append(Product.class_id.in_(wanted.class_ids))
    if wanted.split is not None:
        found.append(Product.split == wanted.split)
    if wanted.is_labelled is not None:
        is_null = Product.class_id.is_(None)
        found.append(~is_null if wanted.is_labelled else is_null)
    if wanted.is_flagged is not None:
        found.append(Product.is_flagged.is_(wanted.is_flagged))
    if wanted.has_photo is not None:
        found.append(Product.photo != "" if wanted.has_photo else Product.photo == "")
    if wanted.predicted_class_ids is not None:
        found.append(Product.id.in_(_predicted_as(wanted)))
    if wanted.annotator_id is not None:
        annotated = select(Annotation.product_id).where(
            Annotation.annotator_id == wanted.annotator_id
        )
        found.append(Product.id.in_(annotated))
    if wanted.search.strip():
        found.append(matches(wanted.search))
    if wanted.product_ids is not None:
        found.append(Product.id.in_(wanted.product_ids))
    return [*found, *_by_shape(wanted)]


def num_chars() -> ColumnElement[int]:
    """Return the characters of a product's title and description together."""
    return func.length(Product.title) + func.length(Product.description)


def _by_shape(wanted: ProductFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text_chars is not None:
        found.append(num_chars().between(*wanted.text_chars))
    if wanted.group_id is not None:
        found.append(Product.group_id == wanted.group_id)
    if wanted.photos is not None:
        found.append(Product.photo.in_(wanted.photos))
    if wanted.has_copies is not None:
        # product by product: a page of a list needs the groups of few, not of all
        other = aliased(Product)
        is_copied = (
            select(other.id)
            .where(
                other.group_id == Product.group_id,
                other.id != Product.id,
                other.removed_at.is_(None),
            )
            .exists()
        )
        found.append(is_copied if wanted.has_copies else ~is_copied)
    return found


def in_catalogue() -> ColumnElement[bool]:
    """Return the condition that an import hasn't taken a product out of the catalogue."""
    return Product.removed_at.is_(None)


def production_id() -> Select[tuple[int]]:
    """Return the query for the id of the model in production; no row without one."""
    return select(ModelVersion.id).where(ModelVersion.stage == "production")


def of_model(model_version_id: int | None) -> ColumnElement[bool]:
    """Return the condition that a prediction is by this model; by production for None."""
    wanted = production_id().scalar_subquery() if model_version_id is None else model_version_id
    return Prediction.model_version_id == wanted


def _predicted_as(wanted: ProductFilter) -> Select[tuple[int]]:
    is_class = Prediction.fused_class_id.in_(wanted.predicted_class_ids)
    return select(Prediction.product_id).where(of_model(wanted.model_version_id), is_class)
