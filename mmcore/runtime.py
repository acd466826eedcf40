"""A loaded model that answers for products as people give them, on whatever engine is quickest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from mmcore.artifact import Artifact
from mmcore.batches import BatchReader, EncodedProducts, FreshFeatures, encode_products
from mmcore.catalog.class_names import ClassName, Ranked
from mmcore.config import FUSED
from mmcore.encoders import TextEncoder
from mmcore.engines import engine_of
from mmcore.errors import ImageError, ProductError
from mmcore.pixels import PhotoReader, decoders
from mmcore.views import decide, views

PIECE = 64  # products encoded at once


@dataclass(frozen=True)
class ProductInput:
    """One product as a person gives it; any of title, description and photo may be missing."""

    title: str = ""
    description: str = ""
    photo: bytes | None = None
    product_id: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)  # column -> value (price, brand, ...)


@dataclass(frozen=True)
class Prediction:
    """What every view says about one product."""

    product_id: str
    classes: tuple[ClassName, ...]
    probs: Mapping[str, np.ndarray]  # view -> (K,); views the product doesn't have are absent
    problems: tuple[str, ...]  # what was left out and why, e.g. an unreadable photo

    def top(self, view: str = FUSED, k: int = 5) -> list[Ranked]:
        """Return the k most probable classes of a view, best first; none without the view."""
        if view not in self.probs:
            return []
        best = np.argsort(-self.probs[view], kind="stable")[:k]
        return [
            Ranked(c.code, c.name_fr, c.name_en, float(self.probs[view][i]))
            for i, c in ((i, self.classes[i]) for i in best)
        ]


class Runtime:
    """A loaded model that predicts products."""

    def __init__(self, artifact: Artifact, device: torch.device, threads: int = 2) -> None:
        """Move the model to the device; `threads` photos are decoded side by side."""
        self.artifact = artifact
        self.device = device
        self._threads = threads
        artifact.model.to(device, memory_format=torch.channels_last).eval()
        self.engine = engine_of(artifact.model, device, artifact.graphs)

    def predict_one(self, product: ProductInput) -> Prediction:
        """Return the prediction of one product.

        Raises:
            ProductError: if nothing of it can be used; the message says why.
        """
        prediction = self.predict([product])[0]
        if not prediction.probs:
            reasons = "; ".join(prediction.problems)
            raise ProductError(f"nothing to predict from: {reasons}")
        return prediction

    def predict(self, products: Sequence[ProductInput]) -> list[Prediction]:
        """Return a prediction a product, in order; one without usable input has empty `probs`."""
        pieces = (products[i : i + PIECE] for i in range(0, len(products), PIECE))
        return [prediction for piece in self.stream(pieces) for prediction in piece]

    def stream(self, pieces: Iterable[Sequence[ProductInput]]) -> Iterator[list[Prediction]]:
        """Yield the predictions of each piece of products, in order.

        While the network is at one piece, the next one is taken from `pieces`, encoded and its
        photos decoded, all that in another thread; of two pieces memory is needed.
        """
        with (
            # one pool for all pieces: two would be more threads than there are cores
            decoders(self._threads) as pool,
            ThreadPoolExecutor(1, thread_name_prefix="encode") as helper,
        ):
            source = iter(pieces)
            waiting = helper.submit(self._next, source, pool)
            try:
                while (piece := waiting.result()) is not None:
                    waiting = helper.submit(self._next, source, pool)
                    yield self._answers(piece)
            finally:
                _drop(waiting)

    def _next(
        self, pieces: Iterator[Sequence[ProductInput]], pool: ThreadPoolExecutor
    ) -> "_Piece | None":
        """Return the next piece with its photos on their way, None after the last."""
        products = next(pieces, None)
        if products is None:
            return None
        config = self.artifact.config.model
        encoders, codes = self.artifact.encoders, self.artifact.class_codes
        reader = PhotoReader(lambda key: _photo_bytes(products[int(key)]), self._threads, pool)
        try:
            encoded = encode_products(self._frame(products), config, encoders, codes)
            if config.image_name is not None:
                self.engine.extractor.begin(reader, encoded.photos)
        except BaseException:
            reader.close()
            raise
        return _Piece(products, encoded, reader)

    def _answers(self, piece: "_Piece") -> list[Prediction]:
        artifact, reader = self.artifact, piece.reader
        name = artifact.config.model.image_name
        images = name and FreshFeatures(self.engine.extractor, reader, self.device)
        try:
            decisions = decide(self.engine, BatchReader(piece.encoded, name, images, self.device))
        finally:
            reader.close()
        found = views(decisions, artifact.combiner)
        return [
            Prediction(
                product_id=product.product_id,
                classes=artifact.classes,
                probs={name: view.probs[i] for name, view in found.items() if view.has[i]},
                problems=self._problems(i, product, decisions.available, reader.unreadable),
            )
            for i, product in enumerate(piece.products)
        ]

    def _frame(self, products: Sequence[ProductInput]) -> pd.DataFrame:
        columns = {
            "product_id": [product.product_id for product in products],
            "title": [product.title for product in products],
            "description": [product.description for product in products],
            "photo": [str(i) if p.photo is not None else "" for i, p in enumerate(products)],
        }
        for modality in self.artifact.config.model.modalities:
            for column in modality.columns:
                values = [str(product.extra.get(column, "")) for product in products]
                columns.setdefault(column, values)
        return pd.DataFrame(columns)

    def _problems(
        self,
        row: int,
        product: ProductInput,
        available: Mapping[str, np.ndarray],
        unreadable: Mapping[str, str],
    ) -> tuple[str, ...]:
        problems = [unreadable[str(row)]] if str(row) in unreadable else []
        if product.photo is not None and self.artifact.config.model.image_name is None:
            problems.append("the photo is left out: this model looks at none")
        for name, has in available.items():
            is_image = name == self.artifact.config.model.image_name
            if has[row] or (is_image and str(row) in unreadable):
                continue
            columns = self._columns(name)
            given = any(self._value(product, column) for column in columns)
            is_text = isinstance(self.artifact.encoders.get(name), TextEncoder)
            unknown = f"holds no {'word' if is_text else 'number or value'} the model knows"
            reason = unknown if given else "is not given"
            problems.append(f"{name} ({', '.join(columns)}) {reason}")
        return tuple(problems)

    def _columns(self, name: str) -> tuple[str, ...]:
        modalities = self.artifact.config.model.modalities
        return next(modality.columns for modality in modalities if modality.name == name)

    @staticmethod
    def _value(product: ProductInput, column: str) -> object:
        if column in ("title", "description", "photo"):
            return getattr(product, column)
        return product.extra.get(column)


@dataclass(frozen=True)
class _Piece:
    """Products that are encoded, and whose photos are being decoded."""

    products: Sequence[ProductInput]
    encoded: EncodedProducts
    reader: PhotoReader


def _drop(waiting: "Future[_Piece | None]") -> None:
    """Stop the decoders of a piece that nobody is going to ask for."""
    if waiting.cancel() or waiting.exception() is not None:
        return
    piece = waiting.result()
    if piece is not None:
        piece.reader.close()


def _photo_bytes(product: ProductInput) -> bytes:
    if product.photo is None:
        raise ImageError("no photo was given")
    return product.photo
