"""The classes of a shop: list, add, rename, archive, reorder, guidelines. Merge: `class_merge.py`.

Each change is an act with what was and what became of it, so that `undoing.undo` puts it back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from mmcore.catalog.class_names import ClassName
from mmcore.errors import RefusedError
from mmcore.services.inputs import checked_line, checked_text, checked_token
from mmcore.services.people import Actor, require
from mmcore.store import classes as rows
from mmcore.store.acts import NewAct, add_details, begin_act, saved_act
from mmcore.store.class_changes import ClassChange, apply_changes, refuse_taken_code
from mmcore.store.engine import Store
from mmcore.store.products import read_classes

MAX_CODE = 64  # characters
MAX_NAME = 120
MAX_GUIDELINE = 20_000
SHOWN_MOVES = 3  # classes that a change of order names

_WORDS = {"code": "code", "name_fr": "French name", "name_en": "English name"}

Change = Callable[[Session], tuple[list[ClassChange], str]]


@dataclass(frozen=True)
class ClassInfo:
    """One class as people see it.

    Attributes:
        position: place on the Label screen.
        count: products with this label now.
        merged_into: code of the class that took its products, None otherwise.
    """

    id: int
    code: str
    name_fr: str
    name_en: str
    guideline: str
    position: int
    is_archived: bool
    merged_into: str | None
    count: int


@dataclass(frozen=True)
class ClassResult:
    """A change of classes that was saved.

    Attributes:
        act_id: undo this one to take it back.
        count: products that got another label (merge), else 0.
        text: what happened, in words.
    """

    act_id: int
    code: str
    count: int
    text: str


@dataclass(frozen=True)
class ClassNames:
    """How a class is called; None leaves a name as it is, or takes the code for a new class."""

    code: str | None = None
    name_fr: str | None = None
    name_en: str | None = None


def list_classes(store: Store, with_archived: bool = False) -> tuple[ClassInfo, ...]:
    """Return the classes in the order of the screen, each with its number of products."""
    with store.reading() as session:
        return tuple(
            ClassInfo(
                row.id,
                row.code,
                row.name_fr,
                row.name_en,
                row.guideline,
                row.position,
                row.is_archived,
                row.merged_into,
                row.count,
            )
            for row in rows.list_classes(session, with_archived)
        )


def name_classes(store: Store, with_archived: bool = False) -> tuple[ClassName, ...]:
    """Return how the classes are called, in the order of the screen; no product is counted."""
    with store.reading() as session:
        return tuple(
            ClassName(row.code, row.name_fr, row.name_en)
            for row in read_classes(session)
            if with_archived or not row.is_archived
        )


def add_class(store: Store, actor: Actor, names: ClassNames, token: str, now: float) -> ClassResult:
    """Make a new class, placed last; an undo archives it.

    Raises:
        RefusedError: if the code is taken, a name is too long or holds control characters.
    """
    names = _checked(names)
    if names.code is None:
        raise RefusedError(f"a class needs a code of 1 to {MAX_CODE} characters")
    values = {
        "code": names.code,
        "name_fr": names.name_fr or names.code,
        "name_en": names.name_en or names.name_fr or names.code,
    }

    def change(session: Session) -> tuple[list[ClassChange], str]:
        refuse_taken_code(session, names.code)
        class_id = rows.insert_class(session, {**values, "is_archived": True})
        # born archived and taken out at once: what an undo goes back to
        made = ClassChange(class_id, {"is_archived": True}, {"is_archived": False})
        return [made], f"added class {names.code} ({values['name_fr']}, {values['name_en']})"

    return _act(store, actor, _Wish("add", names.code, token, values), change, now)


def rename_class(
    store: Store, actor: Actor, code: str, names: ClassNames, token: str, now: float
) -> ClassResult:
    """Give a class another code or other names; labels stay with it.

    Raises:
        RefusedError: if the new code is taken, or nothing would change.
        NotFoundError: if there is no such class.
    """
    names = _checked(names)
    wanted = {name: value for name, value in vars(names).items() if value is not None}
    return _edit(store, actor, _Wish("rename", code, token, wanted), now)


def set_guideline(
    store: Store, actor: Actor, code: str, text: str, token: str, now: float
) -> ClassResult:
    """Write what belongs into a class, shown beside the decision."""
    clean = checked_text(text, "the guideline", MAX_GUIDELINE)
    return _edit(store, actor, _Wish("guideline", code, token, {"guideline": clean}), now)


def archive_class(store: Store, actor: Actor, code: str, token: str, now: float) -> ClassResult:
    """Take a class out of use: its products keep the label, nobody can give it any more."""
    return _edit(store, actor, _Wish("archive", code, token, {"is_archived": True}), now)


def unarchive_class(store: Store, actor: Actor, code: str, token: str, now: float) -> ClassResult:
    """Take a class into use again.

    Of a merged class only the class comes back, without products; undo the merge for both.
    """
    wanted = {"is_archived": False, "merged_into_id": None}
    return _edit(store, actor, _Wish("unarchive", code, token, wanted), now)


def reorder_classes(
    store: Store, actor: Actor, codes: Sequence[str], token: str, now: float
) -> ClassResult:
    """Give the classes their places on the Label screen.

    Args:
        codes: all classes that aren't archived, in the order wanted.

    Raises:
        RefusedError: naming the codes that are missing, unknown or there twice.
    """
    wish = _Wish("reorder", "", token, {"codes": list(codes)})

    def change(session: Session) -> tuple[list[ClassChange], str]:
        found = {row.code: row for row in rows.list_classes(session, with_archived=False)}
        _check_order(codes, set(found))
        moved = [
            ClassChange(found[code].id, {"position": found[code].position}, {"position": place})
            for place, code in enumerate(codes, start=1)
            if found[code].position != place
        ]
        _needed(moved, "the classes are in this order already")
        return moved, _told_order(moved, {row.id: code for code, row in found.items()})

    return _act(store, actor, wish, change, now)


@dataclass(frozen=True)
class _Wish:
    verb: str
    code: str
    token: str
    values: Mapping[str, Any]


def _edit(store: Store, actor: Actor, wish: _Wish, now: float) -> ClassResult:
    def change(session: Session) -> tuple[list[ClassChange], str]:
        row = rows.find_class(session, wish.code)
        row = rows.lock_classes(session, [row.id])[row.id]
        after = {name: v for name, v in wish.values.items() if getattr(row, name) != v}
        before = {name: getattr(row, name) for name in after}
        refuse_taken_code(session, after.get("code"), row.id)
        changed = [ClassChange(row.id, before, after)] if after else []
        _needed(changed, f"class {rows.named(row)} is like that already")
        return changed, _told(wish, row, before, after)

    return _act(store, actor, wish, change, now)


def _act(store: Store, actor: Actor, wish: _Wish, change: Change, now: float) -> ClassResult:
    require(actor, "lead")
    asked = {"class": wish.code, "values": dict(wish.values)}
    new = NewAct("class", wish.verb, actor.id, checked_token(wish.token), asked, now)
    with store.writing() as session:
        act_id = begin_act(session, new)
        if act_id is not None:
            rows.lock_table(session)
            changes, text = change(session)
            apply_changes(session, changes)
            add_details(session, act_id, class_details(wish.code, text, changes))
        return saved_class_act(session, new.token)


def class_details(code: str, text: str, changes: Sequence[ClassChange], count: int = 0) -> dict:
    """Return what a class act keeps for its answer, its history and its undo."""
    made = [change.to_json() for change in changes]
    return {"class": code, "text": text, "count": count, "changes": made}


def saved_class_act(session: Session, token: str) -> ClassResult:
    """Return what a class act saved."""
    act = saved_act(session, token)
    details = act.details
    return ClassResult(act.id, details["class"], details["count"], details["text"])


def _checked(names: ClassNames) -> ClassNames:
    def line(value: str | None, what: str, limit: int) -> str | None:
        return None if value is None else checked_line(value, what, limit, needed=True)

    return ClassNames(
        line(names.code, "the code of a class", MAX_CODE),
        line(names.name_fr, "the French name of a class", MAX_NAME),
        line(names.name_en, "the English name of a class", MAX_NAME),
    )


def _check_order(codes: Sequence[str], known: set[str]) -> None:
    problems = {
        "missing": sorted(known - set(codes)),
        "unknown or archived": sorted(set(codes) - known),
        "there twice": sorted({code for code in codes if codes.count(code) > 1}),
    }
    found = [f"{what}: {', '.join(bad[:10])}" for what, bad in problems.items() if bad]
    if found:
        raise RefusedError(f"an order must name each class once; {'; '.join(found)}")


def _needed(changes: list[ClassChange], otherwise: str) -> list[ClassChange]:
    if not changes:
        raise RefusedError(f"{otherwise}: there is nothing to change")
    return changes


def _told_order(moved: list[ClassChange], codes: Mapping[int, str]) -> str:
    """Return a change of order in words; who moved farthest stands first, the rest made room."""

    def steps(change: ClassChange) -> int:
        return abs(change.after["position"] - change.before["position"])

    farthest = sorted(moved, key=steps, reverse=True)
    told = [f"{codes[c.class_id]} to {c.after['position']}" for c in farthest[:SHOWN_MOVES]]
    more = f" and {len(moved) - SHOWN_MOVES} more" if len(moved) > SHOWN_MOVES else ""
    return f"changed the order: class {', '.join(told)}{more}"


def _told(wish: _Wish, row: Row, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    name = rows.named(row)
    if wish.verb == "rename":
        parts = [f"{_WORDS[what]} {before[what]!r} became {after[what]!r}" for what in after]
        return f"renamed class {name}: {', '.join(parts)}"
    if wish.verb == "guideline":
        return f"wrote the guideline of class {name}"
    return f"{wish.verb}d class {name}"
