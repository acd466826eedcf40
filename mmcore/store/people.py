"""Annotators: who acts, and in which role."""

from collections.abc import Sequence

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError
from mmcore.store.tables import Annotator, RoleChange

IMPORTER = "import"  # in whose name the files of a catalogue speak; nobody signs in as this


def find_annotator(session: Session, name: str) -> Annotator:
    """Return the annotator of this name.

    Raises:
        NotFoundError: if there is none.
    """
    found = session.scalar(select(Annotator).where(Annotator.name == name))
    if found is None:
        known = session.scalars(select(Annotator.name).order_by(Annotator.name).limit(5)).all()
        raise NotFoundError(
            f"there is no annotator {name!r}; there are: {', '.join(known) or 'none'}"
        )
    return found


def ensure_annotator(session: Session, name: str, role: str, now: float) -> Annotator:
    """Return the annotator of this name, made with `role` where there is none yet."""
    found = session.scalar(select(Annotator).where(Annotator.name == name))
    if found is None:
        found = Annotator(name=name, role=role, created_at=now)
        session.add(found)
        session.flush()
    return found


def list_annotators(session: Session) -> Sequence[Annotator]:
    """Return everybody but the name in which files speak, by name."""
    query = select(Annotator).where(Annotator.name != IMPORTER).order_by(Annotator.name)
    return session.scalars(query).all()


def find_alike(session: Session, name: str) -> Annotator | None:
    """Return the person whose name differs in capitals at most, None where there is none."""
    wanted = name.casefold()
    known = session.scalars(select(Annotator))
    return next((person for person in known if person.name.casefold() == wanted), None)


def lock_admins(session: Session) -> list[int]:
    """Return the ids of the active admins; none of them changes until this transaction ends."""
    # all rows, in one order: whoever waits sees who is an admin after the one before it
    everybody = select(Annotator.id).order_by(Annotator.id)
    session.execute(everybody.with_for_update(key_share=True))  # people label on meanwhile
    is_admin = Annotator.role == "admin"
    query = select(Annotator.id).where(is_admin, Annotator.is_active).order_by(Annotator.id)
    return list(session.scalars(query))


def role_changes(session: Session) -> Sequence[Row]:
    """Return every change with the name of who made it, the oldest first."""
    query = select(RoleChange, Annotator.name).join(Annotator, Annotator.id == RoleChange.by_id)
    return session.execute(query.order_by(RoleChange.id)).all()
