"""Who acts: each service function that changes something is told, and checks the role."""

from dataclasses import dataclass

from mmcore.errors import RefusedError
from mmcore.store.engine import Store
from mmcore.store.people import ensure_annotator, find_annotator
from mmcore.store.tables import ROLES

LOCAL_NAME = "local"


@dataclass(frozen=True)
class Actor:
    """A person as the services see them."""

    id: int
    name: str
    role: str


def may(actor: Actor, role: str) -> bool:
    """Return whether a person's role reaches another (viewer < annotator < lead < admin)."""
    return ROLES.index(actor.role) >= ROLES.index(role)


def require(actor: Actor, role: str) -> None:
    """Refuse an act to people below a role (viewer < annotator < lead < admin).

    Raises:
        RefusedError: naming both roles.
    """
    if not may(actor, role):
        raise RefusedError(
            f"{actor.name} is {actor.role}, this needs {role}; ask an admin to change the role"
        )


def actor_named(store: Store, name: str) -> Actor:
    """Return a person by name.

    Raises:
        NotFoundError: if there is none of this name.
        RefusedError: if the person was deactivated.
    """
    with store.reading() as session:
        found = find_annotator(session, name)
        if not found.is_active:
            raise RefusedError(f"{name} was deactivated; ask an admin")
        return Actor(found.id, found.name, found.role)


def ensure_actor(store: Store, name: str, role: str, now: float) -> Actor:
    """Return a person by name, made with `role` where there is none (an old one keeps theirs)."""
    with store.writing() as session:
        found = ensure_annotator(session, name, role, now)
        return Actor(found.id, found.name, found.role)
