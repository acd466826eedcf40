"""Product columns to the arrays the towers take. Fitted on TRAIN, kept inside the model folder."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from mmcore.config import ModalityConfig
from mmcore.errors import ConfigError
from mmcore.figures import parse_number
from mmcore.ngrams import NgramEncoder, fit_ngrams, ngrams_from_json, ngrams_to_json
from mmcore.text import PAD_ID, TEXT_LENGTH, Vocabulary, build_vocabulary

MAX_CATEGORIES = 50  # most frequent values of a category column that get a place of their own
NUMERIC_SHARE = 0.9  # a column with at least this share of numbers among its values is numeric;
# with at least this share it is, too, unless its frequent values as categories say more
MIXED_SHARE = 0.5
MIN_DEVIATION = 1e-6  # of logs; below it all numbers are one, but for rounding
MAX_DEVIATIONS = 10.0
MAX_NUMBER = 1e15  # larger ones are typing errors (1e308), which must not drown everything else


@dataclass(frozen=True)
class TextEncoder:
    """Token ids of one or more text columns, the most important column first."""

    columns: tuple[str, ...]
    vocabulary: Vocabulary
    length: int = TEXT_LENGTH
    ngrams: NgramEncoder | None = None  # for the linear head, where the model has one

    def encode(self, products: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, 60) int64 token ids and (N,) bool: whether any known word is there."""
        columns = [products[column] for column in self.columns]
        ids = np.full((len(products), self.length), PAD_ID, dtype=np.int64)
        for i, texts in enumerate(zip(*columns, strict=True)):
            ids[i] = self.vocabulary.encode(texts, self.length)
        return ids, (ids != PAD_ID).any(axis=1)

    def encode_ngrams(self, products: pd.DataFrame) -> tuple[sparse.csr_array | None, np.ndarray]:
        """Return (N, D) rows for the linear head, None without one; and (N,) bool: whether there
        is anything in a row. A text of unknown words may still hold known parts of words."""
        if self.ngrams is None:
            return None, np.zeros(len(products), dtype=bool)
        rows = self.ngrams.encode(products)
        return rows, np.diff(rows.indptr) > 0


@dataclass(frozen=True)
class NumericColumn:
    """A number: signed log, then standardised; prices spread over decades."""

    name: str
    mean: float
    std: float

    width = 1

    def encode(self, values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, 1) float32, 0 (the train mean) without a number; and (N,) bool: one is there.

        A word among the numbers ("on request") counts as nothing said.
        """
        logs = np.array([_signed_log(value) for value in values], dtype=np.float64)
        deviations = np.clip((logs - self.mean) / self.std, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        return np.nan_to_num(deviations).astype(np.float32)[:, None], np.isfinite(logs)


@dataclass(frozen=True)
class CategoryColumn:
    """A category: one place for each frequent train value."""

    name: str
    values: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.values)

    def encode(self, values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, categories) float32 one-hot, all 0 where the value is empty or unknown; and
        (N,) bool: there is a value. An unknown one is something said: a rare brand is a fact, too.
        """
        places = {value: i for i, value in enumerate(self.values)}
        rows = np.zeros((len(values), self.width), dtype=np.float32)
        for i, value in enumerate(values):
            if value.strip() in places:
                rows[i, places[value.strip()]] = 1
        return rows, np.array([bool(value.strip()) for value in values], dtype=bool)


@dataclass(frozen=True)
class TabularEncoder:
    """Numbers and categories of a product as one row of floats."""

    columns: tuple[NumericColumn | CategoryColumn, ...]

    @property
    def width(self) -> int:
        """Return F, the floats a product."""
        return sum(column.width for column in self.columns)

    def encode(self, products: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, F) float32 and (N,) bool: whether any of the columns says anything."""
        encoded = [column.encode(list(products[column.name])) for column in self.columns]
        blocks, filled = zip(*encoded, strict=True)
        return np.concatenate(blocks, axis=1), np.logical_or.reduce(filled)


Encoder = TextEncoder | TabularEncoder


def fit_encoder(modality: ModalityConfig, train: pd.DataFrame) -> Encoder:
    """Return the encoder of a text or tabular modality, fitted on the train products.

    Raises:
        ConfigError: if the catalogue lacks a column, or the column is empty throughout.
    """
    missing = [column for column in modality.columns if column not in train.columns]
    if missing:
        raise ConfigError(
            f"modality {modality.name!r} reads column {missing[0]!r}, which the catalogue lacks; "
            f"it has {', '.join(train.columns)}; import again with --extra {missing[0]}"
        )
    if modality.kind == "text":
        texts = (text for column in modality.columns for text in train[column])
        vocabulary = build_vocabulary(texts)
        _refuse_empty(not vocabulary.words, modality)
        return TextEncoder(modality.columns, vocabulary)
    encoder = TabularEncoder(tuple(_fit_column(name, train[name]) for name in modality.columns))
    _refuse_empty(not encoder.width, modality)
    return encoder


def with_ngrams(encoders: Mapping[str, Encoder], products: pd.DataFrame) -> dict[str, Encoder]:
    """Return the text encoders with the n-grams of the products to learn from.

    Args:
        products: of train and val: linear heads learn from both.
    """
    return {
        name: replace(encoder, ngrams=fit_ngrams(encoder.columns, products))
        for name, encoder in encoders.items()
        if isinstance(encoder, TextEncoder)
    }


def _refuse_empty(is_empty: bool, modality: ModalityConfig) -> None:
    if is_empty:
        raise ConfigError(
            f"modality {modality.name!r}: no train product has anything in "
            f"{' or '.join(modality.columns)}; leave it out of --modalities"
        )


def _fit_column(name: str, values: pd.Series) -> NumericColumn | CategoryColumn:
    filled = [value.strip() for value in values if value.strip()]
    ranked = sorted(Counter(filled).items(), key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]
    logs = np.array([_signed_log(value) for value in filled])
    finite = logs[np.isfinite(logs)]
    # what categories would keep; a value that comes once teaches nothing of other products
    by_category = sum(count for _, count in ranked if count > 1)
    is_number = len(finite) >= NUMERIC_SHARE * len(filled)
    is_mostly = len(finite) >= MIXED_SHARE * len(filled) and by_category < len(finite)
    if filled and (is_number or is_mostly):
        std = float(finite.std())
        return NumericColumn(name, float(finite.mean()), std if std > MIN_DEVIATION else 1.0)
    return CategoryColumn(name, tuple(value for value, _ in ranked))


def _signed_log(text: str) -> float:
    """Return sign(x) log(1 + |x|) of a number, NaN where the text is none."""
    number = parse_number(text)
    if math.isnan(number):
        return number
    return math.copysign(math.log1p(min(abs(number), MAX_NUMBER)), number)


def encoder_to_json(encoder: Encoder) -> dict:
    """Return an encoder as plain JSON values."""
    if isinstance(encoder, TextEncoder):
        ngrams = encoder.ngrams
        return {
            "kind": "text",
            "columns": list(encoder.columns),
            "length": encoder.length,
            "words": list(encoder.vocabulary.words),
            "ngrams": None if ngrams is None else ngrams_to_json(ngrams),
        }
    columns = [
        {"name": c.name, "mean": c.mean, "std": c.std}
        if isinstance(c, NumericColumn)
        else {"name": c.name, "values": list(c.values)}
        for c in encoder.columns
    ]
    return {"kind": "tabular", "columns": columns}


def encoder_from_json(data: dict) -> Encoder:
    """Return the encoder that `encoder_to_json` wrote.

    Raises:
        ConfigError: if the data is not of that form.
    """
    try:
        if data["kind"] == "text":
            vocabulary = Vocabulary(tuple(data["words"]))
            ngrams = None if data["ngrams"] is None else ngrams_from_json(data["ngrams"])
            return TextEncoder(tuple(data["columns"]), vocabulary, int(data["length"]), ngrams)
        return TabularEncoder(
            tuple(
                CategoryColumn(c["name"], tuple(c["values"]))
                if "values" in c
                else NumericColumn(c["name"], float(c["mean"]), float(c["std"]))
                for c in data["columns"]
            )
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"an encoder can't be read from {json.dumps(data)[:80]}: {error}"
        ) from error
