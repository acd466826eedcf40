"""Labels from a file into the store: one act, undone as a whole; the same file acts once.

What a person decided later than a row of the file is not overwritten unless that is asked for.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert
from sqlalchemy.orm import Session

from mmcore.catalog.issues import LEFT_OUT, IssueLog, RowIssue
from mmcore.errors import CatalogueError, RefusedError
from mmcore.services.label_file import FileLabel, read_labels
from mmcore.services.label_tables import format_of
from mmcore.services.people import Actor, require
from mmcore.store import label_rows, queue
from mmcore.store.acts import NewAct, add_details, begin_act, find_act, saved_act
from mmcore.store.annotations import apply_to_products
from mmcore.store.classes import end_of_merges, list_classes, lock_table, named
from mmcore.store.engine import Store
from mmcore.store.history import told
from mmcore.store.tables import Annotation


@dataclass(frozen=True)
class ImportChoices:
    """How a file of labels is read.

    Attributes:
        overwrite: give the file's label also where a person decided later.
        format: csv, jsonl or parquet; None goes by the name of the file.
    """

    overwrite: bool = False
    format: str | None = None


@dataclass(frozen=True)
class AnnotationImport:
    """What an import of labels did.

    Attributes:
        act_id: undo this one to take the import back; None where nothing had to change.
        rows: of the file.
        changed: products that got a label.
        unchanged: rows whose product had the label already.
        left_out: rows that can't be used; `issues` says why, by line.
        is_repeated: the same file was imported before, by `act_id`: nothing was changed.
        new_annotators: names in the file that nobody had; they can't sign in until an admin
            activates them.
    """

    act_id: int | None
    rows: int
    changed: int
    unchanged: int
    left_out: int
    issues: tuple[RowIssue, ...]
    is_repeated: bool = False
    new_annotators: tuple[str, ...] = ()


def import_labels(
    store: Store, actor: Actor, path: Path, now: float, choices: ImportChoices = ImportChoices()
) -> AnnotationImport:
    """Give products the labels of a file with columns product_id and label.

    Columns annotator, time (ISO 8601 or seconds since 1970) and comment are taken where present;
    others are passed over.

    Raises:
        CatalogueError: if the file can't be read or lacks a column.
        RefusedError: if the same file was imported and undone.
    """
    require(actor, "lead")
    kind = format_of(path, choices.format)
    log = IssueLog()
    rows, num_rows = read_labels(path, kind, log, now)
    token = f"import-{_digest(path)}-{'over' if choices.overwrite else 'keep'}"
    asked = {"overwrite": choices.overwrite}
    details = {"file": path.name[:200]}
    new = NewAct("import", "import", actor.id, token, asked, now, details=details)
    with store.writing() as session:
        lock_table(session)  # one import at a time, no class changes meanwhile
        saved = saved_act(session, token)
        if saved is not None:
            return _repeated(session, saved, num_rows, log)
        plan = _plan(session, rows, choices.overwrite, log)
        result = {"changed": len(plan.changes), "unchanged": plan.num_unchanged}
        if not plan.changes:
            return AnnotationImport(None, num_rows, 0, plan.num_unchanged, *_outcome(log))
        act_id = begin_act(session, new)
        created = _write(session, plan.changes, act_id, actor, now)
        add_details(session, act_id, {**result, "count": len(plan.changes)})
        queue.settle(session, act_id, now)
    return AnnotationImport(
        act_id, num_rows, *result.values(), *_outcome(log), new_annotators=tuple(created)
    )


@dataclass
class _Plan:
    changes: list[tuple[FileLabel, Row, int]] = field(default_factory=list)
    num_unchanged: int = 0


def _plan(session: Session, rows: Sequence[FileLabel], overwrite: bool, log: IssueLog) -> _Plan:
    """Return what has to be written, with everything that can't be reported."""
    classes = {row.code: row for row in list_classes(session, with_archived=True)}
    products = label_rows.lock_products_named(session, [row.product_id for row in rows])
    codes = {row.id: code for code, row in classes.items()}
    decided: Mapping[int, Row] = {}
    if not overwrite:
        decided = label_rows.last_decisions(session, [row.id for row in products.values()])
    plan = _Plan()
    for row in rows:
        product, chosen = products.get(row.product_id), classes.get(row.label)
        if product is not None and chosen is not None and product.class_id == chosen.id:
            plan.num_unchanged += 1
            continue
        problem = _unusable(session, row, product, chosen)
        last = decided.get(product.id) if product is not None else None
        if not problem and last is not None and (row.time is None or row.time < last.created_at):
            when = "and the row has no time" if row.time is None else "after the row's time"
            problem = (
                f"it was {told(last, codes.get(last.class_id))}, {when}; import again with "
                "overwrite if the file is right"
            )
        if problem:
            log.add(RowIssue(row.line, row.product_id, "", problem, LEFT_OUT))
        else:
            plan.changes.append((row, product, chosen.id))
    return plan


def _unusable(session: Session, row: FileLabel, product: Row | None, chosen: Row | None) -> str:
    if product is None:
        return "no product has this id; import the catalogue first"
    if chosen is None:
        return f"there is no class {row.label[:60]!r}; add it first, or correct the row"
    if chosen.merged_into_id is not None:
        into = end_of_merges(session, chosen)
        return f"class {named(chosen)} was merged into {named(into)}; write {into.code}"
    return f"class {named(chosen)} is archived; take it back first" if chosen.is_archived else ""


def _write(
    session: Session,
    changes: Sequence[tuple[FileLabel, Row, int]],
    act_id: int,
    actor: Actor,
    now: float,
) -> list[str]:
    """Return the names of annotators that had to be made."""
    names = {row.annotator for row, _, _ in changes if row.annotator}
    people, created = label_rows.ensure_inactive(session, sorted(names), now)
    values: list[dict[str, Any]] = [
        {
            "act_id": act_id,
            "product_id": product.id,
            "annotator_id": people.get(row.annotator, actor.id),
            "kind": "import",
            "class_id": class_id,
            "class_before_id": product.class_id,
            "was_flagged": product.is_flagged,
            "is_flagged": product.is_flagged,
            "version": product.version + 1,
            "suggestion": {},
            "comment": row.comment,
            "created_at": now if row.time is None else row.time,
        }
        for row, product, class_id in changes
    ]
    session.execute(insert(Annotation.__table__), values)
    apply_to_products(session, act_id)
    return created


def _repeated(session: Session, saved: Row, num_rows: int, log: IssueLog) -> AnnotationImport:
    act = find_act(session, saved.id)
    if act.is_undone:
        raise RefusedError(
            f"this file was imported already, by {act.name} as act {act.id}, and undone; redo "
            "that act to have its labels back"
        )
    changed, unchanged = act.details["changed"], act.details["unchanged"]
    left_out = num_rows - changed - unchanged
    return AnnotationImport(
        act.id, num_rows, changed, unchanged, left_out, log.in_order(), is_repeated=True
    )


def _outcome(log: IssueLog) -> tuple[int, tuple[RowIssue, ...]]:
    return log.num_left_out, log.in_order()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CatalogueError(f"{path} can't be read: {error.strerror or error}") from error
