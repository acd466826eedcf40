"""The confusion matrix of a model version, and the products behind each of its cells."""

from dataclasses import dataclass

from mmcore.errors import ConfigError, NotFoundError
from mmcore.store import confusion as queries
from mmcore.store import models
from mmcore.store.comparison import VIEWS
from mmcore.store.engine import Store
from mmcore.store.products import read_classes

MAX_PAGE = 1_000


@dataclass(frozen=True)
class Cell:
    """Products with one label that got one answer.

    Attributes:
        share: of the products with this label, 0 to 1.
    """

    label: str
    answer: str
    count: int
    share: float

    @property
    def is_right(self) -> bool:
        return self.label == self.answer


@dataclass(frozen=True)
class Confusion:
    """The cells with products, by the labels as they are now.

    Attributes:
        codes: of the classes that occur, in the order of the screen.
        names: code -> French name.
    """

    codes: tuple[str, ...]
    names: dict[str, str]
    cells: tuple[Cell, ...]
    num_products: int


@dataclass(frozen=True)
class ConfusedProduct:
    """One product of a cell."""

    id: int
    product_id: str
    title: str
    photo: str
    probability: float


def confusion(store: Store, version: str, view: str = "fused", split: str = "test") -> Confusion:
    """Return what one view of a version takes for what, on the labelled products of a split.

    Raises:
        NotFoundError: if the version isn't registered.
        ConfigError: if the view is unknown.
    """
    _check_view(view)
    with store.reading() as session:
        version_id = models.find_version(session, version).id
        pairs = queries.count_pairs(session, version_id, view, split)
        classes = read_classes(session)
    occurring = {class_id for label, answer, _ in pairs for class_id in (label, answer)}
    kept = [c for c in classes if c.id in occurring]
    codes = {c.id: c.code for c in kept}
    totals: dict[int, int] = {}
    for label, _, num in pairs:
        totals[label] = totals.get(label, 0) + num
    cells = [
        Cell(codes[label], codes[answer], num, num / totals[label]) for label, answer, num in pairs
    ]
    return Confusion(
        tuple(codes.values()), {c.code: c.name_fr for c in kept}, tuple(cells), sum(totals.values())
    )


def list_confused(
    store: Store,
    version: str,
    where: tuple[str, str],
    pair: tuple[str, str],
    after: int = 0,
    limit: int = 50,
) -> list[ConfusedProduct]:
    """Return a page of the products behind one cell, in the order of their row ids.

    Args:
        where: (view, split).
        pair: class codes (label, answer).
        after: `id` of the last product of the page before, 0 at first.

    Raises:
        NotFoundError: if version or class isn't there.
        ConfigError: if the view is unknown or the limit out of range.
    """
    _check_view(where[0])
    if not 1 <= limit <= MAX_PAGE:
        raise ConfigError(f"limit is {limit}; it must lie from 1 to {MAX_PAGE}")
    with store.reading() as session:
        version_id = models.find_version(session, version).id
        ids = {c.code: c.id for c in read_classes(session)}
        lost = [code for code in pair if code not in ids]
        if lost:
            raise NotFoundError(f"there is no class {lost[0]!r}; choose another cell")
        label, answer = ids[pair[0]], ids[pair[1]]
        rows = queries.list_pair(session, version_id, where, (label, answer), after, limit)
    return [ConfusedProduct(*row) for row in rows]


def _check_view(view: str) -> None:
    if view not in VIEWS:
        raise ConfigError(f"view {view!r} is unknown; use one of {', '.join(VIEWS)}")
