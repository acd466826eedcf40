"""Hashed word and character n-grams of a text, weighted by how rare they are.

What the word CNN can't see on a few hundred products: parts of words, spellings, sizes, brands.
A linear model over them is the strongest plain text classifier there is at this size (on the
Rakuten challenge 0.870 weighted F1 against 0.74 to 0.80 of a word CNN).

The columns are read together and each by itself: a word says one thing in a title and another in a
description, but where they repeat each other, words of a column alone would be too rare.

The hash is scikit-learn's (MurmurHash3), so nothing but numbers has to be kept: the hashes that
occur in at least two products, and in how many.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from mmcore.errors import ConfigError
from mmcore.stored_rows import stored_rows
from mmcore.text import clean_text

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer

HASHES = 1 << 20  # of words and of characters each: collisions stay rare up to a million n-grams
MIN_PRODUCTS = 2  # an n-gram of one product alone says nothing about others
MAX_NGRAMS = 300_000  # the most frequent are kept; bounds the size of the model
WORD_NGRAMS = (1, 2)
CHARACTER_NGRAMS = (3, 5)  # inside words, their edges marked by a space
_PIECE = 4096  # texts hashed at once

_SHARED = {"n_features": HASHES, "alternate_sign": False, "norm": None, "lowercase": False}
_WORDS = {"analyzer": "word", "token_pattern": r"(?u)\b\w+\b", "ngram_range": WORD_NGRAMS}
_CHARACTERS = {"analyzer": "char_wb", "ngram_range": CHARACTER_NGRAMS}


@dataclass(frozen=True)
class NgramEncoder:
    """Product texts to sparse rows of unit length; fitted on the products to learn from.

    Attributes:
        readings: each some text columns, read as one text with n-grams of its own.
        hashes: sorted numbers of the n-grams that count; block b of reading and hasher holds those
            from b * HASHES on.
        counts: in how many products each occurs.
        num_products: there were.
    """

    readings: tuple[tuple[str, ...], ...]
    hashes: np.ndarray
    counts: np.ndarray
    num_products: int

    @property
    def width(self) -> int:
        """Return D, the number of n-grams that count."""
        return len(self.hashes)

    @cached_property
    def _rarity(self) -> np.ndarray:
        # smoothed inverse document frequency, as scikit-learn's TfidfTransformer has it
        return (np.log((1 + self.num_products) / (1 + self.counts)) + 1).astype(np.float32)

    def encode(self, products: pd.DataFrame) -> sparse.csr_array:
        """Return (N, D) float32 rows; words and characters of each reading weigh alike, and a
        product without any n-gram has a row of zeros.

        Rows of many products lie in a file without a name and not in memory.

        Raises:
            WorkspaceError: if there is no room for that file.
        """
        if len(products) <= _PIECE:
            return sparse.csr_array(self._rows(products))
        return stored_rows((self._rows(piece) for piece in _pieces(products)), self.width)

    @cached_property
    def _columns(self) -> np.ndarray:
        """Return (blocks, HASHES) int32: the column of each n-gram that counts, -1 for others."""
        num_blocks = len(self.readings) * len(_hashers())
        columns = np.full(num_blocks * HASHES, -1, np.int32)
        columns[self.hashes] = np.arange(self.width, dtype=np.int32)
        return columns.reshape(num_blocks, HASHES)

    def _rows(self, products: pd.DataFrame) -> sparse.csr_matrix:
        counted = _count(products, self.readings)
        blocks = [self._weighted(*pair) for pair in zip(self._columns, counted, strict=True)]
        return _unit(sum(blocks[1:], start=blocks[0]))

    def _weighted(self, columns: np.ndarray, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return (N, D) rows of length 1, from the counts of one block."""
        found = columns[counts.indices]
        counts_here = found >= 0
        ids = found[counts_here]
        values = (1 + np.log(counts.data[counts_here].astype(np.float32))) * self._rarity[ids]
        starts = np.concatenate([[0], np.cumsum(counts_here)])[counts.indptr]
        return _unit(sparse.csr_matrix((values, ids, starts), (counts.shape[0], self.width)))


def _unit(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the rows scaled to length 1; an empty row stays 0."""
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1)).A1
    scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    rows.data *= np.repeat(scale, np.diff(rows.indptr))
    return rows


def fit_ngrams(columns: Sequence[str], products: pd.DataFrame) -> NgramEncoder:
    """Return the encoder of the n-grams that occur in the products to learn from.

    Args:
        columns: text columns, the most important first.
    """
    readings = _readings(tuple(columns), products)
    totals: list[np.ndarray] = []
    for piece in _pieces(products):
        for number, counts in enumerate(_count(piece, readings)):
            occurring = np.bincount(counts.indices, minlength=HASHES).astype(np.int32)
            if number == len(totals):
                totals.append(occurring)
            else:
                totals[number] += occurring
    counts = np.concatenate(totals) if totals else np.zeros(0, np.int32)
    hashes = np.flatnonzero(counts >= MIN_PRODUCTS)
    if len(hashes) > MAX_NGRAMS:
        # stable: among equally frequent ones the lower number stays, whatever the machine
        hashes = np.sort(hashes[np.argsort(-counts[hashes], kind="stable")[:MAX_NGRAMS]])
    return NgramEncoder(readings, hashes, counts[hashes], len(products))


def _readings(columns: tuple[str, ...], products: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return all columns together, and each by itself where at least two say anything."""
    filled = [(column,) for column in columns if products[column].str.strip().any()]
    return (columns, *filled) if len(filled) > 1 else (columns,)


def _pieces(products: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the products in pieces, at least one, perhaps empty."""
    for start in range(0, max(1, len(products)), _PIECE):
        yield products.iloc[start : start + _PIECE]


def _count(
    products: pd.DataFrame, readings: Sequence[tuple[str, ...]]
) -> Iterator[sparse.csr_matrix]:
    """Yield (N, HASHES) counts of each reading by each hasher, blocks in a fixed order."""
    counted = {column: _hashed(products[column]) for reading in readings for column in reading}
    for reading in readings:
        for parts in zip(*(counted[column] for column in reading), strict=True):
            # no n-gram goes from one column into the next, so that those of all are their sum
            yield sum(parts[1:], start=parts[0])


@cache
def _hashers() -> tuple["HashingVectorizer", ...]:
    # scikit-learn takes half a second to import: a model without n-grams does without
    from sklearn.feature_extraction.text import HashingVectorizer

    return tuple(HashingVectorizer(**parts, **_SHARED) for parts in (_WORDS, _CHARACTERS))


def _hashed(texts: Sequence[str]) -> list[sparse.csr_matrix]:
    cleaned = [clean_text(text) for text in texts]
    return [
        counted_by_word(hasher, cleaned)
        if hasher.analyzer == "char_wb"
        else _transformed(hasher, cleaned)
        for hasher in _hashers()
    ]


def counted_by_word(hasher: "HashingVectorizer", texts: Sequence[str]) -> sparse.csr_matrix:
    """Return the counts of n-grams that never leave a word: each word is taken apart once.

    The most frequent words make up most of a shop's texts.
    """
    places: dict[str, int] = {}
    ids = [[places.setdefault(word, len(places)) for word in text.split()] for text in texts]
    starts = np.cumsum([0, *map(len, ids)])
    flat = np.fromiter((i for row in ids for i in row), np.int32, starts[-1])
    shape = (len(texts), len(places))
    occurring = sparse.csr_matrix((np.ones(len(flat)), flat, starts), shape)
    occurring.sum_duplicates()
    counts = occurring @ _transformed(hasher, list(places))
    counts.sort_indices()
    return counts


def _transformed(hasher: "HashingVectorizer", texts: Sequence[str]) -> sparse.csr_matrix:
    # one more line, cut off again: a hasher refuses an empty list
    return hasher.transform([*texts, ""])[:-1]


def ngrams_to_json(encoder: NgramEncoder) -> dict:
    """Return an encoder as plain JSON values."""
    return {
        "readings": [list(columns) for columns in encoder.readings],
        "hashes": encoder.hashes.tolist(),
        "counts": encoder.counts.tolist(),
        "num_products": encoder.num_products,
    }


def ngrams_from_json(data: dict) -> NgramEncoder:
    """Return the encoder that `ngrams_to_json` wrote.

    Raises:
        ConfigError: if the data is not of that form.
    """
    try:
        hashes = np.array(data["hashes"], dtype=np.int64)
        counts = np.array(data["counts"], dtype=np.int32)
        if len(hashes) != len(counts) or (np.diff(hashes) <= 0).any():
            raise ValueError("hashes must be ascending, with a count each")
        readings = tuple(map(tuple, data["readings"]))
        return NgramEncoder(readings, hashes, counts, int(data["num_products"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"the n-grams can't be read: {error}; train the model again") from error
