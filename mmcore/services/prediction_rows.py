"""From the views of a piece of the catalogue to the rows that are stored: arrays in, dicts out."""

from collections.abc import Mapping, Sequence
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

    def columns(self, class_ids: Sequence[int | None]) -> np.ndarray:
        """Return the column of each class id, -1 for none and for a class the model lacks."""
        place = {int(c): i for i, c in enumerate(self.class_ids)}
        return np.array([place.get(c, -1) for c in class_ids], dtype=np.int64)


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


def measures(answers: Answers, label_columns: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the queue is ordered by: margin, entropy, disagreement, suspicion, each (N,).

    Args:
        label_columns: (N,) column of the stored label, -1 where there is none.
    """
    from mmcore import scoring

    text, has_text = answers.of(TEXT)
    image, has_image = answers.of(IMAGE)
    return {
        "margin": scoring.margins(answers.probs[FUSED]),
        "entropy": scoring.entropies(answers.probs[FUSED]),
        "disagreement": scoring.disagreements(text, image, has_text & has_image),
        "suspicion": scoring.suspicions(text, image, label_columns, has_text, has_image),
    }


def build_rows(
    answers: Answers,
    version_id: int,
    product_ids: Sequence[int],
    label_ids: Sequence[int | None],
    label_columns: np.ndarray,
) -> list[dict]:
    """Return a row of table `prediction` for each product that has a fused answer."""
    found = measures(answers, label_columns)
    columns: dict[str, list] = {name: values.tolist() for name, values in found.items()}
    tops = {view: _top(answers, view) for view in answers.probs}
    for view in (FUSED, TEXT, IMAGE):
        best = tops.get(view) or [None] * len(product_ids)
        columns[f"{view}_class_id"] = [top and top[0][0] for top in best]
        columns[f"{view}_probability"] = [top and top[0][1] for top in best]
    columns["top"] = [
        {view: _rounded(rows[i]) for view, rows in tops.items() if rows[i] is not None}
        for i in range(len(product_ids))
    ]
    columns["model_version_id"] = [version_id] * len(product_ids)
    columns["product_id"], columns["label_class_id"] = list(product_ids), list(label_ids)
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return [row for row, has in zip(rows, answers.has[FUSED], strict=True) if has]


def _top(answers: Answers, view: str) -> list[list | None]:
    """Return [[class id, probability], ...], best first, a product; None without the view."""
    probs, has = answers.of(view)
    order = np.argsort(-probs, axis=1, kind="stable")[:, :TOP]
    values = np.take_along_axis(probs, order, axis=1).tolist()
    ids = answers.class_ids[order].tolist()
    return [
        [list(pair) for pair in zip(*row, strict=True)] if ok else None
        for ok, *row in zip(has.tolist(), ids, values, strict=True)
    ]


def _rounded(pairs: list[list]) -> list[list]:
    """Return the pairs as they are kept for showing: a digit more would cost disk and tell none."""
    return [[class_id, round(probability, 6)] for class_id, probability in pairs]
