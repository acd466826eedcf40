"""The seed's batch generator, exactly: text, photo and one-hot label of each product.

Legend of shapes in this package: B products in a batch, T = 60 token places, D embedding width,
H W photo sides (224), K classes. The trainer reads the same products through `batches.py`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmcore.errors import ConfigError, ImageError
from mmcore.images import IMAGE_PX, decode_file, to_model_range
from mmcore.text import TEXT_LENGTH, Vocabulary

COLUMNS = ("ProductID", "comb_tokens_fr", "imagepath", "label")

GeneratorBatch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray]


class MultimodalDataGenerator:
    """Batches of ((text, image), one-hot label) over a DataFrame, in its order."""

    def __init__(
        self,
        frame: pd.DataFrame,
        batch_size: int = 32,
        num_classes: int | None = None,
        image_folder: Path | None = None,
    ) -> None:
        """Check the frame; photos are read when a batch is.

        Args:
            frame: columns ProductID, comb_tokens_fr (up to 60 token ids, 0 = padding),
                imagepath (None or "" where there is no photo), label (class id, 0 .. K - 1).
            batch_size: products a batch; the last one may be short.
            num_classes: K; the highest label + 1 where not given.
            image_folder: what relative image paths start from.

        Raises:
            ConfigError: if a column is missing, a label is no class id, a product has more than
                60 tokens, or batch_size is below 1.
        """
        _check(frame, batch_size)
        self.frame = frame.reset_index(drop=True)
        self.batch_size = batch_size
        labels = self.frame["label"].to_numpy(dtype=np.int64)
        self.num_classes = num_classes or (int(labels.max()) + 1 if len(labels) else 1)
        if len(labels) and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ConfigError(
                f"labels run from {labels.min()} to {labels.max()}; they must be class ids from "
                f"0 to {self.num_classes - 1}; raise num_classes or renumber the labels"
            )
        self._labels = labels
        self._folder = image_folder or Path()
        self.unreadable: dict[str, str] = {}  # image path -> why; its pixels are all 0 (grey)

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self.frame) / self.batch_size)

    def __getitem__(self, index: int) -> GeneratorBatch:
        """Return ((text (B, 60) int64, image (B, 224, 224, 3) float32 in [-1, 1]), label (B, K)).

        A missing or unreadable photo gives zeros and is remembered in `unreadable`.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"batch {index} was asked for; there are {len(self)}")
        start = index % len(self) * self.batch_size
        rows = self.frame.iloc[start : start + self.batch_size]
        text = np.zeros((len(rows), TEXT_LENGTH), dtype=np.int64)
        image = np.zeros((len(rows), IMAGE_PX, IMAGE_PX, 3), dtype=np.float32)
        label = np.zeros((len(rows), self.num_classes), dtype=np.float32)
        for i, (tokens, path) in enumerate(
            zip(rows["comb_tokens_fr"], rows["imagepath"], strict=True)
        ):
            text[i, : len(tokens)] = tokens
            image[i] = self._photo(path)
        label[np.arange(len(rows)), self._labels[start : start + len(rows)]] = 1
        return (text, image), label

    def __iter__(self) -> Iterator[GeneratorBatch]:
        return (self[i] for i in range(len(self)))

    def _photo(self, path: object) -> np.ndarray | float:
        if not isinstance(path, str | Path) or not str(path):
            return 0.0
        try:
            return to_model_range(decode_file(self._folder / path))
        except ImageError as error:
            self.unreadable[str(path)] = str(error)
            return 0.0


def generator_frame(
    products: pd.DataFrame,
    vocabulary: Vocabulary,
    class_codes: Sequence[str],
    photo_path: Callable[[str], Path],
) -> pd.DataFrame:
    """Return the frame that the generator takes, from labelled products of a catalogue.

    Args:
        products: with columns product_id, title, description, photo, label.
        vocabulary: of the train products.
        class_codes: K codes in class order.
        photo_path: photo key -> its file, e.g. `PhotoStore(folder).path`.

    Raises:
        ConfigError: if a label is none of the class codes.
    """
    ids = {code: i for i, code in enumerate(class_codes)}
    unknown = sorted(set(products["label"]) - set(ids))
    if unknown:
        raise ConfigError(
            f"label {unknown[0]!r} is none of the {len(ids)} class codes; "
            "leave unlabelled products out and give every class"
        )
    texts = zip(products["title"], products["description"], strict=True)
    return pd.DataFrame(
        {
            "ProductID": list(products["product_id"]),
            "comb_tokens_fr": [vocabulary.encode(pair).tolist() for pair in texts],
            "imagepath": [str(photo_path(key)) if key else "" for key in products["photo"]],
            "label": [ids[label] for label in products["label"]],
        }
    )


def _check(frame: pd.DataFrame, batch_size: int) -> None:
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise ConfigError(
            f"the frame lacks column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}, "
            f"the generator needs {', '.join(COLUMNS)}"
        )
    if batch_size < 1:
        raise ConfigError(f"batch_size is {batch_size}; it must be at least 1")
    longest = frame["comb_tokens_fr"].map(len).max() if len(frame) else 0
    if longest > TEXT_LENGTH:
        raise ConfigError(
            f"a product has {longest} tokens, the limit is {TEXT_LENGTH}; "
            "encode texts with Vocabulary.encode"
        )
