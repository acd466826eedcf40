"""The queue of products that wait for a person."""

from sqlalchemy.orm import Session


def settle(session: Session, act_id: int, now: float) -> None:
    """Bring the queue in line with an act, in the act's own transaction.

    Args:
        act_id: every annotation of this act (label, accept, skip, flag, undo, import) is looked
            at; products that a person has decided leave the queue, those whose decision was
            undone come back.
    """
