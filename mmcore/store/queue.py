"""The queue of products that wait for a person: who may still get which, kept current by every act.

A product waits until a person has labelled it or accepted the suggestion; a share of them (the
overlap) until two people have, one after the other. `QueueEntry.audience` says who may get it:

ANYONE              nobody has had it yet
a person's id       everybody else: this person gave the first of two opinions
SKIPPED - id        everybody else: this person skipped it (and gets it when nothing else is left)
LATE                several have passed it: whoever has nothing else left
LEADS               flagged: it waits for a lead

So the walk for the next product never passes over what a person has done or skipped already,
however much that is. Decisions of bulk acts stand alone, without a second opinion; imports and
merges of classes aren't decisions of people about a product and leave it waiting.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Row, bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mmcore.store.queue_rows import (
    ACT_PRODUCTS,
    CATALOGUE,
    ENTRY,
    NO_SCORE,
    OVERLAP_FACTOR,
    SETTING,
    WAITING_COLUMNS,
    below,
    draw,
    overlap_below,
    overlap_share,
    still_waiting,
)
from mmcore.store.tables import Act, Annotation, Lease, Product, QueueTally, Setting

_lease, _tally = Lease.__table__, QueueTally.__table__
_annotation = Annotation.__table__
_COUNTED = (ENTRY.c.product_id, ENTRY.c.decided_by_id, ENTRY.c.class_key)

_ACT = select(
    Act.kind,
    Act.annotator_id,
    select(Setting.value).where(Setting.name == SETTING).scalar_subquery().label("setting"),
    # whether the act does anything but decide
    select(_annotation.c.id)
    .where(
        _annotation.c.act_id == bindparam("act"),
        _annotation.c.kind != "label",
        _annotation.c.kind != "accept",
    )
    .exists()
    .label("is_mixed"),
).where(Act.id == bindparam("act"))
_REMOVE = delete(ENTRY).where(ENTRY.c.product_id.in_(ACT_PRODUCTS)).returning(*_COUNTED)
_PUT_BACK = (
    ENTRY.insert()
    .from_select(WAITING_COLUMNS, still_waiting(of_act=True), include_defaults=False)
    .returning(*_COUNTED)
)
_END_LEASES = delete(_lease).where(
    _lease.c.product_id.in_(ACT_PRODUCTS),
    or_(
        _lease.c.annotator_id == bindparam("annotator"),
        ~select(ENTRY.c.product_id).where(ENTRY.c.product_id == _lease.c.product_id).exists(),
    ),
)
_SUSPICION = select(ENTRY.c.suspicion).where(ENTRY.c.product_id == bindparam("product"))
_REMOVE_GONE = delete(ENTRY).where(
    ENTRY.c.product_id.in_(select(Product.id).where(Product.removed_at.is_not(None)))
)
_REMOVE_SECOND = delete(ENTRY).where(ENTRY.c.decided_by_id.is_not(None), ~below(ENTRY.c.product_id))
_HELD = select(
    func.count().label("waiting"),
    func.count().filter(ENTRY.c.class_key == 0).label("unlabelled"),
).where(ENTRY.c.decided_by_id.is_(None))
_TALLIED = select(
    func.coalesce(func.sum(_tally.c.waiting), 0).label("waiting"),
    func.coalesce(func.sum(_tally.c.unlabelled), 0).label("unlabelled"),
).where(_tally.c.annotator_id != CATALOGUE)


def settle(session: Session, act_id: int, now: float) -> None:
    """Bring the queue in line with an act, in the act's own transaction.

    Args:
        act_id: every annotation of this act (label, accept, skip, flag, undo, import) is looked
            at; products that a person has decided leave the queue, those whose decision was
            undone come back. An import also puts in what it added and takes out what it removed.
    """
    connection = session.connection()
    of_act = {"act": act_id}
    act = connection.execute(_ACT, of_act).one()
    before = connection.execute(_REMOVE, of_act).all()
    if act.kind == "import":
        _fill(session, act.setting)
        return
    after: Sequence[Row] = []
    if not _takes_all_out(act, before):
        after = connection.execute(_PUT_BACK, {**of_act, **overlap_below(act.setting)}).all()
    connection.execute(_END_LEASES, {**of_act, "annotator": act.annotator_id})
    _count(session, act.annotator_id, before, after)


def _takes_all_out(act: Row, before: Sequence[Row]) -> bool:
    """Return whether none of an act's products can need to come back: the usual case, told fast."""
    if act.is_mixed or act.kind not in ("single", "bulk"):
        return False
    share = overlap_share(act.setting)
    return act.kind == "bulk" or all(
        draw(row.product_id, OVERLAP_FACTOR) >= share for row in before
    )


def suspicion_shown(session: Session, product_id: int) -> dict[str, float]:
    """Return how suspect the label of a waiting product is held to be, {} where nobody knows.

    Kept with the decision: it is what the decision confirms or refutes, and the label's change
    makes it go.
    """
    found = session.connection().execute(_SUSPICION, {"product": product_id}).scalar()
    return {} if found is None or found == NO_SCORE else {"suspicion": found}


def fill(session: Session) -> None:
    """Put every product into the queue that should wait and doesn't, and take out removed ones.

    Imports get this through `settle`; it mends a queue in any state.
    """
    setting = session.scalar(select(Setting.value).where(Setting.name == SETTING))
    _fill(session, setting)


def drop_second_opinions(session: Session, setting: Mapping) -> None:
    """Let go of products that wait for a second opinion which a new setting doesn't ask for."""
    session.connection().execute(_REMOVE_SECOND, overlap_below(setting))


def _fill(session: Session, setting: Mapping | None) -> None:
    connection = session.connection()
    connection.execute(_REMOVE_GONE)
    connection.execute(_ADD_MISSING[connection.dialect.name], overlap_below(setting))
    recount(session)


def recount(session: Session) -> None:
    """Bring the tally to what the queue really holds; what people took out stays theirs."""
    connection = session.connection()
    held, others = connection.execute(_HELD).one(), connection.execute(_TALLIED).one()
    waiting, unlabelled = held.waiting - others.waiting, held.unlabelled - others.unlabelled
    connection.execute(delete(_tally).where(_tally.c.annotator_id == CATALOGUE))
    _add_to_tally(session, CATALOGUE, waiting, unlabelled)


def _count(
    session: Session, annotator_id: int, before: Sequence[Row], after: Sequence[Row]
) -> None:
    waiting = _num_open(after) - _num_open(before)
    unlabelled = _num_open(after, 0) - _num_open(before, 0)
    if waiting or unlabelled:
        _add_to_tally(session, annotator_id, waiting, unlabelled)


def _num_open(rows: Sequence[Row], class_key: int | None = None) -> int:
    """Return how many of these entries nobody has decided yet (all, or those of one label)."""
    return sum(decided_by_id is None and class_key in (None, key) for _, decided_by_id, key in rows)


def _add_to_tally(session: Session, annotator_id: int, waiting: int, unlabelled: int) -> None:
    values = {"annotator_id": annotator_id, "waiting": waiting, "unlabelled": unlabelled}
    statement = _ADD_TO_TALLY[session.get_bind().dialect.name]
    session.connection().execute(statement, values)


def _adding(insert):
    new = insert(_tally)
    sums = {name: _tally.c[name] + new.excluded[name] for name in ("waiting", "unlabelled")}
    return new.on_conflict_do_update(index_elements=["annotator_id"], set_=sums)


def _filling(insert):
    rows = still_waiting(of_act=False)
    # not WHERE NOT EXISTS: PostgreSQL, which has seen an empty queue, would then walk all that it
    # has inserted so far for each row
    return (
        insert(ENTRY)
        .from_select(WAITING_COLUMNS, rows, include_defaults=False)
        .on_conflict_do_nothing(index_elements=["product_id"])
    )


_ADD_MISSING = {"sqlite": _filling(sqlite.insert), "postgresql": _filling(postgresql.insert)}
_ADD_TO_TALLY = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}
