"""The labelled products that are most like another one, by the words and photos a model sees.

Likeness is the cosine between n-grams of the texts, and between photo features less their mean (all
photos have much in common); a product that lacks one of them is judged by the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcore.config import TEXT
from mmcore.services.browse import ProductRow, rows_of
from mmcore.store.engine import Store
from mmcore.store.products import read_facts, read_products
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from scipy import sparse

    from mmcore.runtime import ProductInput, Runtime

MAX_NEIGHBOURS = 500


@dataclass(frozen=True)
class Neighbour:
    """A product like another.

    Attributes:
        id: number in the store; `product_id` is the shop's own.
        likeness: 0 to 1; of texts, of photos where both have one, and their mean.
    """

    id: int
    product_id: str
    likeness: float
    by_text: float | None
    by_photo: float | None


class NeighbourIndex:
    """Every product of a catalogue as one model sees it; built once, asked often."""

    def __init__(self, runtime: "Runtime", store: Store, workspace: Workspace) -> None:
        """Read the catalogue's texts and the photo features that are kept already.

        A photo whose features aren't in the cache (the model moved its backbone, or the cache was
        deleted) takes no part: its product is judged by its words.
        """
        self._runtime = runtime
        with store.reading() as session:
            rows = list(read_products(session))
        self._ids = [(row.id, row.product_id) for row in rows]
        self._place = {row.product_id: i for i, row in enumerate(rows)}
        self._texts = self._encode([row.title for row in rows], [row.description for row in rows])
        self._photos, self._has_photo = self._read_features(workspace, [row.photo for row in rows])

    def _encode(self, titles: Sequence[str], descriptions: Sequence[str]):
        import pandas as pd

        encoder = self._runtime.artifact.encoders.get(TEXT.name)
        if encoder is None or getattr(encoder, "ngrams", None) is None:
            return None
        return encoder.encode_ngrams(
            pd.DataFrame({"title": list(titles), "description": list(descriptions)})
        )[0]

    def _read_features(self, workspace: Workspace, keys: Sequence[str]):
        from mmcore.features import open_cache

        name = self._runtime.artifact.config.model.image_name
        if name is None:
            return None, np.zeros(len(keys), bool)
        cache = open_cache(workspace.cache, self._runtime.artifact.model.towers[name].backbone)
        has = np.array([key in cache for key in keys], bool)
        features = cache.gather(list(keys)).astype(np.float32)
        self._mean = features[has].mean(axis=0) if has.any() else np.zeros(features.shape[1])
        return _unit(features - self._mean), has

    def like_product(self, product_id: str, count: int) -> list[Neighbour]:
        """Return the products most like one of the catalogue, without itself; none if unknown."""
        place = self._place.get(product_id)
        if place is None:
            return []
        text = None if self._texts is None else self._texts[[place]]
        photo = self._photos[place] if self._has_photo[place] else None
        found = self._nearest(text, photo, count + 1)
        return [n for n in found if n.product_id != product_id][:count]

    def like_input(self, product: "ProductInput", count: int) -> list[Neighbour]:
        """Return the products most like one that isn't in the catalogue."""
        text = self._encode([product.title], [product.description])
        if text is not None and not text.nnz:
            text = None
        return self._nearest(text, self._photo_of(product), count)

    def _photo_of(self, product: "ProductInput") -> np.ndarray | None:
        from mmcore.errors import ImageError
        from mmcore.images import decode_photo

        if product.photo is None or not self._has_photo.any():
            return None
        try:
            pixels = decode_photo(product.photo)[None]
        except ImageError:
            return None
        features = self._runtime.engine.extractor.features(pixels)
        return _unit(features - self._mean)[0]

    def _nearest(
        self, text: "sparse.csr_array | None", photo: np.ndarray | None, count: int
    ) -> list[Neighbour]:
        num = len(self._ids)
        by_text = by_photo = None
        total, parts = np.zeros(num, np.float32), np.zeros(num, np.float32)
        if text is not None and self._texts is not None:
            by_text = np.clip((self._texts @ text.T).toarray()[:, 0], 0, 1)
            total, parts = total + by_text, parts + 1
        if photo is not None:
            by_photo = np.where(self._has_photo, np.clip(self._photos @ photo, 0, 1), 0)
            total, parts = total + by_photo, parts + self._has_photo
        if not parts.any():
            return []
        likeness = total / np.maximum(parts, 1)
        count = min(count, num, MAX_NEIGHBOURS)
        best = np.argpartition(-likeness, count - 1)[:count]
        best = best[np.argsort(-likeness[best], kind="stable")]
        return [
            Neighbour(
                *self._ids[i],
                float(likeness[i]),
                None if by_text is None else float(by_text[i]),
                float(by_photo[i]) if by_photo is not None and self._has_photo[i] else None,
            )
            for i in best
            if likeness[i] > 0
        ]


@dataclass(frozen=True)
class LabelledNeighbour:
    """A labelled product like another, and how alike they are (0 to 1)."""

    row: ProductRow
    likeness: float


def labelled_neighbours(
    store: Store, index: NeighbourIndex, product: "ProductInput", count: int, besides: str = ""
) -> tuple[LabelledNeighbour, ...]:
    """Return the labelled products most like one, by the labels that they have now.

    Args:
        besides: the shop's id of a product to leave out: the one that is asked about.
    """
    found: tuple[LabelledNeighbour, ...] = ()
    for reach in (4 * count, MAX_NEIGHBOURS):  # further only where few of the nearest have labels
        near = {n.id: n.likeness for n in index.like_input(product, reach)}
        rows = rows_of(store, list(near))
        found = tuple(
            LabelledNeighbour(row, near[row.id])
            for row in rows
            if row.label is not None and row.product_id != besides
        )
        if len(found) >= count or len(near) < reach:
            break
    return found[:count]


def catalogue_revision(store: Store) -> int:
    """Return a number that every change of the catalogue's texts and photos raises."""
    with store.reading() as session:
        facts = read_facts(session)
    return facts.revision if facts else 0


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
