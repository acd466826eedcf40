"""Annotators: who acts, and in which role."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError
from mmcore.store.tables import Annotator

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
