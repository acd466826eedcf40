"""Views of labelled products as scores, tables and plain JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from mmcore.config import FUSED
from mmcore.metrics import class_report, confusion, score
from mmcore.views import Decisions, View

# named in every report, null where a model doesn't have them
USUAL_VIEWS = ("text", "image", FUSED, "fused_without_image", "fused_without_text")
PREDICTION_COLUMNS = ("product_id", "split", "label", "view", "predicted", "probability")


def scores_by_view(found: Mapping[str, View], labels: np.ndarray) -> dict[str, dict | None]:
    """Return view -> its scores as JSON values, None for a view without labelled products."""
    names = [*USUAL_VIEWS, *(name for name in found if name not in USUAL_VIEWS)]
    report: dict[str, dict | None] = {}
    for name in names:
        rows = found[name].has & (labels >= 0) if name in found else np.zeros(len(labels), bool)
        report[name] = (
            score(labels[rows], found[name].probs[rows]).to_json() if rows.any() else None
        )
    return report


def class_details(found: Mapping[str, View], labels: np.ndarray, codes: Sequence[str]) -> dict:
    """Return per-class report and confusion matrix of each view with products, as JSON values.

    Rows of the matrix are labels, columns predictions, both in class order.
    """
    details = {}
    for name, view in found.items():
        rows = view.has & (labels >= 0)
        if not rows.any():
            continue
        predicted = view.probs[rows].argmax(axis=1)
        details[name] = {
            "per_class": [asdict(r) for r in class_report(labels[rows], predicted, list(codes))],
            "confusion": confusion(labels[rows], predicted, len(codes)).tolist(),
        }
    return details


def predictions_table(
    decisions: Decisions, found: Mapping[str, View], codes: Sequence[str], split: str
) -> pd.DataFrame:
    """Return one row a labelled product and view: what was predicted, and how surely."""
    names = np.array(codes, dtype=object)
    parts = []
    for name, view in found.items():
        rows = view.has & (decisions.products.labels >= 0)
        best = view.probs[rows].argmax(axis=1)
        parts.append(
            pd.DataFrame(
                {
                    "product_id": decisions.products.product_ids[rows],
                    "split": split,
                    "label": names[decisions.products.labels[rows]],
                    "view": name,
                    "predicted": names[best],
                    "probability": view.probs[rows].max(axis=1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)[list(PREDICTION_COLUMNS)]
