"""Two model versions side by side, product by product, in SQL over their stored predictions."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from mmcore.store.predictions import class_now
from mmcore.store.product_filter import in_catalogue
from mmcore.store.tables import Prediction, Product

VIEWS = ("fused", "text", "image")
# the first four of products with a label, the last two of those without
OUTCOMES = ("fixed", "broken", "changed_wrong", "same", "changed", "unchanged")
NO_ANSWER = -1


@dataclass(frozen=True)
class ChangeFilter:
    """Which products of a comparison are meant; None leaves a part open."""

    view: str = "fused"
    outcomes: tuple[str, ...] | None = None
    class_id: int | None = None  # the label now
    split: str | None = None


class SideBySide:
    """The joined rows of two versions in one view; `before` may have said nothing at all."""

    def __init__(self, session: Session, before: int, after: int, view: str = "fused") -> None:
        self.session = session
        self._before, self._after = aliased(Prediction), aliased(Prediction)
        self._versions = (before, after)
        # classes that were merged since a prediction was stored count as what they became
        self._merged = {old: new for old, new in class_now(session).items() if old != new}
        self.before = self._answer(self._before, view)
        self.after = self._answer(self._after, view)
        self.probabilities = tuple(
            getattr(side, f"{view}_probability") for side in (self._before, self._after)
        )

    def _answer(self, side: type[Prediction], view: str) -> ColumnElement[int]:
        column = getattr(side, f"{view}_class_id")
        if self._merged:
            column = case(self._merged, value=column, else_=column)
        return func.coalesce(column, NO_ANSWER)

    @property
    def outcome(self) -> ColumnElement[str]:
        """Return fixed, broken, changed_wrong, same (with a label), changed, unchanged."""
        before, after, label = self.before, self.after, Product.class_id
        return case(
            (label.is_(None), case((before != after, "changed"), else_="unchanged")),
            (and_(before != label, after == label), "fixed"),
            (and_(before == label, after != label), "broken"),
            (before != after, "changed_wrong"),
            else_="same",
        )

    def joined(self, query: Select, split: str | None = None) -> Select:
        """Return a query over the products that at least one of the two has an answer for."""
        for side, version_id in zip((self._before, self._after), self._versions, strict=True):
            is_its = (side.product_id == Product.id) & (side.model_version_id == version_id)
            query = query.join(side, is_its, isouter=True)
        query = query.where(in_catalogue(), or_(self.before != NO_ANSWER, self.after != NO_ANSWER))
        return query if split is None else query.where(Product.split == split)


def count_changes(
    session: Session, before: int, after: int, view: str, split: str | None = None
) -> list[tuple[str, int | None, int]]:
    """Return (outcome, class id of the label, products) for every pair that occurs."""
    both = SideBySide(session, before, after, view)
    outcome = both.outcome.label("outcome")
    query = select(outcome, Product.class_id, func.count()).select_from(Product)
    query = both.joined(query, split).group_by("outcome", Product.class_id)
    return [tuple(row) for row in session.execute(query)]


def list_changes(
    session: Session,
    versions: tuple[int, int],
    wanted: ChangeFilter,
    after: int = 0,
    limit: int = 50,
) -> list:
    """Return a page of products with what both versions say, by product row id.

    Args:
        versions: ids (before, after).
        after: row id of the last product of the page before, 0 at first.
    """
    both = SideBySide(session, *versions, wanted.view)
    outcome = both.outcome.label("outcome")
    columns = (
        Product.id,
        Product.product_id,
        Product.title,
        Product.photo,
        Product.split,
        Product.class_id,
        both.before.label("before"),
        both.probabilities[0].label("before_probability"),
        both.after.label("after"),
        both.probabilities[1].label("after_probability"),
        outcome,
    )
    query = both.joined(select(*columns).select_from(Product), wanted.split)
    query = query.where(Product.id > after)
    if wanted.class_id is not None:
        query = query.where(Product.class_id == wanted.class_id)
    if wanted.outcomes is not None:
        query = query.where(outcome.in_(wanted.outcomes))
    return list(session.execute(query.order_by(Product.id).limit(limit)))


def judged_rows(session: Session, before: int, after: int, view: str) -> list[tuple]:
    """Return (group, label, before, its probability, after, its probability) of test products.

    Only labelled ones, in the order of their row ids; a missing answer is NO_ANSWER with None.
    """
    both = SideBySide(session, before, after, view)
    query = select(
        Product.group_id,
        Product.class_id,
        both.before,
        both.probabilities[0],
        both.after,
        both.probabilities[1],
    ).select_from(Product)
    query = both.joined(query, "test").where(Product.class_id.is_not(None)).order_by(Product.id)
    return [tuple(row) for row in session.execute(query)]
