"""What the annotations tell about the work, counted in sets."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    cast,
    distinct,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from mmcore.store.queue_rows import below, overlap_below
from mmcore.store.tables import Act, Annotation, Annotator, Prediction, Product, ProductClass

DAY_S = 86_400
PAUSE_S = 300.0  # a longer gap between two decisions wasn't work

_DECIDED = or_(Annotation.kind == "label", Annotation.kind == "accept")
_STANDS = and_(_DECIDED, Act.is_undone.is_(False))
_ALONE = and_(_STANDS, Act.kind == "single")


class Mark(NamedTuple):
    """One person's decision on one product of the overlap that they still stand by."""

    id: int
    product_id: int
    annotator_id: int
    is_lead: bool
    class_id: int
    created_at: float


def overlap_marks(session: Session, overlap_share: float) -> list[Mark]:
    """Return the decisions on products of the overlap that more than one person decided."""
    several = (
        select(Annotation.product_id)
        .join(Act)
        .where(_ALONE, below(Annotation.product_id))
        .group_by(Annotation.product_id)
        .having(func.count(distinct(Annotation.annotator_id)) > 1)
    )
    rows = session.execute(
        select(
            Annotation.id,
            Annotation.product_id,
            Annotation.annotator_id,
            Annotator.role.in_(("lead", "admin")),
            Annotation.class_id,
            Annotation.created_at,
        )
        .join(Act, Act.id == Annotation.act_id)
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .where(_ALONE, Annotation.product_id.in_(several))
        .order_by(Annotation.product_id, Annotation.id),
        overlap_below({"overlap_share": overlap_share}),
    )
    return [Mark._make(row) for row in rows]


def annotator_names(session: Session) -> dict[int, str]:
    """Return the name of each person by id."""
    return dict(session.execute(select(Annotator.id, Annotator.name)).all())


def class_codes(session: Session) -> dict[int, str]:
    """Return the code of each class by id."""
    return dict(session.execute(select(ProductClass.id, ProductClass.code)).all())


def products_shown(session: Session, product_ids: Sequence[int]) -> dict[int, Row]:
    """Return what a list shows of some products, by id."""
    rows = session.execute(
        select(
            Product.id, Product.product_id, Product.title, Product.photo, Product.version,
            Product.class_id,
        ).where(Product.id.in_(product_ids))
    )  # fmt: skip
    return {row.id: row for row in rows}


def suspects(session: Session, threshold: float) -> dict[bool, tuple[int, int, int]]:
    """Return n, changed, changed_as_predicted of labels that were suspect, and of the others.

    Looks at the first decision of a person on each product that had a label, made beside a
    model's suggestion. Suspect is a label that the queue held so, with at least the threshold, when
    it was shown; a decision on a label that nobody had checked by then isn't counted.
    """
    before, after = Annotation.class_before_id, Annotation.class_id
    shown = Annotation.suggestion["suspicion"].as_float()
    is_suspect = shown >= threshold
    named = or_(Prediction.text_class_id == after, Prediction.image_class_id == after)
    rows = session.execute(
        select(
            is_suspect,
            func.count(),
            func.count().filter(after != before),
            func.count().filter(after != before, named),
        )
        .join(Act, Act.id == Annotation.act_id)
        .join(
            Prediction,
            and_(
                Prediction.product_id == Annotation.product_id,
                Prediction.model_version_id == Annotation.model_version_id,
            ),
        )
        .where(Annotation.id.in_(_first_decisions()), before.is_not(None), shown.is_not(None))
        .group_by(is_suspect)
    )
    found = {bool(key): tuple(counts) for key, *counts in rows}
    return {key: found.get(key, (0, 0, 0)) for key in (True, False)}


def _first_decisions() -> Select:
    return select(func.min(Annotation.id)).join(Act).where(_STANDS).group_by(Annotation.product_id)


def followed(session: Session) -> list[tuple[int, bool, int, int]]:
    """Return annotator id, whether the suggestion was hidden, n, and how many agree with it."""
    is_hidden = Annotation.suggestion["hidden"].as_boolean()
    agrees = Annotation.suggestion["class"].as_string() == ProductClass.code
    rows = session.execute(
        select(Annotation.annotator_id, is_hidden, func.count(), func.count().filter(agrees))
        .join(Act, Act.id == Annotation.act_id)
        .join(ProductClass, ProductClass.id == Annotation.class_id)
        .where(_ALONE, Annotation.suggestion["class"].as_string().is_not(None))
        .group_by(Annotation.annotator_id, is_hidden)
    )
    return [(annotator, bool(hidden), n, same) for annotator, hidden, n, same in rows]


def counts_by_person(session: Session) -> list[Row]:
    """Return per annotator: labels, accepted, bulk, skips, flags, undone, first_at, last_at.

    Labels are single decisions in force, accepted those of them that took the suggestion, bulk the
    products decided in bulk acts.
    """
    is_single = Act.kind == "single"
    stands = Act.is_undone.is_(False)
    count = func.count()
    return session.execute(
        select(
            Annotation.annotator_id,
            count.filter(_ALONE).label("labels"),
            count.filter(_ALONE, Annotation.kind == "accept").label("accepted"),
            count.filter(_STANDS, Act.kind == "bulk").label("bulk"),
            count.filter(Annotation.kind == "skip", stands).label("skips"),
            count.filter(Annotation.kind == "flag", stands).label("flags"),
            count.filter(_DECIDED, is_single, Act.is_undone).label("undone"),
            func.min(Annotation.created_at).label("first_at"),
            func.max(Annotation.created_at).label("last_at"),
        )
        .join(Act, Act.id == Annotation.act_id)
        .where(Act.kind.in_(("single", "bulk")))
        .group_by(Annotation.annotator_id)
    ).all()


def active_seconds(session: Session) -> dict[int, float]:
    """Return how long each person worked: the gaps between their acts, without the pauses."""
    before = func.lag(Act.created_at).over(
        partition_by=Act.annotator_id, order_by=(Act.created_at, Act.id)
    )
    gaps = (
        select(Act.annotator_id, (Act.created_at - before).label("gap"))
        .where(Act.kind.in_(("single", "undo")))
        .subquery()
    )
    rows = session.execute(
        select(gaps.c.annotator_id, func.sum(gaps.c.gap))
        .where(gaps.c.gap < PAUSE_S)
        .group_by(gaps.c.annotator_id)
    )
    return dict(rows.all())


def per_day(session: Session, since: float) -> list[Row]:
    """Return day (since 1970, in UTC), annotator_id, labels, skips, flags; the oldest first."""
    day = _day(session).label("day")
    stands = Act.is_undone.is_(False)
    return session.execute(
        select(
            day,
            Annotation.annotator_id,
            func.count().filter(_STANDS).label("labels"),
            func.count().filter(Annotation.kind == "skip", stands).label("skips"),
            func.count().filter(Annotation.kind == "flag", stands).label("flags"),
        )
        .join(Act, Act.id == Annotation.act_id)
        .where(Act.kind.in_(("single", "bulk")), Annotation.created_at >= since)
        .group_by(day, Annotation.annotator_id)
        .order_by(day, Annotation.annotator_id)
    ).all()


def _day(session: Session) -> ColumnElement[int]:
    days = Annotation.created_at / float(DAY_S)
    # PostgreSQL's cast rounds; SQLite's cuts off, and its floor() isn't in every build
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return cast(days if is_sqlite else func.floor(days), BigInteger)
