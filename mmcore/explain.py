"""Why: the words and photo regions that moved a decision, and what each modality was worth.

Words by leaving each out and asking again (Captum's FeatureAblation over word presence, which
holds for any text encoder); regions by integrated gradients over the backbone's 7 x 7 feature
maps (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365), which needs the backbone once.
Both explain the fused answer, with the decision rule of the modalities at hand. A text of which no
known word is left counts as missing, as in a prediction; where nothing at all is left, every class
is taken to be equally likely, for no model is trained to answer to nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from captum.attr import FeatureAblation, IntegratedGradients
from scipy import sparse
from torch import Tensor
from torch.nn.functional import log_softmax

from mmcore.artifact import Artifact
from mmcore.backbones import FEATURE_PX
from mmcore.batches import to_sparse_rows
from mmcore.combiner import Pattern
from mmcore.config import FUSED, ModalityConfig, linear_source, modality_of
from mmcore.encoders import TextEncoder
from mmcore.errors import ProductError
from mmcore.images import decode_photo
from mmcore.pixels import to_tensor
from mmcore.runtime import Prediction, ProductInput, Runtime
from mmcore.text import words

WORDS_A_PASS = 64  # variants of a text that go through the network together
INTEGRATION_STEPS = 16
MAX_WORDS = 120  # distinct words explained; later ones are beyond the 60 tokens anyway
SHOWN_CODES = 10


@dataclass(frozen=True)
class WordWeight:
    """One word and what it did for the class."""

    modality: str
    word: str
    weight: float  # log-probability the class loses without the word; negative: it spoke against


@dataclass(frozen=True)
class Ablation:
    """The fused probability of the class with and without one modality."""

    modality: str
    with_it: float
    without_it: float | None  # None where nothing else is left to decide by


@dataclass(frozen=True)
class Explanation:
    """Why the fused answer gives a class the probability it does."""

    code: str
    probability: float
    words: tuple[WordWeight, ...]  # strongest support first
    regions: np.ndarray | None  # (7, 7), positive where the photo speaks for the class
    ablation: tuple[Ablation, ...]


def explain(
    runtime: Runtime,
    product: ProductInput,
    prediction: Prediction | None = None,
    code: str | None = None,
) -> Explanation:
    """Return why a product is given a class (the fused answer's best one without a choice).

    Raises:
        ProductError: if nothing can be predicted from the product, or the class is unknown.
    """
    prediction = prediction or runtime.predict_one(product)
    codes = runtime.artifact.class_codes
    code = code or prediction.top(FUSED, 1)[0].code
    if code not in codes:
        more = ", ..." if len(codes) > SHOWN_CODES else ""
        raise ProductError(
            f"class {code!r} is not among the model's {len(codes)} classes; name one of them: "
            f"{', '.join(codes[:SHOWN_CODES])}{more}"
        )
    subject = _Subject(runtime, product, prediction, codes.index(code))
    found: list[WordWeight] = []
    for modality in runtime.artifact.config.model.modalities:
        if modality.kind == "text" and modality.name in subject.pattern:
            found += _word_weights(subject, modality)
    return Explanation(
        code=code,
        probability=float(prediction.probs[FUSED][subject.target]),
        words=tuple(sorted(found, key=lambda w: -w.weight)),
        regions=_region_weights(subject),
        ablation=_ablation(subject),
    )


@dataclass(frozen=True)
class _Variants:
    """One modality of a product, changed in B ways."""

    features: Tensor  # (B, dim) of its tower
    linear: Tensor | None  # (B, K) of its linear head, None without one
    has: Tensor | None = None  # (B,) bool, False where nothing of it is left; None: it is there


class _Subject:
    """One product under explanation: its tower features, and the fused answer as a function."""

    def __init__(
        self, runtime: Runtime, product: ProductInput, prediction: Prediction, target: int
    ) -> None:
        self.artifact: Artifact = runtime.artifact
        self.model = runtime.artifact.model
        self.device = runtime.device
        self.product, self.prediction, self.target = product, prediction, target
        self.pattern = tuple(name for name in self.model.names if name in prediction.probs)
        self.maps: Tensor | None = None  # (1, 1280, 7, 7), the photo's feature maps
        with torch.no_grad():
            self.features = {name: self._tower_features(name) for name in self.model.names}
            self.linear = {
                linear_source(name): self._linear_logits(name) for name in self.model.linear
            }

    def _tower_features(self, name: str) -> Tensor:
        """Return (1, dim); anything finite where the product lacks the modality."""
        tower = self.model.towers[name]
        if name not in self.pattern:
            return torch.zeros(1, tower.dim, device=self.device)
        if name == self.artifact.config.model.image_name:
            pixels = decode_photo(self.product.photo)[None]
            self.maps = tower.backbone(to_tensor(pixels, self.device))
            return tower(self.maps)
        rows, _ = self.artifact.encoders[name].encode(self.frame(name))
        return tower(torch.from_numpy(rows).to(self.device))

    def _linear_logits(self, name: str) -> Tensor:
        """Return (1, K) of a modality's linear head; anything where the product lacks it."""
        if name not in self.pattern:
            return torch.zeros(1, self.model.num_classes, device=self.device)
        head = self.model.linear[name]
        if self.maps is not None and name == self.artifact.config.model.image_name:
            return head(self.maps.mean(dim=(2, 3)))
        encoder = self.artifact.encoders[name]
        if isinstance(encoder, TextEncoder):
            ngrams, _ = encoder.encode_ngrams(self.frame(name))
            return self.of_ngrams(name, ngrams)
        rows, _ = encoder.encode(self.frame(name))
        return head(torch.from_numpy(rows).to(self.device))

    def of_ngrams(self, name: str, rows: sparse.csr_array) -> Tensor:
        """Return (B, K) logits of a text modality's linear head."""
        return self.model.linear[name](to_sparse_rows(rows).to(self.device))

    def frame(self, name: str) -> pd.DataFrame:
        """Return the columns of a modality as a frame of one row."""
        modality = next(m for m in self.artifact.config.model.modalities if m.name == name)
        return pd.DataFrame({c: [self.value(c)] for c in modality.columns})

    def value(self, column: str) -> str:
        """Return what the product has in a catalogue column."""
        if column in ("title", "description"):
            return getattr(self.product, column)
        return str(self.product.extra.get(column, ""))

    def log_prob(self, name: str, variants: "_Variants") -> Tensor:
        """Return (B,) log-probability of the class with one modality replaced by variants of it."""
        size, has = len(variants.features), variants.has
        if has is None:
            has = torch.ones(size, dtype=torch.bool, device=self.device)
        features = {n: f.expand(size, -1) for n, f in self.features.items()}
        features[name] = variants.features
        present = {n: torch.full_like(has, n in self.pattern) for n in features} | {name: has}
        logits = self.model.head_logits(features)
        logits |= {source: row.expand(size, -1) for source, row in self.linear.items()}
        if variants.linear is not None:
            logits[linear_source(name)] = variants.linear
        logits[FUSED] = self.model.fuse(features, present)
        with_it = self._decided(self.pattern, logits)
        others = tuple(n for n in self.pattern if n != name)
        equal = torch.full_like(with_it, -math.log(self.model.num_classes))
        without = self._decided(others, logits) if others else equal
        return torch.where(has, with_it, without)

    def _decided(self, pattern: Pattern, logits: dict[str, Tensor]) -> Tensor:
        """Return (B,) log-probability of the class by the decision rule of a pattern."""
        weights = self.artifact.combiner.rule(pattern).weights
        total = sum(w * log_softmax(logits[source], dim=1) for source, w in weights.items())
        return log_softmax(total, dim=1)[:, self.target]


def _word_weights(subject: _Subject, modality: ModalityConfig) -> list[WordWeight]:
    """Return the weight of each distinct word of a text modality that the model knows."""
    encoder = subject.artifact.encoders[modality.name]
    assert isinstance(encoder, TextEncoder)
    texts = {column: words(subject.value(column)) for column in modality.columns}
    # parts of a word that is not in the vocabulary may be known as n-grams
    vocabulary = None if encoder.ngrams else encoder.vocabulary.ids
    known = [w for text in texts.values() for w in text if vocabulary is None or w in vocabulary]
    distinct = list(dict.fromkeys(known))[:MAX_WORDS]

    def answer(presence: Tensor) -> Tensor:
        """Return (B,) log-probability with the words left out whose presence is 0."""
        variants = [
            {word for word, there in zip(distinct, row, strict=True) if not there}
            for row in presence.bool().tolist()
        ]
        left = {
            column: [" ".join(w for w in text if w not in gone) for gone in variants]
            for column, text in texts.items()
        }
        return _of_texts(subject, modality.name, pd.DataFrame(left))

    presence = torch.ones(1, len(distinct))
    weights = FeatureAblation(answer).attribute(presence, perturbations_per_eval=WORDS_A_PASS)
    return [
        WordWeight(modality.name, word, float(weight))
        for word, weight in zip(distinct, weights[0], strict=True)
    ]


@torch.no_grad()
def _of_texts(subject: _Subject, name: str, texts: pd.DataFrame) -> Tensor:
    """Return (B,) log-probability of the class with other texts in the modality's columns."""
    encoder = subject.artifact.encoders[name]
    rows, has_words = encoder.encode(texts)
    features = subject.model.towers[name](torch.from_numpy(rows).to(subject.device))
    ngrams, has_ngrams = encoder.encode_ngrams(texts)
    linear = subject.of_ngrams(name, ngrams) if name in subject.model.linear else None
    has = torch.from_numpy(has_words | has_ngrams).to(subject.device)
    return subject.log_prob(name, _Variants(features, linear, has))


def _region_weights(subject: _Subject) -> np.ndarray | None:
    """Return (7, 7) contributions of the photo's regions, None without a photo."""
    if subject.maps is None:
        return None
    name = subject.artifact.config.model.image_name
    sources = subject.artifact.combiner.rule(subject.pattern).weights
    if not any(source == FUSED or modality_of(source) == name for source in sources):
        return np.zeros((FEATURE_PX, FEATURE_PX))  # the answer rests on other modalities alone
    tower = subject.model.towers[name]
    head = subject.model.linear[name] if name in subject.model.linear else None

    def answer(maps: Tensor) -> Tensor:
        linear = head(maps.mean(dim=(2, 3))) if head else None
        return subject.log_prob(name, _Variants(tower(maps), linear))

    method = IntegratedGradients(answer)
    weights = method.attribute(
        subject.maps.contiguous(), n_steps=INTEGRATION_STEPS, internal_batch_size=None
    )
    regions = weights.sum(dim=1)[0].detach().cpu().numpy()
    assert regions.shape == (FEATURE_PX, FEATURE_PX)
    return regions


def _ablation(subject: _Subject) -> tuple[Ablation, ...]:
    probs = subject.prediction.probs
    with_it = float(probs[FUSED][subject.target])
    rows = []
    for name in subject.pattern:
        without = probs.get(f"{FUSED}_without_{name}")
        left = None if without is None else float(without[subject.target])
        rows.append(Ablation(name, with_it, left))
    return tuple(rows)
