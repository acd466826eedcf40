"""Labels of a file against those that are there: a person's word stands unless asked otherwise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from mmcore.catalog.intake import TakenProduct
from mmcore.catalog.issues import KEPT, RowIssue, shown
from mmcore.store.decisions import Decision, standing_decisions
from mmcore.store.products import CatalogueFacts, StoredClass, StoredProduct


@dataclass(frozen=True)
class LabelRules:
    """How the labels of a file are taken.

    Attributes:
        relabel: the file wins over people.
        replace: the file stands for the whole catalogue: an empty label takes an imported one away.
        column: name of the label's column, for messages.
    """

    relabel: bool
    replace: bool
    column: str


@dataclass(frozen=True)
class ImportState:
    """What the store holds before an import.

    Attributes:
        facts: None where nothing was ever imported.
        products: by the shop's id, those that left the catalogue included.
        classes: by code.
        renamed: code that no class has any more -> id of the class that had it.
    """

    facts: CatalogueFacts | None
    products: Mapping[str, StoredProduct]
    classes: Mapping[str, StoredClass]
    renamed: Mapping[str, int]

    def is_of_kind(self, product: StoredProduct, source: str) -> bool:
        """Return whether a product is drawn where `source` is, and real where it is not."""
        if self.facts is None or (self.facts.source == "drawn") != (source == "drawn"):
            return False
        return product.removed_at is None or product.removed_at > self.facts.since

    def code_now(self, code: str) -> str:
        """Return the code of the class by now, after all renames and merges."""
        by_id = {stored.id: stored for stored in self.classes.values()}
        if code in self.renamed:
            code = by_id[self.renamed[code]].code
        seen = set()
        while (stored := self.classes.get(code)) and stored.merged_into_id and code not in seen:
            seen.add(code)
            code = by_id[stored.merged_into_id].code
        return code


def agree_on_labels(
    session: Session,
    state: ImportState,
    taken: Sequence[TakenProduct],
    source: str,
    rules: LabelRules,
) -> tuple[list[TakenProduct], list[RowIssue]]:
    """Return the rows with the labels that their products are going to have, and remarks.

    A file's label of a class that was renamed, or merged into another, means what it is now.
    """
    now = {code: state.code_now(code) for code in {product.row.label for product in taken} - {""}}
    labels, disputed = {}, {}
    for product in taken:
        row = product.row
        label = labels[row.product_id] = now.get(row.label, "")
        stored = state.products.get(row.product_id)
        if stored is None or stored.label in ("", label):
            continue
        if not state.is_of_kind(stored, source):
            continue  # another product that happens to have the same id
        if not label and not rules.replace:
            labels[row.product_id] = stored.label
        elif not (label and rules.relabel):
            disputed[stored.id] = product
    decisions = standing_decisions(session, sorted(disputed)) if disputed else {}
    issues = []
    for product_id, product in disputed.items():
        decision = decisions.get(product_id)
        if decision is None or not decision.is_by_person:
            continue
        stored, label = state.products[product.row.product_id], labels[product.row.product_id]
        if label:
            issues.append(_kept(product, label, stored.label, decision, rules.column))
        labels[product.row.product_id] = stored.label
    return [_labelled(product, labels[product.row.product_id]) for product in taken], issues


def late_issues(
    product_ids: Iterable[str], taken: Sequence[TakenProduct], column: str
) -> list[RowIssue]:
    """Return remarks on products whose label somebody changed while the import ran."""
    rows = {product.row.product_id: product.row for product in taken}
    issues = []
    for product_id in product_ids:
        row = rows.get(product_id)
        line, label = (row.line, row.label) if row else (1, "")
        reason = (
            f"the file says {shown(label)}, but the label was changed while this import ran; "
            "kept as it is now; import again to compare"
        )
        issues.append(RowIssue(line, product_id, column, reason, KEPT))
    return issues


def _kept(
    product: TakenProduct, label: str, stored: str, decision: Decision, column: str
) -> RowIssue:
    day = datetime.fromtimestamp(decision.created_at, UTC).strftime("%Y-%m-%d")
    reason = (
        f"the file says {shown(label)}, {decision.annotator} decided {shown(stored)} on {day}; "
        "kept; import with --relabel to let the file win"
    )
    return RowIssue(product.row.line, product.row.product_id, column, reason, KEPT)


def _labelled(product: TakenProduct, label: str) -> TakenProduct:
    if product.row.label == label:
        return product
    return replace(product, row=replace(product.row, label=label))
