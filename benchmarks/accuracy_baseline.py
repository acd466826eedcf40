"""What a good engineer gets in an afternoon, for `accuracy.py`: scikit-learn and frozen features.

Text: TF-IDF of words and parts of words, logistic regression. Image: the frozen features that a
training of Rayon's left in its cache, standardised, logistic regression. Fused: both
log-probabilities, weighted. All constants are chosen on val.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy_folds import SPLIT, Fold
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_union
from sklearn.preprocessing import StandardScaler

from mmcore.features import FeatureCache
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.settings import read_settings
from mmcore.workspace import Workspace

TEXT_STRENGTHS = (20, 80)
IMAGE_STRENGTHS = (0.003, 0.01, 0.03)
SMALLEST = 1e-6  # probability of a class that the training didn't see


def baseline_views(fold: Fold, home: Path) -> dict[str, pd.DataFrame]:
    """Return the test predictions of text, image and both."""
    data = _Data(fold)
    probs = {"text": data.best(_text_features(fold), TEXT_STRENGTHS)}
    if fold.has_photos:
        probs["image"] = data.best(_photo_features(fold, home), IMAGE_STRENGTHS)
        logs = {view: np.log(p + SMALLEST) for view, p in probs.items()}
        probs["fused"] = data.weighted(logs["text"], logs["image"])
    else:
        probs["fused"] = probs["text"]
    return {view: data.table(p) for view, p in probs.items()}


class _Data:
    """The labels of a fold, and who learns, chooses and is tested."""

    def __init__(self, fold: Fold) -> None:
        self.names = sorted({row[fold.label] for row in fold.rows})
        self.labels = np.array([self.names.index(row[fold.label]) for row in fold.rows])
        splits = np.array([row[SPLIT] for row in fold.rows])
        self.train, self.val, self.test = (splits == s for s in ("train", "val", "test"))

    def best(self, features, strengths: Iterable[float]) -> np.ndarray:
        fitted = (self._fit(features, strength) for strength in strengths)
        return max(fitted, key=lambda probs: self._score(probs))

    def weighted(self, text: np.ndarray, image: np.ndarray) -> np.ndarray:
        mixed = (share * text + (1 - share) * image for share in np.linspace(0, 1, 41))
        best = np.exp(max(mixed, key=lambda logs: self._score(logs)))
        return best / best.sum(axis=1, keepdims=True)

    def table(self, probs: np.ndarray) -> pd.DataFrame:
        chosen = probs[self.test].argmax(axis=1)
        return pd.DataFrame(
            {
                "label": [self.names[i] for i in self.labels[self.test]],
                "predicted": [self.names[i] for i in chosen],
                "probability": probs[self.test].max(axis=1),
            }
        )

    def _fit(self, features, strength: float) -> np.ndarray:
        model = LogisticRegression(C=strength, max_iter=400, tol=1e-3)
        model.fit(features[self.train], self.labels[self.train])
        probs = np.full((len(self.labels), len(self.names)), SMALLEST)
        probs[:, model.classes_] = model.predict_proba(features)
        return probs

    def _score(self, scores: np.ndarray) -> float:
        chosen, labels = scores[self.val].argmax(axis=1), self.labels[self.val]
        return f1_score(labels, chosen, average="macro", labels=np.unique(labels))


def _text_features(fold: Fold):
    def words(row: dict) -> str:
        return f"{row.get('title') or ''} . {row.get('description') or ''}"

    shared = {"sublinear_tf": True, "min_df": 2}
    vectorizer = make_union(
        TfidfVectorizer(ngram_range=(1, 2), **shared),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared),
    )
    vectorizer.fit([words(row) for row in fold.split("train")])
    return vectorizer.transform([words(row) for row in fold.rows]).tocsr()


def _photo_features(fold: Fold, home: Path) -> np.ndarray:
    workspace = Workspace(home)
    products = read_catalogue(workspace, read_settings(home)).products
    keys = dict(zip(products["product_id"], products["photo"], strict=True))
    (folder,) = (workspace.cache / "features").iterdir()
    features = FeatureCache(folder).gather([keys[row["product_id"]] for row in fold.rows])
    features = features.astype(np.float32)
    is_train = np.array([row[SPLIT] == "train" for row in fold.rows])
    return StandardScaler().fit(features[is_train]).transform(features)
