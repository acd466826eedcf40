"""What people have labelled since a model was trained."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mmcore.store.tables import Annotation, Job, ModelVersion, Product

LEARNT_SPLITS = ("train", "val")
LAST_ANNOTATION = "last_annotation_id"  # in the result of a retrain job: where its labels end


def last_annotation(session: Session) -> int:
    """Return the number of the newest annotation, 0 where there is none."""
    return session.scalar(select(func.max(Annotation.id))) or 0


def learnt_up_to(session: Session) -> int:
    """Return the number of the last annotation that the production model may have seen."""
    found = session.execute(
        select(ModelVersion.created_at, Job.result)
        .join(Job, Job.id == ModelVersion.job_id, isouter=True)
        .where(ModelVersion.stage == "production")
    ).one_or_none()
    if found is None:
        return 0
    created_at, result = found
    if result and LAST_ANNOTATION in result:
        return int(result[LAST_ANNOTATION])
    # a model trained from the command line: what came before it was made
    query = select(func.max(Annotation.id)).where(Annotation.created_at <= created_at)
    return session.scalar(query) or 0


def count_new_labels(session: Session, after_id: int) -> dict[int | None, int]:
    """Return class id -> products relabelled since, by their label now (None: without one).

    Test products don't count: nothing is ever learnt from them.

    Args:
        after_id: number of the last annotation that counts as known.
    """
    relabelled = select(Annotation.product_id).where(Annotation.id > after_id, _changes_a_label())
    query = (
        select(Product.class_id, func.count())
        .where(
            Product.id.in_(relabelled),
            Product.split.in_(LEARNT_SPLITS),
            Product.removed_at.is_(None),
        )
        .group_by(Product.class_id)
    )
    return {class_id: n for class_id, n in session.execute(query)}


def _changes_a_label() -> ColumnElement[bool]:
    return Annotation.class_id.is_distinct_from(Annotation.class_before_id)
