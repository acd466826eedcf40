"""One import: rows in, photos stored, near-copies grouped, splits drawn; all or nothing.

What takes long (reading, photos, comparing) happens outside the transaction, so that people go on
labelling; what is different is written at the very end, in one. A crash, a full disk or Ctrl+C
leaves the catalogue as it was. Photos are stored on the way, by content, where those of an import
that failed do no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
from sqlalchemy.orm import Session

from mmcore.catalog.duplicates import placeholder_hashes
from mmcore.catalog.issues import KEPT, IssueLog, RowIssue
from mmcore.catalog.merge import Merged, merge_products
from mmcore.catalog.products import Catalogue, make_frame, name_classes
from mmcore.catalog.settling import settle as settle_splits
from mmcore.errors import CatalogueError
from mmcore.services.catalogue_frame import frame_of
from mmcore.services.import_labels import ImportState, LabelRules, agree_on_labels, late_issues
from mmcore.services.import_plan import (
    changes_something,
    classes_after,
    next_revision,
    plan_import,
    put_away,
)
from mmcore.services.import_report import ImportReport, build_report
from mmcore.services.import_rows import (
    COMPARING,
    WRITING,
    ImportSource,
    Progress,
    ReadRows,
    Told,
    read_rows,
)
from mmcore.services.people import Actor, require
from mmcore.store.class_changes import codes_known
from mmcore.store.engine import Store
from mmcore.store.import_writes import (
    ImportAct,
    ImportPlan,
    lock_imports,
    write_import,
)
from mmcore.store.products import CatalogueFacts, read_classes, read_facts, read_products
from mmcore.store.queue import settle as settle_queue
from mmcore.workspace import Workspace

COMPARE_STEPS = 4  # catalogue read, rows laid over it, near-copies settled, differences found
MAX_ATTEMPTS = 5  # an import that others overtake compares again with what they wrote
_REASONS_SHOWN = 3


@dataclass(frozen=True)
class _Compared:
    """The catalogue as it is going to be."""

    merged: Merged
    catalogue: Catalogue
    remarks: list[RowIssue]


def run_import(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    source: ImportSource,
    now: float,
    progress: Progress | None,
) -> ImportReport:
    """Return what the import did.

    Raises:
        RefusedError: if the actor is no lead.
        CatalogueError: if no row can be used, or the catalogue that is there is of another kind
            (drawn or real); it is left as it was.
        WorkspaceError: if the workspace can't be read or written.
    """
    require(actor, "lead")
    with store.reading() as session:
        _check_kind(session, read_facts(session), source)
    read = read_rows(workspace.create(), source, progress)
    for _ in range(MAX_ATTEMPTS):
        report = _attempt(store, _act(actor, source, now), source, read, progress)
        if report is not None:
            return report
    raise CatalogueError(
        f"the catalogue was changed {MAX_ATTEMPTS} times by others while {source.path.name} was "
        "compared with it; nothing was imported: run it again"
    )


def _attempt(
    store: Store, act: ImportAct, source: ImportSource, read: ReadRows, progress: Progress | None
) -> ImportReport | None:
    """Return what the import did, None where another one came in between."""
    told = Told(progress, COMPARING, COMPARE_STEPS)
    with store.reading() as session:
        state = _read_state(session)
        _check_kind(session, state.facts, source)
        column = read.given.fields.get("label", "")
        rules = LabelRules(source.relabel, source.replace, column)
        taken, disputes = agree_on_labels(session, state, read.taken, source.name, rules)
    told.add(1)
    compared = _compare(state, source, replace(read, taken=taken), told)
    plan = plan_import(state, compared.catalogue, act.now)
    told.add(1)
    late: Mapping[str, str] = {}
    if changes_something(plan, state):
        written = _write(store, state, plan, _with_counts(act, compared.merged), progress)
        if written is None:
            return None
        late = written
    issues = read.issues
    for issue in (
        *disputes,
        *compared.remarks,
        *late_issues(late, read.taken, column),
        *_placeholder_issues(compared.catalogue.products),
    ):
        issues.add(issue)
    return build_report(compared.merged, _with_labels(compared.catalogue, late), issues)


def _read_state(session: Session) -> ImportState:
    facts = read_facts(session)  # first: what changes after it is noticed when it is written
    products = {p.product_id: p for p in read_products(session, with_removed=True)}
    classes = {c.code: c for c in read_classes(session)}
    former = codes_known(session)
    renamed = {code: former[code] for code in former.keys() - classes.keys()}
    return ImportState(facts, products, classes, renamed)


def _check_kind(session: Session, facts: CatalogueFacts | None, source: ImportSource) -> None:
    """Refuse to mix drawn and real products."""
    if facts is None or source.replace or (facts.source == "drawn") == (source.name == "drawn"):
        return
    old, new = ("drawn", "real") if facts.source == "drawn" else ("real", "drawn")
    count = sum(1 for _ in read_products(session))
    raise CatalogueError(
        f"the catalogue holds {count:,} {old} products, and {source.path.name} has {new} ones: a "
        f"model must not learn from both; drop the {old} ones with --replace, or choose another "
        "workspace with --home DIR"
    )


def _compare(state: ImportState, source: ImportSource, read: ReadRows, told: Told) -> _Compared:
    """Return the catalogue with the rows laid over it, groups, splits and classes filled in."""
    here = [p for p in state.products.values() if p.removed_at is None and not source.replace]
    extra = state.facts.extra if state.facts and not source.replace else ()
    old = frame_of(here, extra) if here else make_frame((), extra)
    merged = merge_products(old, read.taken, read.given)
    if not merged.file_ids:
        raise _all_bad(source, read.issues, merged.issues)
    told.add(1)
    given = merged.given_splits | {p.product_id for p in here if p.is_split_given}
    products, moved = settle_splits(
        merged.products, source.seed, given, _former_tests(state, source)
    )
    told.add(1)
    used = set(products["label"]) - {""}
    classes = classes_after(state, source.classes, used, source.replace)
    named = name_classes([c.code for c in classes], {c.code: c for c in classes})
    origin = state.facts.source if state.facts and not source.replace else source.name
    catalogue = Catalogue(products, named, origin, frozenset(given))
    back = _back_in_use(state, products, named)
    return _Compared(merged, catalogue, [*merged.issues, *moved, *back])


def _former_tests(state: ImportState, source: ImportSource) -> pd.DataFrame:
    """Return the test products that are not in the catalogue, or will not be.

    They stay test products for ever, and so do near-copies of them.
    """
    gone = [
        p
        for p in state.products.values()
        if p.split == "test"
        and (source.replace or p.removed_at is not None)
        and state.is_of_kind(p, source.name)
    ]
    return frame_of(gone, ())


def _back_in_use(state: ImportState, products: pd.DataFrame, classes: tuple) -> list[RowIssue]:
    issues, away, labels = [], put_away(state, products), products["label"]
    for name in classes:
        stored = state.classes.get(name.code)
        if stored is not None and stored.is_archived and name.code not in away:
            count = int((labels == name.code).sum())
            reason = (
                f"class {name.code!r} was archived, and {count:,} products have it now: it is in "
                "use again; archive it again or merge it where that is wrong"
            )
            issues.append(RowIssue(1, "", "", reason, KEPT))
    return issues


def _act(actor: Actor, source: ImportSource, now: float) -> ImportAct:
    details = {
        "verb": "import",
        "by": actor.name,
        "file": source.path.name,
        "replace": source.replace,
        "relabel": source.relabel,
    }
    return ImportAct(details, now)


def _with_counts(act: ImportAct, merged: Merged) -> ImportAct:
    counts = {"num_added": merged.num_added, "num_updated": merged.num_updated}
    return replace(act, details={**act.details, **counts})


def _write(
    store: Store,
    state: ImportState,
    plan: ImportPlan,
    act: ImportAct,
    progress: Progress | None,
) -> Mapping[str, str] | None:
    """Return labels that changed meanwhile (id -> code now), None if the plan is out of date."""
    told = Told(progress, WRITING, plan.num_changes + 1)
    with store.writing() as session:
        lock_imports(session)
        classes = {c.code: c for c in read_classes(session)}
        if read_facts(session) != state.facts or classes != state.classes:
            return None
        act_id, late = write_import(session, next_revision(plan), act, told.add)
        settle_queue(session, act_id, act.now)
    told.add(1)
    return late


def _with_labels(catalogue: Catalogue, labels: Mapping[str, str]) -> Catalogue:
    if not labels:
        return catalogue
    products = catalogue.products.copy()
    ids = products["product_id"]
    products["label"] = ids.map(labels).fillna(products["label"]).astype("str")
    return replace(catalogue, products=products)


def _placeholder_issues(products: pd.DataFrame) -> list[RowIssue]:
    issues = []
    for photo_hash, count in placeholder_hashes(products["photo_hash"]).items():
        example = products.loc[products["photo_hash"] == photo_hash, "product_id"].iloc[0]
        reason = (
            f"{count:,} products look the same, {example!r} for one: taken for a placeholder "
            "picture, which doesn't make them near-copies; leave such pictures out"
        )
        issues.append(RowIssue(1, example, "", reason, KEPT))
    return issues


def _all_bad(source: ImportSource, issues: IssueLog, more: list[RowIssue]) -> CatalogueError:
    for issue in more:
        issues.add(issue)
    left_out = issues.first_left_out(_REASONS_SHOWN)
    reasons = "; ".join(f"line {issue.line}: {issue.reason}" for issue in left_out)
    return CatalogueError(
        f"none of the {issues.num_left_out:,} rows of {source.path} can be used, so nothing was "
        f"imported; the first reasons: {reasons}"
    )
