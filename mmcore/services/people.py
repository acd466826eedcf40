"""Who acts, and in which role: each service function that changes something checks it.

A role is read anew from the database with each click; what an admin took away is gone with the
next one. The last active admin stays one: else nobody could let anybody in again.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError
from mmcore.services.inputs import checked_line
from mmcore.store import people as rows
from mmcore.store.engine import Store
from mmcore.store.people import IMPORTER, ensure_annotator, find_annotator
from mmcore.store.queue_next import give_back
from mmcore.store.tables import ROLES, Annotator, RoleChange

LOCAL_NAME = "local"
ADMIN = "admin"
MAX_NAME = 100  # characters


@dataclass(frozen=True)
class Actor:
    """A person as the services see them."""

    id: int
    name: str
    role: str


@dataclass(frozen=True)
class RoleEvent:
    """One entry of a person's history: add, role, deactivate or reactivate, and by whom."""

    act: str
    role_before: str
    role: str
    by: str
    at: float


@dataclass(frozen=True)
class Person:
    """A person as the Team page shows them; history: the oldest first."""

    id: int
    name: str
    role: str
    is_active: bool
    created_at: float
    history: tuple[RoleEvent, ...]


# at the command line where no database can be asked, because it is about to be replaced
OPERATOR = Actor(0, "operator", ADMIN)


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
        return _actor(find_annotator(session, name))


def local_actor(store: Store, now: float) -> Actor:
    """Return the person at this machine's command line: whoever can run it owns the files anyway.

    The first person of a workspace of one's own, made as its admin.

    Raises:
        RefusedError: if an admin deactivated them.
    """
    try:
        return actor_named(store, LOCAL_NAME)
    except NotFoundError:  # pages ask with each click: who is there needs no writing transaction
        with store.writing() as session:
            return _actor(ensure_annotator(session, LOCAL_NAME, ADMIN, now))


def ensure_actor(store: Store, name: str, role: str, now: float) -> Actor:
    """Return a person by name, made with `role` where there is none (an old one keeps theirs).

    For programs that own the database (sign-in, scripts, tests), never with a role that somebody
    asked for: it checks nobody's. People let people in with `add_person`.
    """
    with store.writing() as session:
        found = ensure_annotator(session, name, role, now)
        return Actor(found.id, found.name, found.role)


def list_people(store: Store) -> tuple[Person, ...]:
    """Return everybody who was ever let in, by name; not the name that files speak in."""
    with store.reading() as session:
        events: dict[int, list[RoleEvent]] = {}
        for change, by in rows.role_changes(session):
            event = RoleEvent(change.act, change.role_before, change.role, by, change.created_at)
            events.setdefault(change.annotator_id, []).append(event)
        return tuple(
            Person(p.id, p.name, p.role, p.is_active, p.created_at, tuple(events.get(p.id, ())))
            for p in rows.list_annotators(session)
        )


def add_person(store: Store, actor: Actor, name: str, role: str, now: float) -> Person:
    """Return a person who was just let in.

    Raises:
        RefusedError: below the role of admin, or if the name or role can't be one, or is taken.
    """
    clean = checked_line(name, "the name", MAX_NAME, needed=True)
    _check_role(role)
    if clean.casefold() == IMPORTER:
        raise RefusedError(f"{clean!r} is the name in which files speak; choose another one")
    with store.writing() as session:
        _admin_now(session, actor)
        found = rows.find_alike(session, clean)
        if found is not None:
            state = "" if found.is_active else ", deactivated: reactivate them"
            raise RefusedError(
                f"there is {found.name} ({found.role}{state}) already; choose another name, or "
                "change their role"
            )
        person = ensure_annotator(session, clean, role, now)
        _note(session, person, "add", "", actor, now)
        person_id = person.id
    return _person(store, person_id)


def change_role(store: Store, actor: Actor, name: str, role: str, now: float) -> Person:
    """Return a person in their new role; in the one they had, nothing changes.

    Raises:
        RefusedError: below the role of admin, if it is no role, or of the last active admin.
        NotFoundError: if there is none of this name.
    """
    _check_role(role)
    with store.writing() as session:
        admins = _admin_now(session, actor)
        person = _somebody(session, name)
        if person.role != role:
            if role != ADMIN:
                _keep_an_admin(person, admins, f"become {role}")
            before, person.role = person.role, role
            _note(session, person, "role", before, actor, now)
        person_id = person.id
    return _person(store, person_id)


def deactivate(store: Store, actor: Actor, name: str, now: float) -> Person:
    """Return a person who can't act any more; their work stays, what they had open is free again.

    Raises:
        RefusedError: below the role of admin, or of the last active admin.
        NotFoundError: if there is none of this name.
    """
    with store.writing() as session:
        admins = _admin_now(session, actor)
        person = _somebody(session, name)
        if person.is_active:
            _keep_an_admin(person, admins, "be deactivated")
            person.is_active = False
            give_back(session.connection(), person.id, None)
            _note(session, person, "deactivate", person.role, actor, now)
        person_id = person.id
    return _person(store, person_id)


def reactivate(store: Store, actor: Actor, name: str, now: float) -> Person:
    """Return a person who may act again, in the role they had.

    Raises:
        RefusedError: below the role of admin.
        NotFoundError: if there is none of this name.
    """
    with store.writing() as session:
        _admin_now(session, actor)
        person = _somebody(session, name)
        if not person.is_active:
            person.is_active = True
            _note(session, person, "reactivate", person.role, actor, now)
        person_id = person.id
    return _person(store, person_id)


def _actor(found: Annotator) -> Actor:
    if not found.is_active:
        raise RefusedError(f"{found.name} was deactivated; ask an admin")
    return Actor(found.id, found.name, found.role)


def _admin_now(session: Session, actor: Actor) -> list[int]:
    """Return the ids of the active admins, who stay so until the transaction ends.

    Of two admins who demote each other in the same moment, the second is none any more.
    """
    require(actor, ADMIN)
    admins = rows.lock_admins(session)
    if actor.id not in admins:
        raise RefusedError(f"{actor.name} is no active admin any more; ask an admin")
    return admins


def _somebody(session: Session, name: str) -> Annotator:
    found = find_annotator(session, name)
    if found.name == IMPORTER:
        raise RefusedError(f"{name!r} is the name in which files speak, and nobody's; name another")
    session.refresh(found)  # as it is now that everybody is locked
    return found


def _keep_an_admin(person: Annotator, admins: list[int], what: str) -> None:
    if admins == [person.id]:
        raise RefusedError(
            f"{person.name} is the last active admin and can't {what}; make somebody else an admin "
            "first"
        )


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise RefusedError(f"there is no role {role!r}; use one of {', '.join(ROLES)}")


def _note(
    session: Session, person: Annotator, act: str, before: str, actor: Actor, now: float
) -> None:
    session.add(
        RoleChange(
            annotator_id=person.id,
            act=act,
            role_before=before,
            role=person.role,
            by_id=actor.id,
            created_at=now,
        )
    )


def _person(store: Store, person_id: int) -> Person:
    return next(person for person in list_people(store) if person.id == person_id)
