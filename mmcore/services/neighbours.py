"""The labelled products that are most like another one, by the words and photos a model sees.

Likeness is the cosine between n-grams of the texts, and between photo features less their mean (all
photos have much in common); a product that lacks one of them is judged by the other. Both are
mapped from the disk: see `inverted.py` and `photo_likeness.py`. Next: neighbour_reading.py.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcore.services.browse import ProductRow, rows_of
from mmcore.services.neighbour_texts import (
    Plan,
    frame_of,
    make_plan,
    make_segments,
    text_encoder,
    texts_of,
)
from mmcore.store.browse import find_product
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from scipy import sparse

    from mmcore.photo_likeness import PhotoLikeness
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
    """Every product of a catalogue as one model sees it; opened once, asked often.

    A photo whose features aren't in the cache (the model moved its backbone, or the cache was
    deleted) takes no part: its product is judged by its words.
    """

    def __init__(self, runtime: "Runtime", store: Store, workspace: Workspace, plan: Plan) -> None:
        """Map what the plan's files and the feature cache hold.

        Raises:
            OSError, ValueError: if a file of the plan is gone or cut off.
        """
        from mmcore.inverted import Segment

        self._runtime, self._store, self._plan = runtime, store, plan
        self._encoder = text_encoder(runtime.artifact)
        self._segments = []
        if self._encoder is not None:
            self._segments = [Segment(plan.path(part)) for part in plan.parts]
        self._photos = _photos(runtime, workspace, plan)

    def like_product(self, product_id: str, count: int) -> list[Neighbour]:
        """Return the products most like one of the catalogue, without itself; none if unknown."""
        with self._store.reading() as session:
            row = find_product(session, product_id)
        if row is None or row.removed_at is not None:
            return []
        text = None
        if self._encoder is not None:
            text = self._encode(texts_of(row, self._encoder.columns))
        features = self._photos.features_of(row.photo) if self._photos else None
        found = self._nearest(text, features, count + 1)
        return [n for n in found if n.product_id != product_id][:count]

    def like_input(self, product: "ProductInput", count: int) -> list[Neighbour]:
        """Return the products most like one that isn't in the catalogue."""
        text = None
        if self._encoder is not None:
            text = self._encode(texts_of(product, self._encoder.columns))
        return self._nearest(
            text if text is not None and text.nnz else None, self._seen(product), count
        )

    def _encode(self, texts: tuple[str, ...]) -> "sparse.csr_array":
        columns = self._encoder.columns
        return self._encoder.encode_ngrams(frame_of([texts], columns))[0]

    def _seen(self, product: "ProductInput") -> np.ndarray | None:
        """Return the features of a photo that is given, None without a readable one."""
        from mmcore.errors import ImageError
        from mmcore.images import decode_photo

        if product.photo is None or not self._photos:
            return None
        try:
            pixels = decode_photo(product.photo)[None]
        except ImageError:
            return None
        return self._runtime.engine.extractor.features(pixels)[0]

    def _nearest(
        self, text: "sparse.csr_array | None", features: np.ndarray | None, count: int
    ) -> list[Neighbour]:
        plan, num = self._plan, len(self._plan.ids)
        by_text = by_photo = None
        total, parts = np.zeros(num, np.float32), np.zeros(num, np.float32)
        if text is not None:
            found = [segment.likeness(text) for segment in self._segments]
            by_text = np.clip(np.concatenate(found), 0, 1) if found else total
            total, parts = total + by_text, parts + 1
        if features is not None:
            by_photo = self._photos.likeness(features)
            total, parts = total + by_photo, parts + self._photos.has
        if not parts.any():
            return []
        likeness = total / np.maximum(parts, 1)
        count = min(count, num, MAX_NEIGHBOURS)
        best = np.argpartition(-likeness, count - 1)[:count]
        best = best[np.argsort(-likeness[best], kind="stable")]
        return [
            Neighbour(
                int(plan.ids[i]),
                plan.product_ids[i],
                float(likeness[i]),
                None if by_text is None else float(by_text[i]),
                float(by_photo[i]) if by_photo is not None and self._photos.has[i] else None,
            )
            for i in best
            if likeness[i] > 0
        ]


def build_index(runtime: "Runtime", store: Store, workspace: Workspace) -> NeighbourIndex:
    """Return the index of the catalogue as it is now; what is missing is made first, here.

    Raises:
        WorkspaceError: if it can't be kept in the workspace.
    """
    plan = plan_of(runtime, store, workspace)
    encoder = text_encoder(runtime.artifact)
    if encoder is not None:
        make_segments(store, plan, encoder)
    return NeighbourIndex(runtime, store, workspace, plan)


def plan_of(runtime: "Runtime", store: Store, workspace: Workspace) -> Plan:
    """Return what the catalogue consists of now, and which files hold its texts."""
    return make_plan(store, workspace, text_encoder(runtime.artifact))


def _photos(runtime: "Runtime", workspace: Workspace, plan: Plan) -> "PhotoLikeness | None":
    from mmcore.features import open_cache
    from mmcore.photo_likeness import PhotoLikeness

    name = runtime.artifact.config.model.image_name
    if name is None:
        return None
    cache = open_cache(workspace.cache, runtime.artifact.model.towers[name].backbone)
    photos = PhotoLikeness(cache, plan.photos)
    return photos if photos.has.any() else None


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
