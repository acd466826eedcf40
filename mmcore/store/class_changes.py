"""Changes of classes as data: what each column was and became, so that an undo can put it back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmcore.errors import RefusedError
from mmcore.store.classes import lock_classes, named, update_class
from mmcore.store.tables import Act, ProductClass


@dataclass(frozen=True)
class ClassChange:
    """Some columns of one class, before and after."""

    class_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def to_json(self) -> dict:
        return {"class_id": self.class_id, "before": dict(self.before), "after": dict(self.after)}

    def reversed(self) -> "ClassChange":
        return ClassChange(self.class_id, before=self.after, after=self.before)


def changes_of(details: Mapping[str, Any]) -> list[ClassChange]:
    """Return the changes that an act tells in its details."""
    return [ClassChange(**change) for change in details.get("changes", ())]


def codes_known(session: Session, at: float | None = None) -> dict[str, int]:
    """Return code -> class id, with the codes that classes had before they were renamed.

    Args:
        at: where one code has meant several classes, the one that had it then comes first; None
            means now.
    """
    now = dict(session.execute(select(ProductClass.id, ProductClass.code)).all())
    then, former = dict(now), {}
    for created_at, change in _code_changes(session):
        before, after = change.before["code"], change.after["code"]
        former |= {code: change.class_id for code in (before, after) if code not in former}
        if at is not None and created_at > at:
            then[change.class_id] = before
    # a class that came later may have taken the code of one that was renamed since
    moved = {code: class_id for class_id, code in then.items() if now[class_id] != code}
    current = {code: class_id for class_id, code in now.items()}
    return former | current | moved


def _code_changes(session: Session) -> Iterator[tuple[float, ClassChange]]:
    """Yield when and how classes got other codes, undos included, the newest first."""
    columns = (Act.id, Act.created_at, Act.details)
    acts = session.execute(select(*columns).where(Act.kind == "class")).all()
    newest = [act.id for act in acts]
    while newest:
        undos = session.execute(select(*columns).where(Act.undoes_id.in_(newest))).all()
        newest = [act.id for act in undos]
        acts += undos
    for act in sorted(acts, reverse=True, key=lambda act: act.id):
        for change in changes_of(act.details):
            if "code" in change.after:
                yield act.created_at, change


def apply_changes(session: Session, changes: Sequence[ClassChange]) -> None:
    """Write the changes, each on a class that is as its `before` says.

    Raises:
        RefusedError: if somebody changed a class since, or its code was taken.
    """
    rows = lock_classes(session, [change.class_id for change in changes])
    for change in changes:
        row = rows[change.class_id]
        current = {name: getattr(row, name) for name in change.after}
        if current == dict(change.after):
            if change.after.get("merged_into_id") is not None:
                raise RefusedError(f"class {named(row)} was merged by another act since")
            continue  # e.g. taken back from the archive already: only products are left to do
        differs = [name for name in change.before if current[name] != change.before[name]]
        if differs:
            raise RefusedError(
                f"class {named(row)} was changed since ({', '.join(differs)} is "
                f"{current[differs[0]]!r} now); undo that first"
            )
        refuse_taken_code(session, change.after.get("code"), row.id)
        update_class(session, change.class_id, change.after)


def refuse_taken_code(session: Session, code: str | None, class_id: int | None = None) -> None:
    """Refuse a code that another class has.

    Raises:
        RefusedError: naming that class, and whether it is archived.
    """
    if code is None:
        return
    row = session.execute(
        select(ProductClass.id, ProductClass.code, ProductClass.name_fr, ProductClass.is_archived)
        .where(ProductClass.code == code)
    ).one_or_none()  # fmt: skip
    if row is not None and row.id != class_id:
        remedy = "take it back from the archive" if row.is_archived else "choose another code"
        state = ", which is archived" if row.is_archived else ""
        raise RefusedError(f"code {code!r} belongs to class {named(row)}{state}; {remedy}")
