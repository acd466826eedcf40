"""Labels and their history as rows for files; what an import of labels has to know of products."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session, aliased

from mmcore.store.one_of import is_one_of
from mmcore.store.people import IMPORTER
from mmcore.store.tables import (
    Act,
    Annotation,
    Annotator,
    ModelVersion,
    Product,
    ProductClass,
)

BATCH = 5_000  # rows fetched at a time, so that an export holds little in memory
_NAMES_AT_ONCE = 1_000
_GIVES_A_LABEL = ("label", "accept", "import", "merge")
_DECIDES = ("label", "accept", "import", "undo")


def labels(session: Session, where: Sequence[ColumnElement[bool]]) -> Iterator[Row]:
    """Yield id, label, who gave it and when of each labelled product; by the catalogue: None."""
    given = aliased(Annotation)
    newest = (
        select(func.max(given.id))
        .join(Act, Act.id == given.act_id)
        .where(
            given.product_id == Product.id,
            given.class_id == Product.class_id,
            given.kind.in_(_GIVES_A_LABEL),
            Act.is_undone.is_(False),
        )
        .scalar_subquery()
    )
    statement = (
        select(
            Product.product_id, ProductClass.code, Annotator.name, Annotation.created_at,
            Annotation.comment, Annotation.kind, Product.split, Product.is_flagged,
        )
        .select_from(Product)
        .join(ProductClass, ProductClass.id == Product.class_id)
        .outerjoin(Annotation, Annotation.id == newest)
        .outerjoin(Annotator, Annotator.id == Annotation.annotator_id)
        .where(*where)
        .order_by(Product.id)
    )  # fmt: skip
    yield from session.execute(statement.execution_options(yield_per=BATCH))


def annotations(session: Session, where: Sequence[ColumnElement[bool]]) -> Iterator[Row]:
    """Yield every annotation of the products, oldest first."""
    before = aliased(ProductClass)
    statement = (
        select(
            Annotation.id, Annotation.act_id, Act.kind.label("act_kind"), Product.product_id,
            Annotation.kind, ProductClass.code, before.code.label("before"), Annotation.version,
            Annotator.name, Annotation.created_at, Annotation.seconds, Annotation.suggestion,
            ModelVersion.name.label("model"), Annotation.comment, Annotation.is_flagged,
            Act.is_undone, Act.undoes_id,
        )
        .select_from(Annotation)
        .join(Act, Act.id == Annotation.act_id)
        .join(Product, Product.id == Annotation.product_id)
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .outerjoin(ProductClass, ProductClass.id == Annotation.class_id)
        .outerjoin(before, before.id == Annotation.class_before_id)
        .outerjoin(ModelVersion, ModelVersion.id == Annotation.model_version_id)
        .where(*where)
        .order_by(Annotation.id)
    )  # fmt: skip
    yield from session.execute(statement.execution_options(yield_per=BATCH))


def lock_products_named(session: Session, shop_ids: Sequence[str]) -> dict[str, Row]:
    """Return the products by the shop's id, which nobody else changes meanwhile."""
    statement = (
        select(
            Product.id, Product.product_id, Product.class_id, Product.version, Product.is_flagged
        )
        .where(is_one_of(session, Product.product_id, shop_ids))
        .order_by(Product.id)
        .with_for_update(key_share=True)
    )
    return {row.product_id: row for row in session.execute(statement)}


def last_decisions(session: Session, ids: Sequence[int]) -> dict[int, Row]:
    """Return by product which person last decided: name, kind, created_at, class_id.

    A product whose label is by a catalogue's file isn't there: that is nobody's decision.
    """
    newest = (
        select(func.max(Annotation.id))
        .where(Annotation.kind.in_(_DECIDES), is_one_of(session, Annotation.product_id, ids))
        .group_by(Annotation.product_id)
    )
    statement = (
        select(
            Annotation.product_id, Annotation.kind, Annotation.class_id, Annotation.created_at,
            Annotation.comment, Annotator.name,
        )
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .where(Annotation.id.in_(newest), Annotator.name != IMPORTER)
    )  # fmt: skip
    return {row.product_id: row for row in session.execute(statement)}


def ensure_inactive(
    session: Session, names: Sequence[str], now: float
) -> tuple[dict[str, int], list[str]]:
    """Return the ids of annotators by name, and which had to be made.

    Those are made inactive: a name in a file is no reason to let somebody in.
    """
    known: dict[str, int] = {}
    for start in range(0, len(names), _NAMES_AT_ONCE):
        some = names[start : start + _NAMES_AT_ONCE]
        columns = select(Annotator.name, Annotator.id)
        known |= dict(session.execute(columns.where(Annotator.name.in_(some))).all())
    created = [name for name in names if name not in known]
    for name in created:
        person = Annotator(name=name, role="annotator", is_active=False, created_at=now)
        session.add(person)
        session.flush()
        known[name] = person.id
    return known, created
