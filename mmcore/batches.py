"""The trainer's path from products to tensors: class ids, bytes and cached features.

Holds the same products as `MultimodalDataGenerator`, without one-hot labels and float pixels;
`tests/test_generator.py` holds the two equal.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from mmcore.config import ModelConfig
from mmcore.encoders import Encoder, TextEncoder
from mmcore.extractors import Extractor
from mmcore.features import FeatureCache
from mmcore.linear import SparseRows
from mmcore.pixels import PhotoReader, photos_a_pass, to_tensor

UNLABELLED = -1
LIGHT_BATCH = 256  # products a pass without a backbone: small matrices only


@dataclass(frozen=True)
class EncodedProducts:
    """Products as arrays, N rows; photos by key, everything else encoded."""

    product_ids: np.ndarray  # (N,) str
    inputs: Mapping[str, np.ndarray]  # modality -> (N, ...), without the image
    present: Mapping[str, np.ndarray]  # modality -> (N,) bool; image: a photo is named
    photos: np.ndarray  # (N,) str, "" where there is none
    labels: np.ndarray  # (N,) int64 class ids, UNLABELLED where there is none
    # text modality -> (N, D) rows for its linear head, where it has one
    ngrams: Mapping[str, sparse.csr_array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.product_ids)


@dataclass(frozen=True)
class Batch:
    """One batch on its device."""

    inputs: dict[str, Tensor]
    present: dict[str, Tensor]
    labels: Tensor
    ngrams: dict[str, SparseRows] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)


def encode_products(
    products: pd.DataFrame,
    model: ModelConfig,
    encoders: Mapping[str, Encoder],
    class_codes: Sequence[str],
) -> EncodedProducts:
    """Return the products as arrays.

    Args:
        products: catalogue columns; column `label` may be absent (prediction), and so may a column
            that a modality reads: it counts as missing everywhere (see `lacking_columns`).
        encoders: modality name -> fitted encoder, for each modality but the image.
        class_codes: K codes; a label that is none of them becomes UNLABELLED.
    """
    products = products.assign(**dict.fromkeys(lacking_columns(products, model), ""))
    encoded = {name: encoder.encode(products) for name, encoder in encoders.items()}
    inputs = {name: rows for name, (rows, _) in encoded.items()}
    present = {name: filled for name, (_, filled) in encoded.items()}
    ngrams = {}
    for name, encoder in encoders.items():
        if isinstance(encoder, TextEncoder) and encoder.ngrams:
            ngrams[name], has = encoder.encode_ngrams(products)
            present[name] = present[name] | has
    photos = np.array(products["photo"], dtype=object)
    if model.image_name:
        present[model.image_name] = photos != ""
    ids = {code: i for i, code in enumerate(class_codes)}
    labels = products["label"] if "label" in products else [""] * len(products)
    return EncodedProducts(
        product_ids=np.array(products["product_id"], dtype=object),
        inputs=inputs,
        present={m.name: present[m.name] for m in model.modalities},
        photos=photos,
        labels=np.array([ids.get(label, UNLABELLED) for label in labels], dtype=np.int64),
        ngrams=ngrams,
    )


def concatenate(parts: Sequence[EncodedProducts]) -> EncodedProducts:
    """Return the products of all parts, which come from the same encoders, in order."""
    first = parts[0]

    def joined(arrays: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate(list(arrays))

    return EncodedProducts(
        product_ids=joined(part.product_ids for part in parts),
        inputs={name: joined(part.inputs[name] for part in parts) for name in first.inputs},
        present={name: joined(part.present[name] for part in parts) for name in first.present},
        photos=joined(part.photos for part in parts),
        labels=joined(part.labels for part in parts),
        ngrams={
            name: sparse.csr_array(sparse.vstack([part.ngrams[name] for part in parts]))
            for name in first.ngrams
        },
    )


def take(products: EncodedProducts, rows: np.ndarray) -> EncodedProducts:
    """Return some of the products.

    Args:
        rows: (n,) their numbers, or (N,) bool.
    """
    return EncodedProducts(
        product_ids=products.product_ids[rows],
        inputs={name: array[rows] for name, array in products.inputs.items()},
        present={name: array[rows] for name, array in products.present.items()},
        photos=products.photos[rows],
        labels=products.labels[rows],
        ngrams={name: array[rows] for name, array in products.ngrams.items()},
    )


def to_sparse_rows(rows: sparse.csr_array) -> SparseRows:
    """Return rows of a sparse matrix as tensors."""
    ids, starts = (a.astype(np.int64) for a in (rows.indices, rows.indptr[:-1]))
    return SparseRows(*map(torch.from_numpy, (ids, rows.data.astype(np.float32), starts)))


def lacking_columns(products: pd.DataFrame, model: ModelConfig) -> list[str]:
    """Return the columns that a model reads and the products don't have."""
    read = dict.fromkeys(column for m in model.modalities for column in m.columns)
    return [column for column in read if column not in products]


class ImageSource(Protocol):
    """Where a batch's photos come from: cached features or fresh pixels."""

    batch_size: int  # products a batch that suits this source when nothing is learnt

    def stream(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[Tensor, np.ndarray]]:
        """Yield (input of the image tower (B, ...), (B,) bool readable) of each batch of keys."""
        ...


class CachedFeatures:
    """Photos as (B, 1280) features of a frozen backbone."""

    def __init__(self, cache: FeatureCache, device: torch.device) -> None:
        self._cache = cache
        self._device = device
        self.batch_size = LIGHT_BATCH

    def stream(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[Tensor, np.ndarray]]:
        for keys in batches:
            features = torch.from_numpy(self._cache.gather(keys)).to(self._device).float()
            yield features, np.array([key in self._cache for key in keys], dtype=bool)


class FreshPixels:
    """Photos as (B, 3, 224, 224) pixels, decoded ahead."""

    def __init__(self, reader: PhotoReader, device: torch.device) -> None:
        self._reader = reader
        self._device = device
        self.batch_size = photos_a_pass(device)

    def stream(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[Tensor, np.ndarray]]:
        for pixels, is_readable in self._reader.stream(batches):
            yield to_tensor(pixels, self._device), is_readable


class FreshFeatures:
    """Photos as (B, 1280) features, computed when they are asked for."""

    def __init__(self, extractor: Extractor, reader: PhotoReader, device: torch.device) -> None:
        self._extractor, self._reader, self._device = extractor, reader, device
        self.batch_size = extractor.batch_size

    def stream(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[Tensor, np.ndarray]]:
        for features, is_readable in self._extractor.stream(self._reader, batches):
            yield torch.from_numpy(features).to(self._device), is_readable


class BatchReader:
    """Reads any rows of encoded products as batches on a device."""

    def __init__(
        self,
        products: EncodedProducts,
        image_name: str | None,
        images: ImageSource | None,
        device: torch.device,
    ) -> None:
        """Bind products to where their photos come from.

        Args:
            image_name: name of the image modality, None where the model has none.
            images: needed where `image_name` is given.
        """
        self.products = products
        self._image_name = image_name
        self._images = images
        self._device = device

    def all_in_order(self) -> Iterator[Batch]:
        """Yield all products in their order, in batches that suit prediction."""
        size = self._images.batch_size if self._images else LIGHT_BATCH
        rows = np.arange(len(self.products))
        return self.stream([rows[i : i + size] for i in range(0, len(rows), size)])

    def stream(self, batches: Sequence[np.ndarray]) -> Iterator[Batch]:
        """Yield a Batch for each array of row numbers."""
        if self._image_name is None or self._images is None:
            for rows in batches:
                yield self._batch(rows, None, None)
            return
        keys = (list(self.products.photos[rows]) for rows in batches)
        for rows, (photos, is_readable) in zip(batches, self._images.stream(keys), strict=True):
            yield self._batch(rows, photos, is_readable)

    def _batch(self, rows: np.ndarray, photos: Tensor | None, is_readable) -> Batch:
        products = self.products
        inputs = {name: torch.from_numpy(a[rows]) for name, a in products.inputs.items()}
        present = {name: a[rows] for name, a in products.present.items()}
        if photos is not None:
            inputs[self._image_name] = photos
            present[self._image_name] = present[self._image_name] & is_readable
        return Batch(
            {name: t.to(self._device) for name, t in inputs.items()},
            {name: torch.from_numpy(a).to(self._device) for name, a in present.items()},
            torch.from_numpy(products.labels[rows]).to(self._device),
            {n: to_sparse_rows(m[rows]).to(self._device) for n, m in products.ngrams.items()},
        )


class InterruptibleReader:
    """A reader that asks before each batch whether to go on, for passes that learn nothing."""

    def __init__(self, reader: BatchReader, check: Callable[[], None]) -> None:
        """Wrap a reader.

        Args:
            check: raises to stop.
        """
        self.products = reader.products
        self._reader, self._check = reader, check

    def all_in_order(self) -> Iterator[Batch]:
        """Yield what the reader yields."""
        for batch in self._reader.all_in_order():
            self._check()
            yield batch
