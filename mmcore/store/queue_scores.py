"""Copy a model's scores into the queue, in pieces small enough that nobody waits for them."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from mmcore.store.queue_rows import ENTRY, NO_SCORE, PREDICTION, scores

SCORES = ("disagreement", "uncertainty", "entropy", "suspicion")

_IN_PIECE = (ENTRY.c.product_id > bindparam("after"), ENTRY.c.product_id <= bindparam("last"))
_PREDICTED = and_(
    PREDICTION.c.product_id == ENTRY.c.product_id,
    PREDICTION.c.model_version_id == bindparam("model"),
)
_NEW = dict(zip(SCORES, scores(ENTRY.c.class_key), strict=True))
_COPY = (
    update(ENTRY)
    .values(_NEW)
    # rows that are right already stay untouched: a second run costs next to nothing
    .where(*_IN_PIECE, _PREDICTED, or_(*(ENTRY.c[name] != _NEW[name] for name in SCORES)))
)
_FORGET = (
    update(ENTRY)
    .values(dict.fromkeys(SCORES, NO_SCORE))
    .where(
        *_IN_PIECE,
        or_(*(ENTRY.c[name] != NO_SCORE for name in SCORES)),
        ~select(PREDICTION.c.product_id).where(_PREDICTED).exists(),
    )
)
_piece = (
    select(ENTRY.c.product_id)
    .where(ENTRY.c.product_id > bindparam("after"))
    .order_by(ENTRY.c.product_id)
    .limit(bindparam("limit"))
    .subquery()
)
_LAST = select(func.max(_piece.c.product_id))
_SCORED = select(func.count()).where(*_IN_PIECE, ENTRY.c.disagreement != NO_SCORE)


class Piece(NamedTuple):
    """What was done to a piece of the queue: its last product, and how many were scored."""

    last: int
    num_scored: int


def copy_scores(session: Session, model_version_id: int, after: int, limit: int) -> Piece | None:
    """Score the next piece of the queue by what this model has said; None where it has ended.

    Args:
        after: the last product of the piece before, 0 at first.
    """
    connection = session.connection()
    last = connection.execute(_LAST, {"after": after, "limit": limit}).scalar()
    if last is None:
        return None
    values = {"model": model_version_id, "after": after, "last": last}
    connection.execute(_COPY, values)
    connection.execute(_FORGET, values)
    return Piece(last, connection.execute(_SCORED, values).scalar())
