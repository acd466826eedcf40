"""From the views of a piece of the catalogue to the rows that are stored: arrays in, dicts out."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcore.config import FUSED

if TYPE_CHECKING:
    from mmcore.views import View

TOP = 5  # classes kept of each view
TEXT, IMAGE = "text", "image"


@dataclass(frozen=True)
class ClassMap:
    """From a model's K outputs to the C classes they stand for in this catalogue now.

    Classes that were merged since the model was made add up.
    """

    class_ids: np.ndarray  # (C,) int64
    sums: np.ndarray  # (K, C) of 0 and 1

    @classmethod
    def build(cls, targets: Sequence[int]) -> "ClassMap":
        """Return the map from outputs to these class ids, one an output."""
        class_ids, places = np.unique(np.array(targets, dtype=np.int64), return_inverse=True)
        sums = np.zeros((len(targets), len(class_ids)))
        sums[np.arange(len(targets)), places] = 1.0
        return cls(class_ids, sums)


@dataclass(frozen=True)
class Answers:
    """What the views of a model say about N products, in the catalogue's classes."""

    probs: Mapping[str, np.ndarray]  # view -> (N, C)
    has: Mapping[str, np.ndarray]  # view -> (N,) bool
    class_ids: np.ndarray  # (C,)

    @classmethod
    def of_views(cls, found: Mapping[str, "View"], classes: ClassMap) -> "Answers":
        """Return the answers of every view but those that leave a modality out."""
        kept = {name: view for name, view in found.items() if "_without_" not in name}
        return cls(
            {name: view.probs @ classes.sums for name, view in kept.items()},
            {name: view.has for name, view in kept.items()},
            classes.class_ids,
        )

    def of(self, view: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (probs, has) of a view, all absent where the model has no such view."""
        if view in self.probs:
            return self.probs[view], self.has[view]
        nothing = np.zeros_like(self.probs[FUSED])
        return nothing, np.zeros(len(nothing), dtype=bool)


def measures(answers: Answers) -> dict[str, np.ndarray]:
    """Return what the queue is ordered by: margin, entropy, disagreement, each (N,).

    Suspicion isn't among them: the model has learnt its labels by heart (see `suspects.py`).
    """
    from mmcore import scoring

    text, has_text = answers.of(TEXT)
    image, has_image = answers.of(IMAGE)
    return {
        "margin": scoring.margins(answers.probs[FUSED]),
        "entropy": scoring.entropies(answers.probs[FUSED]),
        "disagreement": scoring.disagreements(text, image, has_text & has_image),
    }


def build_rows(answers: Answers, version_id: int, product_ids: Sequence[int]) -> list[dict]:
    """Return a row of table `prediction` for each product that has a fused answer.

    No label is suspect in it: that is for those to say who haven't seen the label.
    """
    with _without_gc():
        return _rows(answers, version_id, product_ids)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Let the garbage collector rest: 40,000 small objects a piece, none of them in a cycle.

    It took half of the time in which a catalogue's answers are stored.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _rows(answers: Answers, version_id: int, product_ids: Sequence[int]) -> list[dict]:
    num, found = len(product_ids), measures(answers)
    columns: dict[str, list] = {name: values.tolist() for name, values in found.items()}
    tops = {view: _Top.build(answers, view) for view in answers.probs}
    for view in (FUSED, TEXT, IMAGE):
        best = tops.get(view)
        columns[f"{view}_class_id"] = best.classes() if best else [None] * num
        columns[f"{view}_probability"] = best.sureness() if best else [None] * num
    pairs = [top.pairs() for top in tops.values()]
    columns["top"] = [
        {view: row for view, row in zip(tops, rows, strict=True) if row is not None}
        for rows in zip(*pairs, strict=True)
    ]
    columns["model_version_id"], columns["product_id"] = [version_id] * num, list(product_ids)
    columns["suspicion"], columns["label_class_id"] = [0.0] * num, [None] * num
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return [row for row, has in zip(rows, answers.has[FUSED], strict=True) if has]


@dataclass(frozen=True)
class _Top:
    """The best classes of one view, best first."""

    has: list[bool]
    ids: np.ndarray  # (N, TOP)
    probs: np.ndarray  # (N, TOP)

    @classmethod
    def build(cls, answers: Answers, view: str) -> "_Top":
        probs, has = answers.of(view)
        order = np.argsort(-probs, axis=1, kind="stable")[:, :TOP]
        best = np.take_along_axis(probs, order, axis=1)
        return cls(has.tolist(), answers.class_ids[order], best)

    def classes(self) -> list[int | None]:
        """Return the best class id a product, None without the view."""
        return _where(self.has, self.ids[:, 0].tolist())

    def sureness(self) -> list[float | None]:
        """Return its probability, not rounded: scores are reckoned from it."""
        return _where(self.has, self.probs[:, 0].tolist())

    def pairs(self) -> list[list[tuple[int, float]] | None]:
        """Return [(class id, probability), ...] a product, with the digits that are shown."""
        ids, probs = self.ids.tolist(), np.round(self.probs, 6).tolist()
        found = (list(zip(*row, strict=True)) for row in zip(ids, probs, strict=True))
        return _where(self.has, found)


def _where(has: list[bool], values: Iterable) -> list:
    return [value if ok else None for ok, value in zip(has, values, strict=True)]
