"""Acts: one decision of one person, known by a token so that a resend can't act twice."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mmcore.errors import NotFoundError, RefusedError
from mmcore.store.tables import Act, Annotator

_act = Act.__table__  # plain SQL for what every label runs: it takes half the time


@dataclass(frozen=True)
class NewAct:
    """What is about to be done.

    Attributes:
        asked: what the person decided, as plain values; the same token with something else is
            refused. What isn't part of the decision (time spent, version seen) stays out.
        verb: label, accept, skip, flag, unflag, merge, rename, ...
    """

    kind: str
    verb: str
    annotator_id: int
    token: str
    asked: Mapping[str, Any]
    now: float
    undoes_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def begin_act(session: Session, new: NewAct) -> int | None:
    """Return the id of a new act, or None where its token has acted already.

    Where another process is just writing the same token this waits for it to end.

    Raises:
        RefusedError: if the token was used for something else.
    """
    insert = postgresql.insert if _is_postgresql(session) else sqlite.insert
    asked = _fingerprint(new)
    details = {"asked": asked, "verb": new.verb, **new.details}
    values = {
        "kind": new.kind,
        "annotator_id": new.annotator_id,
        "token": new.token,
        "details": details,
        "undoes_id": new.undoes_id,
        "is_undone": False,
        "created_at": new.now,
    }
    statement = insert(_act).on_conflict_do_nothing(index_elements=["token"]).returning(_act.c.id)
    act_id = session.execute(statement, values).scalar()
    if act_id is None:
        _refuse_other_content(session, new, asked)
    return act_id


def newest_act(session: Session) -> int:
    """Return the number of the newest act, 0 where nothing was ever done."""
    return session.scalar(select(func.max(Act.id))) or 0


def saved_act(session: Session, token: str) -> Row | None:
    """Return id, kind, details, annotator_id of the act with this token, None without one."""
    columns = (Act.id, Act.kind, Act.details, Act.annotator_id, Act.undoes_id)
    return session.execute(select(*columns).where(Act.token == token)).one_or_none()


def add_details(session: Session, act_id: int, more: Mapping[str, Any]) -> None:
    """Write what came of an act beside what was asked."""
    details = session.scalars(select(Act.details).where(Act.id == act_id)).one()
    session.execute(update(Act).where(Act.id == act_id).values(details={**details, **more}))


def find_act(session: Session, act_id: int) -> Row:
    """Return id, kind, details, annotator_id, undoes_id, is_undone and the name of the person.

    Raises:
        NotFoundError: if there is no such act.
    """
    statement = (
        select(
            Act.id, Act.kind, Act.details, Act.annotator_id, Act.undoes_id, Act.is_undone,
            Act.created_at, Annotator.name,
        )
        .join(Annotator, Annotator.id == Act.annotator_id)
        .where(Act.id == act_id)
    )  # fmt: skip
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no act {act_id}; take its number from the history")
    return found


def lock_act(session: Session, act_id: int) -> None:
    """Keep everybody else from undoing the same act until this transaction ends."""
    session.execute(select(Act.id).where(Act.id == act_id).with_for_update(key_share=True))


def undo_chain(session: Session, root_id: int) -> list[int]:
    """Return an act, the undo of it, the undo of that (a redo), ...: the last is in force."""
    chain = [root_id]
    while True:
        undo = session.scalar(select(Act.id).where(Act.undoes_id == chain[-1]))
        if undo is None:
            return chain
        chain.append(undo)


def root_of(session: Session, act: Row) -> Row:
    """Return the act that a chain of undos and redos is about."""
    while act.undoes_id is not None:
        act = find_act(session, act.undoes_id)
    return act


def mark_chain(session: Session, chain: list[int]) -> None:
    """Write who is undone: of a chain every other act, counted from the last, which isn't."""
    undone = chain[-2::-2]
    for ids, value in ((undone, True), (chain[-1::-2], False)):
        session.execute(
            update(Act).where(Act.id.in_(ids), Act.is_undone.is_not(value)).values(is_undone=value)
        )


def _refuse_other_content(session: Session, new: NewAct, asked: str) -> None:
    saved = saved_act(session, new.token)
    if saved is not None and saved.details.get("asked") == asked:
        return
    what = "something else" if saved is None else f"act {saved.id} ({saved.details.get('verb')})"
    raise RefusedError(
        f"token {new.token[:40]!r} was used for {what} already, this is a {new.verb} with other "
        "content; nothing was changed: send each decision with a token of its own"
    )


def _fingerprint(new: NewAct) -> str:
    content = [new.kind, new.verb, new.annotator_id, dict(new.asked)]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
