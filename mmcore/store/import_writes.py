"""What an import changes, written in bulk: classes, products, labels with their annotations."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from mmcore.store.bulk_insert import bulk_insert
from mmcore.store.classes import lock_table
from mmcore.store.one_of import is_one_of
from mmcore.store.people import IMPORTER, ensure_annotator
from mmcore.store.predictions import forget_changed
from mmcore.store.products import CatalogueFacts, write_facts
from mmcore.store.tables import Act, Annotation, Lease, Product, ProductClass

MANY = 1_000  # changes that make the planner's statistics worth renewing
PIECE = 5_000  # products between two reports of how far it is

Count = Callable[[int], None]
_IMPORT_LOCK = 7_291_947  # any number, the same in every process; not that of the migrations
_product, _class, _annotation = Product.__table__, ProductClass.__table__, Annotation.__table__


@dataclass(frozen=True)
class ClassChanges:
    """What happens to classes; `positions` are those of all classes afterwards, by code."""

    new: Sequence[Mapping[str, str]] = ()  # code, name_fr, name_en
    named: Sequence[Mapping[str, Any]] = ()  # id, name_fr, name_en
    revived: Sequence[int] = ()
    archived: Sequence[int] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.new or self.named or self.revived or self.archived)


@dataclass(frozen=True)
class LabelChange:
    """A label that a file changes.

    Attributes:
        version: of the product when the change was decided on.
        code: of the new class, "" to take the label away.
    """

    id: int
    product_id: str
    version: int
    code: str


@dataclass(frozen=True)
class ImportPlan:
    """Everything that is going to be written.

    Attributes:
        new: values of new products, with `label` for the code of the class ("" for none).
        changed: values of products that are there, by `id`; all with the same columns.
        texts: title, description and search text of those whose words changed, by `id`.
        removed: ids of products that leave the catalogue.
    """

    facts: CatalogueFacts
    classes: ClassChanges
    new: Sequence[dict[str, Any]]
    changed: Sequence[dict[str, Any]]
    texts: Sequence[dict[str, Any]]
    labels: Sequence[LabelChange]
    removed: Sequence[int]

    @property
    def num_changes(self) -> int:
        return sum(map(len, (self.new, self.changed, self.texts, self.labels, self.removed)))


@dataclass(frozen=True)
class ImportAct:
    """Who imports what, and when."""

    details: Mapping[str, Any]
    now: float


def lock_imports(session: Session) -> None:
    """Return when no other import writes and nobody changes classes (SQLite: nobody writes)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})
    lock_table(session)


def write_import(
    session: Session, plan: ImportPlan, act: ImportAct, count: Count
) -> tuple[int, Mapping[str, str]]:
    """Return the id of the act, and the labels left alone because they changed meanwhile.

    These are the shop's product id -> code of its class now, "" without one.

    Args:
        count: called with the number of changes just written; `plan.num_changes` in all.
    """
    ids = _add_classes(session, plan.classes)
    who = _add_act(session, act)
    # what takes longest comes first: nobody waits for rows that only this transaction sees
    _add_products(session, plan.new, ids, who, count)
    _change_classes(session, plan.classes)
    late = _lock_products(session, plan)
    _update_products(session, plan, act.now, count)
    _change_labels(session, [c for c in plan.labels if c.id not in late], ids, who)
    count(len(plan.labels))
    write_facts(session, plan.facts)
    _refresh_statistics(session, plan)
    return who.act_id, dict(late.values())


def _refresh_statistics(session: Session, plan: ImportPlan) -> None:
    """Have PostgreSQL look at what came: before it has, it sorts whole tables for one page."""
    if session.get_bind().dialect.name == "postgresql" and plan.num_changes > MANY:
        session.execute(text("ANALYZE product, annotation"))


@dataclass(frozen=True)
class _Who:
    act_id: int
    annotator_id: int
    now: float


def _add_classes(session: Session, changes: ClassChanges) -> dict[str, int]:
    """Return the id of each class by code."""
    if changes.new:
        rows = [{**row, "position": changes.positions[row["code"]]} for row in changes.new]
        session.execute(insert(_class), rows)
    return dict(session.execute(select(_class.c.code, _class.c.id)).all())


def _change_classes(session: Session, changes: ClassChanges) -> None:
    """Change classes that were there: on PostgreSQL, whoever labels with one of them waits now."""
    for ids, is_archived in ((changes.revived, False), (changes.archived, True)):
        if ids:
            session.execute(
                update(_class).where(_class.c.id.in_(ids)).values(is_archived=is_archived)
            )
    _update_rows(session, _class, changes.named)
    stored = session.execute(select(_class.c.code, _class.c.id, _class.c.position)).all()
    moved = [
        {"id": row.id, "position": changes.positions[row.code]}
        for row in stored
        if changes.positions.get(row.code, row.position) != row.position
    ]
    _update_rows(session, _class, moved)


def _lock_products(session: Session, plan: ImportPlan) -> dict[int, tuple[str, str]]:
    """Return id -> (shop's id, class code) where the label isn't what the plan was made from."""
    touched = {row["id"] for row in (*plan.changed, *plan.texts)} | set(plan.removed)
    seen = {change.id: change.version for change in plan.labels}
    if not touched and not seen:
        return {}
    statement = (
        select(_product.c.id, _product.c.product_id, _product.c.version, _class.c.code)
        .outerjoin(_class, _class.c.id == _product.c.class_id)
        .where(is_one_of(session, _product.c.id, sorted(touched | set(seen))))
        .order_by(_product.c.id)  # as everybody locks them, so that nobody waits in a circle
        .with_for_update(key_share=True, of=_product)
    )
    return {
        row.id: (row.product_id, row.code or "")
        for row in session.execute(statement)
        if seen.get(row.id, row.version) != row.version
    }


def _add_act(session: Session, act: ImportAct) -> _Who:
    importer = ensure_annotator(session, IMPORTER, "viewer", act.now)
    row = Act(
        kind="import",
        annotator_id=importer.id,
        token=f"import-{secrets.token_hex(16)}",
        details=dict(act.details),
        created_at=act.now,
    )
    session.add(row)
    session.flush()
    return _Who(row.id, importer.id, act.now)


def _add_products(
    session: Session,
    new: Sequence[dict[str, Any]],
    ids: Mapping[str, int],
    who: _Who,
    count: Count,
) -> None:
    if not new:
        return
    last = session.scalar(select(func.max(_product.c.id))) or 0
    rows = []
    for values in new:
        row = {**values, "created_at": who.now}
        label = row.pop("label")
        row["class_id"] = ids[label] if label else None
        row["version"] = 1 if label else 0
        rows.append(row)
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        bulk_insert(session.connection(), _product, piece)
        count(len(piece))
    is_new = (_product.c.id > last) & _product.c.class_id.is_not(None)
    _annotate(session, who, is_new, literal(None, _annotation.c.class_before_id.type))


def _annotate(
    session: Session, who: _Who, which: ColumnElement[bool], before: ColumnElement
) -> None:
    """Add an annotation for each of these products, as they are labelled now."""
    values = {
        "act_id": literal(who.act_id),
        "product_id": _product.c.id,
        "annotator_id": literal(who.annotator_id),
        "kind": literal("import"),
        "class_id": _product.c.class_id,
        "class_before_id": before,
        "version": _product.c.version,
        "created_at": literal(who.now),
    }
    rows = select(*values.values()).where(which).order_by(_product.c.id)
    session.execute(insert(_annotation).from_select(list(values), rows))


def _update_products(session: Session, plan: ImportPlan, now: float, count: Count) -> None:
    for rows in (plan.changed, plan.texts):
        forget_changed(session, rows)  # no answer outlives the text or photo it was given to
        _update_rows(session, _product, rows)
        count(len(rows))
    if plan.removed:
        gone = is_one_of(session, _product.c.id, plan.removed)
        session.execute(update(_product).where(gone).values(removed_at=now))
        session.execute(delete(Lease).where(is_one_of(session, Lease.product_id, plan.removed)))
        count(len(plan.removed))


def _change_labels(
    session: Session, changes: Sequence[LabelChange], ids: Mapping[str, int], who: _Who
) -> None:
    """Give products other labels, each with an annotation that tells the one before."""
    if not changes:
        return
    before = select(_product.c.id, _product.c.class_id).where(
        is_one_of(session, _product.c.id, [change.id for change in changes])
    )
    class_before = dict(session.execute(before).all())
    rows = [
        {"id": c.id, "class_id": ids[c.code] if c.code else None, "version": c.version + 1}
        for c in changes
    ]
    annotations = [
        {
            "act_id": who.act_id,
            "product_id": row["id"],
            "annotator_id": who.annotator_id,
            "kind": "import",
            "class_id": row["class_id"],
            "class_before_id": class_before[row["id"]],
            "version": row["version"],
            "created_at": who.now,
        }
        for row in rows
    ]
    bulk_insert(session.connection(), _annotation, annotations)
    _update_rows(session, _product, rows)


def _update_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of rows by `id`; all have the same columns."""
    if rows:
        statement = update(table).where(table.c.id == bindparam("b_id"))
        bound = [{"b_id" if k == "id" else k: v for k, v in row.items()} for row in rows]
        session.connection().execute(statement, bound)
