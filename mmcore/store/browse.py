"""Products a page at a time, and numbers about them; nothing here reads all products' texts.

Pages are walked by key (the last row seen), not by OFFSET: the thousandth page costs as much as
the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    case,
    desc,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from mmcore.store.one_of import is_one_of
from mmcore.store.product_filter import ProductFilter, conditions, in_catalogue, of_model
from mmcore.store.suspicions import is_about_label
from mmcore.store.tables import (
    Annotation,
    Annotator,
    ModelVersion,
    Prediction,
    Product,
    ProductClass,
)

FEW = 2_000  # products that are sorted at once rather than looked for along an index


@dataclass(frozen=True)
class _Order:
    key: ColumnElement
    is_descending: bool = False
    needs_prediction: bool = False
    where: ColumnElement[bool] | None = None  # products that have a place in this order


ORDERS = {
    "catalogue": _Order(Product.id),
    "newest": _Order(Product.id, is_descending=True),
    "random": _Order(Product.random_rank),
    "suspicion": _Order(Prediction.suspicion, True, True, is_about_label()),
    "disagreement": _Order(Prediction.disagreement, True, True),
    "margin": _Order(Prediction.margin, False, True),
    "entropy": _Order(Prediction.entropy, True, True),
}


@dataclass(frozen=True)
class Place:
    """The last row of a page: the next one begins behind it."""

    key: float
    id: int


def page_of_ids(
    session: Session, wanted: ProductFilter, order: str, after: Place | None, size: int
) -> Select[tuple[int, float]]:
    """Return the query for `id` and `key` of at most `size` products, in order.

    Orders by prediction leave out products that the model hasn't seen, that by suspicion also
    those whose label nobody has checked.
    """
    how = ORDERS[order]
    key, id, narrowed = how.key, Product.id, conditions(wanted)
    if how.needs_prediction:
        id, few = Prediction.product_id, _few_ids(session, wanted)
        if few is not None:
            # an index in the order asked for would be walked from end to end to find these few
            key, narrowed = key + literal_column("0"), [is_one_of(session, id, few)]
        narrowed.append(of_model(wanted.model_version_id))
    if how.where is not None:
        narrowed.append(how.where)
    columns = [id] if key is id else [key, id]
    if after is not None:
        here = tuple_(*columns)
        seen = tuple_(*([after.id] if key is id else [after.key, after.id]))
        narrowed.append(here < seen if how.is_descending else here > seen)
    statement = select(id.label("id"), key.label("key")).select_from(Product)
    if how.needs_prediction:
        statement = statement.join(Prediction, Prediction.product_id == Product.id)
    ordered = [desc(c) if how.is_descending else c for c in columns]
    return statement.where(*narrowed).order_by(*ordered).limit(size)


def _few_ids(session: Session, wanted: ProductFilter) -> Sequence[int] | None:
    """Return the ids that a filter means, None where they are many."""
    statement = select(Product.id).where(*conditions(wanted)).limit(FEW + 1)
    found = session.scalars(statement).all()
    return found if len(found) <= FEW else None


def page_rows(
    session: Session, wanted: ProductFilter, order: str, after: Place | None, size: int
) -> Sequence[Row]:
    """Return one page: what a list shows of each product, and its `key` in the order."""
    page = page_of_ids(session, wanted, order, after, size).subquery()
    fused = aliased(ProductClass)
    num_annotations = (
        select(func.count()).where(Annotation.product_id == page.c.id).scalar_subquery()
    )
    directed = [desc(c) if ORDERS[order].is_descending else c for c in (page.c.key, page.c.id)]
    statement = (
        select(
            page.c.id,
            page.c.key,
            Product.product_id,
            Product.title,
            Product.photo,
            Product.split,
            Product.is_flagged,
            Product.version,
            *_class_columns(ProductClass, "label"),
            *_class_columns(fused, "predicted"),
            Prediction.fused_probability.label("probability"),
            num_annotations.label("num_annotations"),
        )
        .join(Product, Product.id == page.c.id)
        .outerjoin(ProductClass, ProductClass.id == Product.class_id)
        .outerjoin(
            Prediction,
            (Prediction.product_id == page.c.id) & of_model(wanted.model_version_id),
        )
        .outerjoin(fused, fused.id == Prediction.fused_class_id)
        .order_by(*directed)
    )
    return session.execute(statement).all()


def count_up_to(session: Session, wanted: ProductFilter, limit: int) -> int:
    """Return how many products a filter means, counted no further than `limit`."""
    some = select(literal(1)).select_from(Product).where(*conditions(wanted)).limit(limit)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def find_product(session: Session, product_id: str) -> Row | None:
    """Return all of one product by the shop's own id, whether it left the catalogue or not."""
    statement = (
        select(Product.__table__, *_class_columns(ProductClass, "label"))
        .outerjoin(ProductClass, ProductClass.id == Product.class_id)
        .where(Product.product_id == product_id)
    )
    return session.execute(statement).one_or_none()


def history(session: Session, id: int) -> Sequence[Row]:
    """Return what people and imports did with one product, the first act first."""
    before, after = aliased(ProductClass), aliased(ProductClass)
    statement = (
        select(
            Annotation.id,
            Annotation.act_id,
            Annotation.kind,
            Annotator.name.label("annotator"),
            before.code.label("label_before"),
            after.code.label("label"),
            Annotation.version,
            Annotation.created_at,
            Annotation.seconds,
            Annotation.suggestion,
            ModelVersion.name.label("model"),
            Annotation.comment,
        )
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .outerjoin(before, before.id == Annotation.class_before_id)
        .outerjoin(after, after.id == Annotation.class_id)
        .outerjoin(ModelVersion, ModelVersion.id == Annotation.model_version_id)
        .where(Annotation.product_id == id)
        .order_by(Annotation.id)
    )
    return session.execute(statement).all()


def predictions(session: Session, id: int) -> Sequence[Row]:
    """Return what each model version says about one product, the newest first."""
    fused, text, image = aliased(ProductClass), aliased(ProductClass), aliased(ProductClass)
    statement = (
        select(
            ModelVersion.name.label("model"),
            ModelVersion.stage,
            fused.code.label("fused"),
            Prediction.fused_probability,
            text.code.label("text"),
            Prediction.text_probability,
            image.code.label("image"),
            Prediction.image_probability,
            Prediction.margin,
            Prediction.disagreement,
            case((is_about_label(), Prediction.suspicion)).label("suspicion"),
        )
        .join(Product, Product.id == Prediction.product_id)
        .join(ModelVersion, ModelVersion.id == Prediction.model_version_id)
        .join(fused, fused.id == Prediction.fused_class_id)
        .outerjoin(text, text.id == Prediction.text_class_id)
        .outerjoin(image, image.id == Prediction.image_class_id)
        .where(Prediction.product_id == id)
        .order_by(ModelVersion.id.desc())
    )
    return session.execute(statement).all()


def counts_by_class_and_split(session: Session) -> Sequence[Row]:
    """Return class_id, split, `count`, `num_flagged`, `num_without_photo`; unlabelled have None."""
    statement = (
        select(
            Product.class_id,
            Product.split,
            func.count().label("count"),
            func.sum(case((Product.is_flagged, 1), else_=0)).label("num_flagged"),
            func.sum(case((Product.photo == "", 1), else_=0)).label("num_without_photo"),
        )
        .where(in_catalogue())
        .group_by(Product.class_id, Product.split)
    )
    return session.execute(statement).all()


def _class_columns(of_class, name: str) -> tuple[ColumnElement, ...]:
    return (
        of_class.code.label(name),
        of_class.name_fr.label(f"{name}_fr"),
        of_class.name_en.label(f"{name}_en"),
    )
