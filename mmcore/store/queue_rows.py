"""What a product's row in the queue says, reckoned in SQL from its annotations and predictions."""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import Subquery

from mmcore.store.tables import (
    Act,
    Annotation,
    ModelVersion,
    Prediction,
    Product,
    QueueEntry,
)

ANYONE, LATE, LEADS, SKIPPED = 0, -1, -2, -10  # who may get a product: see queue.py
SETTING = "queue"  # its name
CATALOGUE = 0  # the tally's row of what imports put in
NO_SCORE = -1.0  # nothing was said yet: about the product, or (suspicion) about its label
OVERLAP_SHARE = 0.05  # of the products get a second opinion, where the lead hasn't set a share

# Multiples of an odd number near 2**32 times an irrational fill 0 to 1 evenly, so that a share of
# the products is met closely wherever in the catalogue one looks (Knuth, TAOCP 3, 6.4).
OVERLAP_FACTOR, HIDDEN_FACTOR = 2_654_435_761, 2_246_822_519
_RANGE = 2**32

ENTRY, PREDICTION = QueueEntry.__table__, Prediction.__table__
_annotation, _act, _product = Annotation.__table__, Act.__table__, Product.__table__
WAITING_COLUMNS = [column.name for column in ENTRY.c]

# the products of one act
ACT_PRODUCTS = select(_annotation.c.product_id).where(_annotation.c.act_id == bindparam("act"))
PRODUCTION = select(ModelVersion.id).where(ModelVersion.stage == "production").scalar_subquery()


def draw(product_id: int, factor: int) -> float:
    """Return a product's number from 0 to 1, always the same: below a share, it belongs to it."""
    return product_id * factor % _RANGE / _RANGE


def below(product_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a product gets a second opinion; see `overlap_below`."""
    multiple = cast(product_id, BigInteger) * literal(OVERLAP_FACTOR, BigInteger)
    return multiple % literal(_RANGE, BigInteger) < bindparam("overlap_below")


def overlap_below(setting: Mapping | None) -> dict[str, float]:
    """Return the parameter that `below` needs, from the queue's setting."""
    return {"overlap_below": overlap_share(setting) * _RANGE}


def overlap_share(setting: Mapping | None) -> float:
    """Return the share of the products that two people are given."""
    return (setting or {}).get("overlap_share", OVERLAP_SHARE)


def still_waiting(of_act: bool) -> Select:
    """Return the rows that the queue should hold: of an act's products, or of all without one."""
    marks = _marks(of_act)
    p, deciders = _product.c, func.coalesce(marks.c.deciders, 0)
    needed = case((below(p.id), 2), else_=1)
    label_before = case((deciders > 0, _label_before(p.id)), else_=p.class_id)
    rows = (
        select(
            p.id,
            _audience(marks),
            func.coalesce(label_before, 0),
            case((deciders > 0, marks.c.decider)),
            *scores(func.coalesce(label_before, 0)),
            p.random_rank,
            p.created_at,
        )
        .select_from(_product)
        .outerjoin(marks, marks.c.product_id == p.id)
        .outerjoin(
            PREDICTION,
            and_(PREDICTION.c.product_id == p.id, PREDICTION.c.model_version_id == PRODUCTION),
        )
        .where(
            p.removed_at.is_(None),
            deciders < needed,
            func.coalesce(marks.c.outright, 0) == 0,
        )
    )
    return rows.where(p.id.in_(ACT_PRODUCTS)) if of_act else rows


def scores(class_key: ColumnElement[int]) -> list[ColumnElement[float]]:
    """Return the four scores of an entry, from the prediction that is joined to it."""
    p = PREDICTION.c
    # a suspicion is about one label: of another one nobody has been asked yet
    is_about_it = func.coalesce(p.label_class_id, 0) == class_key
    suspicion = case((is_about_it, p.suspicion), else_=NO_SCORE)
    found = (p.disagreement, 1 - p.margin, p.entropy, suspicion)
    return [case((p.product_id.is_(None), NO_SCORE), else_=score) for score in found]


def _marks(of_act: bool) -> Subquery:
    """Return what people have said about each product and still stand by."""
    a = _annotation.c
    is_decision = _is_decision(a.kind)
    marks = (
        select(
            a.product_id,
            func.count(distinct(case((is_decision, a.annotator_id)))).label("deciders"),
            func.max(case((is_decision, a.annotator_id))).label("decider"),
            func.max(case((is_decision & (_act.c.kind != "single"), 1), else_=0)).label("outright"),
            func.count(distinct(a.annotator_id)).label("passers"),
            func.max(a.annotator_id).label("passer"),
        )
        .join(_act, _act.c.id == a.act_id)
        .where(is_decision | (a.kind == "skip"), _act.c.is_undone.is_(False))
        .group_by(a.product_id)
    )
    return (marks.where(a.product_id.in_(ACT_PRODUCTS)) if of_act else marks).subquery()


def _is_decision(kind: ColumnElement[str]) -> ColumnElement[bool]:
    # not IN: SQLAlchemy writes that anew for each execution
    return or_(kind == "label", kind == "accept")


def _audience(marks: Subquery) -> ColumnElement[int]:
    passers = func.coalesce(marks.c.passers, 0)
    return case(
        (_product.c.is_flagged, LEADS),
        (passers == 0, ANYONE),
        (passers > 1, LATE),
        (marks.c.deciders > 0, marks.c.passer),
        else_=SKIPPED - marks.c.passer,
    )


def _label_before(product_id: ColumnElement[int]) -> ColumnElement[int | None]:
    """Return the label that a product had before any person decided it."""
    first = _annotation.alias("first")
    return (
        select(first.c.class_before_id)
        .where(first.c.product_id == product_id, _is_decision(first.c.kind))
        .order_by(first.c.id)
        .limit(1)
        .scalar_subquery()
    )
