"""Whose decision a label is: the last person who gave or confirmed it, or an import.

Undos, merges of classes and flags raise a product's version, too, but decide nothing themselves:
after them the label is as it was decided before.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmcore.store.one_of import is_one_of
from mmcore.store.people import IMPORTER
from mmcore.store.tables import Act, Annotation, Annotator, Product

_DECIDING = ("label", "accept", "import")


class Decision(NamedTuple):
    """Who decided a product's label, how and when."""

    kind: str
    annotator: str
    created_at: float

    @property
    def is_by_person(self) -> bool:
        """Return False for a catalogue's file; a file of labels names the people who gave them."""
        return self.kind != "import" or self.annotator != IMPORTER


class _Mark(NamedTuple):
    product_id: int
    version: int
    kind: str
    act_id: int
    undoes_id: int | None
    annotator: str
    created_at: float


def standing_decisions(session: Session, product_ids: Sequence[int]) -> dict[int, Decision]:
    """Return the decision in force on each of these products; none where nobody ever decided."""
    versions = dict(
        session.execute(
            select(Product.id, Product.version).where(is_one_of(session, Product.id, product_ids))
        ).all()
    )
    marks: dict[int, list[_Mark]] = defaultdict(list)
    statement = (
        select(
            Annotation.product_id,
            Annotation.version,
            Annotation.kind,
            Annotation.act_id,
            Act.undoes_id,
            Annotator.name,
            Annotation.created_at,
        )
        .join(Act, Act.id == Annotation.act_id)
        .join(Annotator, Annotator.id == Annotation.annotator_id)
        .where(is_one_of(session, Annotation.product_id, product_ids), Annotation.kind != "skip")
        .order_by(Annotation.id)
    )
    for row in session.execute(statement):
        marks[row.product_id].append(_Mark._make(row))
    found = {}
    for product_id, of_product in marks.items():
        decision = _standing(of_product, versions[product_id])
        if decision is not None:
            found[product_id] = decision
    return found


def _standing(marks: Sequence[_Mark], version: int) -> Decision | None:
    """Return what decided the label that a product had at a version."""
    makers: dict[int, _Mark] = {}
    by_act: Mapping[int, _Mark] = {mark.act_id: mark for mark in marks}
    for mark in marks:
        if mark.kind in _DECIDING:  # to accept a label is a decision, whether it changes it or not
            makers[mark.version] = mark
        else:
            makers.setdefault(mark.version, mark)
    while version > 0:
        maker = makers.get(version)
        if maker is not None and maker.kind in _DECIDING:
            return Decision(maker.kind, maker.annotator, maker.created_at)
        undone = by_act.get(maker.undoes_id) if maker and maker.kind == "undo" else None
        # after an undo the label is the one before the act that it undoes
        version = (undone.version if undone else version) - 1
    return None
