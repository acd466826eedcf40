"""Test predictions of several folds, pooled and scored, for `accuracy.py`."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

VIEWS = ("text", "image", "fused", "fused_without_image", "fused_without_text")
ECE_BINS = 15


class Pooled:
    """Predictions of one variant: a row a product and view, with label, predicted, probability."""

    def __init__(self) -> None:
        self._tables: list[pd.DataFrame] = []
        self._seconds: list[float] = []
        self._peaks_mb: list[float] = []
        self._photos: set[str] = set()

    def add_file(self, path: Path) -> None:
        """Add what `evaluate --predictions` wrote."""
        kinds = {"label": str, "predicted": str, "product_id": str}
        self._tables.append(pd.read_csv(path, dtype=kinds, keep_default_na=False))

    def add_views(self, views: dict[str, pd.DataFrame]) -> None:
        """Add tables by view."""
        self._tables += [table.assign(view=view) for view, table in views.items()]

    def add_cost(self, seconds: float, peak_mb: float, photos: str) -> None:
        self._seconds.append(seconds)
        self._peaks_mb.append(peak_mb)
        self._photos.add(photos)

    def of(self, view: str) -> pd.DataFrame:
        rows = pd.concat(self._tables)
        return rows[rows["view"] == view]

    def __len__(self) -> int:
        return len(self.of("fused"))

    def cost(self) -> dict:
        if not self._seconds:
            return {"train_s": None, "peak_mb": None, "photos": None}
        return {
            "train_s": round(float(np.mean(self._seconds)), 1),
            "peak_mb": round(max(self._peaks_mb)),
            "photos": "+".join(sorted(self._photos)),
        }


def scores(found: Pooled) -> dict:
    """Return macro-F1 of each view, and of the fused answer accuracy and calibration error."""
    fused = found.of("fused")
    is_right = (fused["label"] == fused["predicted"]).to_numpy()
    return {
        **{view: _macro_f1(found.of(view)) for view in VIEWS},
        "fused_accuracy": round(float(is_right.mean()), 4),
        "fused_ece": _calibration_error(is_right, fused["probability"].to_numpy(float)),
    }


def _macro_f1(rows: pd.DataFrame) -> float | None:
    if rows.empty:
        return None
    labels = sorted(rows["label"].unique())
    score = f1_score(rows["label"], rows["predicted"], average="macro", labels=labels)
    return round(float(score), 4)


def _calibration_error(is_right: np.ndarray, sure: np.ndarray) -> float:
    bins = np.clip(np.ceil(sure * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    gaps = np.bincount(bins, weights=is_right - sure, minlength=ECE_BINS)
    return round(float(np.abs(gaps).sum() / len(is_right)), 4)
