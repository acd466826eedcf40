"""How good the labels are: agreement, conflicts, suspect labels, the pull of suggestions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlalchemy.orm import Session

from mmcore.agreement import (
    cohen_kappa,
    difference_interval,
    krippendorff_alpha,
    wilson_interval,
)
from mmcore.services.queue_settings import largest_overlap
from mmcore.services.suspects import SUSPECT_FROM
from mmcore.store import quality
from mmcore.store.engine import Store
from mmcore.store.quality import Mark


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval, and what it was counted from; `value` is None for n = 0."""

    count: int
    n: int

    @property
    def value(self) -> float | None:
        return self.count / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.count, self.n)


@dataclass(frozen=True)
class PairAgreement:
    """How far two people agree on the products that both were given.

    Attributes:
        kappa: Cohen's; None where both only ever used one class.
    """

    first: str
    second: str
    agreed: Share
    kappa: float | None


@dataclass(frozen=True)
class Agreement:
    """How far people agree on the overlap.

    Attributes:
        alpha: Krippendorff's, over all pairs; None without products or with a single class.
    """

    agreed: Share
    alpha: float | None
    pairs: tuple[PairAgreement, ...]


@dataclass(frozen=True)
class Opinion:
    """What one person said of a product."""

    annotator: str
    label: str
    annotation_id: int
    created_at: float


@dataclass(frozen=True)
class Conflict:
    """A product on which two people decided differently, for a lead to settle.

    A lead settles it by labelling the product (`labelling.label`, naming `version`).

    Attributes:
        settled: the lead's decision; None as long as it is open.
    """

    id: int
    product_id: str
    title: str
    photo: str
    version: int
    label: str | None
    opinions: tuple[Opinion, Opinion]
    settled: Opinion | None


@dataclass(frozen=True)
class SuspectPrecision:
    """How often people changed a label that the queue held suspect, and one that it didn't.

    Suspect means there what it means in the queue: opposed by models that haven't seen the label.

    Attributes:
        changed: of the suspect ones; as_predicted: to a class that one of the towers had named.
        others_changed: of those that weren't suspect: the rate to compare with.
    """

    changed: Share
    as_predicted: Share
    others_changed: Share


@dataclass(frozen=True)
class Anchoring:
    """How often people decide as the model suggests, where they saw it and where they didn't.

    Attributes:
        gap: shown minus hidden: above 0, suggestions pull people along; None without either.
        interval: of the gap, 95%.
        annotator: None for all people together.
    """

    annotator: str | None
    shown: Share
    hidden: Share

    @property
    def gap(self) -> float | None:
        if self.shown.value is None or self.hidden.value is None:
            return None
        return self.shown.value - self.hidden.value

    @property
    def interval(self) -> tuple[float, float]:
        return difference_interval(self.shown.count, self.shown.n, self.hidden.count, self.hidden.n)


def agreement(store: Store) -> Agreement:
    """Return how far the first two people on each product of the overlap agree."""
    with store.reading() as session:
        cases = _cases(session)
        names = quality.annotator_names(session)
    by_pair: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for case in cases:
        first, second = sorted(case.opinions, key=attrgetter("annotator_id"))
        by_pair[first.annotator_id, second.annotator_id].append((first.class_id, second.class_id))
    pairs = [
        PairAgreement(
            names[first], names[second], _agreed(said), cohen_kappa(*zip(*said, strict=True))
        )
        for (first, second), said in sorted(by_pair.items())
    ]
    said = [pair for of_pair in by_pair.values() for pair in of_pair]
    return Agreement(_agreed(said), krippendorff_alpha(said), tuple(pairs))


def conflicts(
    store: Store, is_settled: bool = False, after: int = 0, limit: int = 50
) -> tuple[Conflict, ...]:
    """Return products on which two people differ: those open, or those a lead has settled.

    Args:
        after: the id of the last one of the page before.
    """
    with store.reading() as session:
        wanted = [
            case
            for case in _cases(session)
            if case.is_conflict and (case.settled is not None) == is_settled and case.id > after
        ][:limit]
        shown = quality.products_shown(session, [case.id for case in wanted])
        names, codes = quality.annotator_names(session), quality.class_codes(session)

    def opinion(mark: Mark) -> Opinion:
        name, code = names[mark.annotator_id], codes[mark.class_id]
        return Opinion(name, code, mark.id, mark.created_at)

    return tuple(
        Conflict(
            id=case.id,
            product_id=shown[case.id].product_id,
            title=shown[case.id].title,
            photo=shown[case.id].photo,
            version=shown[case.id].version,
            label=codes.get(shown[case.id].class_id),
            opinions=(opinion(case.opinions[0]), opinion(case.opinions[1])),
            settled=opinion(case.settled) if case.settled else None,
        )
        for case in wanted
    )


def count_conflicts(store: Store) -> tuple[int, int]:
    """Return how many conflicts are open, and how many a lead has settled."""
    with store.reading() as session:
        found = [case.settled is not None for case in _cases(session) if case.is_conflict]
    return found.count(False), found.count(True)


def suspect_precision(store: Store, threshold: float = SUSPECT_FROM) -> SuspectPrecision:
    """Return how often people changed labels that the queue held suspect when they saw them."""
    with store.reading() as session:
        found = quality.suspects(session, threshold)
    (n, changed, as_predicted), (others, others_changed, _) = found[True], found[False]
    return SuspectPrecision(
        Share(changed, n), Share(as_predicted, n), Share(others_changed, others)
    )


def anchoring(store: Store) -> tuple[Anchoring, ...]:
    """Return the pull of suggestions: on all people together first, then on each."""
    with store.reading() as session:
        rows = quality.followed(session)
        names = quality.annotator_names(session)

    def of(annotator: str | None, chosen: Iterable[tuple[int, bool, int, int]]) -> Anchoring:
        sums = {False: [0, 0], True: [0, 0]}
        for _, is_hidden, n, same in chosen:
            sums[is_hidden][0] += same
            sums[is_hidden][1] += n
        return Anchoring(annotator, Share(*sums[False]), Share(*sums[True]))

    people = sorted({row[0] for row in rows}, key=names.get)
    each = [of(names[person], [row for row in rows if row[0] == person]) for person in people]
    return (of(None, rows), *each)


@dataclass(frozen=True)
class _Case:
    """A product of the overlap: the first two people's opinions, and a lead's word after them."""

    id: int
    opinions: tuple[Mark, Mark]
    settled: Mark | None

    @property
    def is_conflict(self) -> bool:
        return self.opinions[0].class_id != self.opinions[1].class_id


def _cases(session: Session) -> list[_Case]:
    marks = quality.overlap_marks(session, largest_overlap(session))
    return [
        _case(product_id, list(of_product))
        for product_id, of_product in groupby(marks, key=attrgetter("product_id"))
    ]


def _case(product_id: int, marks: Sequence[Mark]) -> _Case:
    """Read one product's decisions in their order."""
    opinions: dict[int, Mark] = {}
    settled = None
    for mark in marks:
        if len(opinions) == 2 and mark.is_lead:
            settled = mark
        elif mark.annotator_id in opinions or len(opinions) < 2:
            opinions[mark.annotator_id] = mark  # who changes their mind says the later
    first, second = opinions.values()
    return _Case(product_id, (first, second), settled)


def _agreed(said: Sequence[tuple[int, int]]) -> Share:
    return Share(sum(first == second for first, second in said), len(said))
