"""The next product for a person: a short walk from the end of one index, and a lease.

The statements are built once for each order and filter and then only executed: building them costs
more than the database needs to answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mmcore.store.queue_rows import (
    ANYONE,
    CATALOGUE,
    ENTRY,
    LATE,
    LEADS,
    PREDICTION,
    SETTING,
    SKIPPED,
)
from mmcore.store.tables import (
    Annotator,
    Lease,
    ModelVersion,
    Product,
    QueueEntry,
    QueueTally,
    Setting,
)

# order -> column whose largest value comes first
ORDERS = {
    "disagreement": "disagreement",
    "margin": "uncertainty",
    "entropy": "entropy",
    "suspicion": "suspicion",
    "newest": "created_at",
    "random": "random_rank",
}
# On PostgreSQL several people look at the same moment; each needs one that others haven't locked
CANDIDATES = 16

_lease, _tally, _product = Lease.__table__, QueueTally.__table__, Product.__table__
_annotator, _model = Annotator.__table__, ModelVersion.__table__


@dataclass(frozen=True)
class Wish:
    """What a person wants to be given.

    Attributes:
        class_key: only products with this label, 0 for those without one; None for all.
        is_for_leads: flagged products and nothing else.
    """

    annotator_id: int
    order: str
    class_key: int | None = None
    is_for_leads: bool = False


@dataclass(frozen=True)
class LeaseTerms:
    """What a new lease says, and what the time is."""

    token: str
    now: float
    expires_at: float


def held(connection: Connection, wish: Wish, on_screen: Sequence[int]) -> int | None:
    """Return the product that a person has had open longest and doesn't have on the screen."""
    values = {"annotator": wish.annotator_id, "class_key": wish.class_key}
    rows = connection.execute(_held(wish.class_key is not None, wish.is_for_leads), values)
    return next((product_id for (product_id,) in rows if product_id not in on_screen), None)


def find(connection: Connection, wish: Wish, now: float) -> int | None:
    """Return the product to give to a person next; None where nothing is left for them."""
    values = {"annotator": wish.annotator_id, "class_key": wish.class_key, "now": now}
    # what this person skipped, and what several passed, comes when nothing else is left
    for reach in (_for_leads,) if wish.is_for_leads else (_for_person, _left_over):
        statement = _walk(connection.dialect.name, wish.order, wish.class_key is not None, reach)
        product_id = connection.execute(statement, values).scalar()
        if product_id is not None:
            return product_id
    return None


def claim(
    connection: Connection, product_id: int, annotator_id: int, terms: LeaseTerms
) -> str | None:
    """Return the token of a lease that is this person's now; None where somebody was quicker.

    A lease of their own is extended and keeps its token.
    """
    values = {
        "product_id": product_id,
        "annotator_id": annotator_id,
        "token": terms.token,
        "taken_at": terms.now,
        "expires_at": terms.expires_at,
        "now": terms.now,
    }
    return connection.execute(_CLAIM[connection.dialect.name], values).scalar()


def extend(
    connection: Connection, annotator_id: int, product_ids: Sequence[int], expires_at: float
) -> list[int]:
    """Return those of the products that are still this person's, for longer now."""
    values = {"annotator": annotator_id, "products": list(product_ids), "until": expires_at}
    return sorted(connection.execute(_EXTEND, values).scalars())


def give_back(connection: Connection, annotator_id: int, product_ids: Sequence[int] | None) -> int:
    """Return how many leases of a person ended: of these products, or all."""
    if product_ids is None:
        return connection.execute(_GIVE_ALL_BACK, {"annotator": annotator_id}).rowcount
    values = {"annotator": annotator_id, "products": list(product_ids)}
    return connection.execute(_GIVE_BACK, values).rowcount


def show(connection: Connection, product_id: int) -> Row | None:
    """Return what a person needs to see of a waiting product, with what the model says."""
    return connection.execute(_SHOW, {"product": product_id}).one_or_none()


def opening(connection: Connection) -> Row:
    """Return the queue's setting, and how far it is: everything that doesn't depend on a product.

    waiting and unlabelled are products that nobody has decided; put_in and put_in_unlabelled are
    all that there were.
    """
    return connection.execute(_OPENING).one()


# --- statements ------------------------------------------------------------------------------


def _for_person() -> CompoundSelect | Select:
    others = _annotator.c.id != bindparam("annotator")
    return union_all(
        select(literal(ANYONE).label("audience")),
        select(_annotator.c.id).where(others),
        select(SKIPPED - _annotator.c.id).where(others),
    )


def _left_over() -> CompoundSelect | Select:
    return union_all(
        select((SKIPPED - bindparam("annotator", type_=_annotator.c.id.type)).label("audience")),
        select(literal(LATE)),
    )


def _for_leads() -> CompoundSelect | Select:
    return select(literal(LEADS).label("audience"))


@cache
def _walk(dialect: str, order: str, has_class: bool, reach_of) -> Select:
    """Return the statement that finds the first free product of any audience that includes us.

    Each audience is one walk along the order's index from its end, which stops at the first
    product that nobody has open; the best of these firsts wins.
    """
    reach, score = reach_of().subquery("reach"), ORDERS[order]
    walk, entry = QueueEntry.__table__.alias("walk"), ENTRY
    is_open = select(_lease.c.product_id).where(
        _lease.c.product_id == walk.c.product_id, _lease.c.expires_at > bindparam("now")
    )
    firsts = (
        select(walk.c.product_id)
        .where(walk.c.audience == reach.c.audience, *_matching(walk, order, has_class))
        .where(walk.c.decided_by_id.is_distinct_from(bindparam("annotator")), ~is_open.exists())
        .order_by(*_from_the_end(walk, score))
        .correlate(reach)
    )
    if dialect == "sqlite":
        # one writer at a time: nobody can take the first one meanwhile
        found = reach.join(entry, entry.c.product_id == firsts.limit(1).scalar_subquery())
        statement = select(entry.c.product_id).select_from(found)
    else:
        several = firsts.limit(CANDIDATES).lateral("several")
        found = reach.join(several, literal(True)).join(
            entry, entry.c.product_id == several.c.product_id
        )
        statement = select(entry.c.product_id).select_from(found)
        statement = statement.with_for_update(of=entry, skip_locked=True, key_share=True)
    # + 0: of few firsts the best is chosen by sorting; a planner that took an index for it would
    # walk that until it came upon one of them
    best = [(entry.c[name] + 0).desc() for name in (score, "product_id")]
    return statement.order_by(*best).limit(1)


def _matching(entry, order: str, has_class: bool) -> list[ColumnElement[bool]]:
    wanted = [entry.c.class_key == bindparam("class_key")] if has_class else []
    if order == "suspicion":
        wanted.append(entry.c.suspicion > literal_column("0"))
    return wanted


def _from_the_end(entry, score: str) -> list[ColumnElement]:
    return [entry.c[name].desc() for name in (score, "product_id")]


@cache
def _held(has_class: bool, is_for_leads: bool) -> Select:
    flagged = ENTRY.c.audience == LEADS
    statement = (
        select(_lease.c.product_id)
        .join(ENTRY, ENTRY.c.product_id == _lease.c.product_id)
        .where(
            _lease.c.annotator_id == bindparam("annotator"),
            flagged if is_for_leads else ~flagged,
            ENTRY.c.decided_by_id.is_distinct_from(bindparam("annotator")),
        )
        .order_by(_lease.c.taken_at, _lease.c.product_id)
        # one that is being decided right now is as good as gone
        .with_for_update(of=ENTRY, skip_locked=True, key_share=True)
    )
    return statement.where(ENTRY.c.class_key == bindparam("class_key")) if has_class else statement


def _claiming(insert):
    new = insert(_lease).values({column.name: bindparam(column.name) for column in _lease.c})
    is_own = _lease.c.annotator_id == new.excluded.annotator_id
    # a page that is loaded again shows the same product: the same token, or one decision could
    # count twice
    kept = {
        name: case((is_own, _lease.c[name]), else_=new.excluded[name])
        for name in ("token", "taken_at")
    }
    taken = {name: new.excluded[name] for name in ("annotator_id", "expires_at")}
    return new.on_conflict_do_update(
        index_elements=["product_id"],
        set_={**taken, **kept},
        where=or_(is_own, _lease.c.expires_at <= bindparam("now")),
    ).returning(_lease.c.token)


_CLAIM = {"sqlite": _claiming(sqlite.insert), "postgresql": _claiming(postgresql.insert)}
_OWN = _lease.c.annotator_id == bindparam("annotator")
_LISTED = _lease.c.product_id.in_(bindparam("products", expanding=True))
_EXTEND = (
    update(_lease)
    .where(_OWN, _LISTED)
    .values(expires_at=bindparam("until"))
    .returning(_lease.c.product_id)
)
_GIVE_BACK = delete(_lease).where(_OWN, _LISTED)
_GIVE_ALL_BACK = delete(_lease).where(_OWN)
_SHOW = (
    select(
        *(_product.c[name] for name in ("id", "product_id", "title", "description", "photo")),
        *(_product.c[name] for name in ("extra", "version", "is_flagged")),
        ENTRY.c.class_key,
        ENTRY.c.decided_by_id,
        _model.c.id.label("model_version_id"),
        PREDICTION.c.top,
    )
    .join(ENTRY, ENTRY.c.product_id == _product.c.id)
    .outerjoin(_model, _model.c.stage == "production")
    .outerjoin(
        PREDICTION,
        and_(
            PREDICTION.c.model_version_id == _model.c.id, PREDICTION.c.product_id == _product.c.id
        ),
    )
    .where(_product.c.id == bindparam("product"))
)
_IS_PUT_IN = _tally.c.annotator_id == CATALOGUE
_OPENING = select(
    select(Setting.value).where(Setting.name == SETTING).scalar_subquery().label("setting"),
    *(
        func.coalesce(func.sum(part), 0).label(name)
        for name, part in (
            ("waiting", _tally.c.waiting),
            ("put_in", case((_IS_PUT_IN, _tally.c.waiting))),
            ("unlabelled", _tally.c.unlabelled),
            ("put_in_unlabelled", case((_IS_PUT_IN, _tally.c.unlabelled))),
        )
    ),
)
