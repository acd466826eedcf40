"""The seed's batch generator, exactly: text, photo and one-hot label of each product.

Legend of shapes in this package: B products in a batch, T = 60 token places, D embedding width,
H W photo sides (224), K classes. The trainer reads the same products through `batches.py`.
"""

import math
import numbers
import operator
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmcore.errors import ConfigError, ImageError
from mmcore.images import IMAGE_PX, decode_file, to_model_range
from mmcore.text import PAD_ID, TEXT_LENGTH, VOCABULARY_WORDS, Vocabulary

MAX_CLASSES = 100_000  # where K is not given; a higher label is a product type, not a class id
COLUMNS = ("ProductID", "comb_tokens_fr", "imagepath", "label")

GeneratorBatch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray]


class MultimodalDataGenerator:
    """Batches of ((text, image), one-hot label) over a DataFrame, in the order of its rows."""

    def __init__(
        self,
        frame: pd.DataFrame,
        batch_size: int = 32,
        num_classes: int | None = None,
        image_folder: Path | None = None,
    ) -> None:
        """Check the frame; photos are read when a batch is.

        Args:
            frame: columns ProductID, comb_tokens_fr (list of up to 60 token ids, 0 = padding;
                a shorter one is padded at the end), imagepath (None, NaN or "" where there is no
                photo), label (class id, 0 .. K - 1).
            batch_size: products a batch; the last one may be short.
            num_classes: K; the highest label + 1 where not given, so give it for a part of a set.
            image_folder: what relative image paths start from.

        Raises:
            ConfigError: if a column is missing, or a row has a label that is no class id, tokens
                that are no list of at most 60 ids of the vocabulary, or an imagepath that is no
                path; or batch_size or num_classes is below 1.
        """
        _check(frame, batch_size, num_classes)
        self.frame = frame.reset_index(drop=True)
        self.batch_size = batch_size
        self._labels = _class_ids(self.frame, num_classes)
        self.num_classes = num_classes or int(self._labels.max(initial=0)) + 1
        self._texts = _token_ids(self.frame)
        self._paths = _photo_paths(self.frame)
        self._folder = Path(image_folder or "")
        self.unreadable: dict[str, str] = {}  # image path -> why; its pixels are all 0 (grey)

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self.frame) / self.batch_size)

    def __getitem__(self, index: int) -> GeneratorBatch:
        """Return ((text (B, 60) int64, image (B, 224, 224, 3) float32 in [-1, 1]), label (B, K)).

        A product without a photo, or whose photo is missing or unreadable, has an image of zeros
        (mid-grey); the latter are remembered in `unreadable`.

        Raises:
            IndexError: if there is no such batch; there is no counting from the end.
        """
        index = operator.index(index)
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} was asked for; there are {len(self)}, counted from 0")
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        labels = self._labels[rows]
        image = np.zeros((len(labels), IMAGE_PX, IMAGE_PX, 3), dtype=np.float32)
        for i, path in enumerate(self._paths[rows]):
            if path is not None:
                image[i] = self._photo(path)
        one_hot = np.zeros((len(labels), self.num_classes), dtype=np.float32)
        one_hot[np.arange(len(labels)), labels] = 1
        return (self._texts[rows].copy(), image), one_hot

    def __iter__(self) -> Iterator[GeneratorBatch]:
        return (self[i] for i in range(len(self)))

    def _photo(self, path: str | Path) -> np.ndarray | float:
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


def _check(frame: pd.DataFrame, batch_size: int, num_classes: int | None) -> None:
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise ConfigError(
            f"the frame lacks column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}, "
            f"the generator needs {', '.join(COLUMNS)}"
        )
    for name, number in (("batch_size", batch_size), ("num_classes", num_classes)):
        if number is not None and not (isinstance(number, numbers.Integral) and number >= 1):
            raise ConfigError(f"{name} is {number!r}; it must be a whole number of at least 1")


def _class_ids(frame: pd.DataFrame, num_classes: int | None) -> np.ndarray:
    """Return (N,) int64. Whole floats pass: pandas makes them of a column that had a gap."""
    ids = []
    limit = num_classes or MAX_CLASSES
    for row, label in enumerate(frame["label"]):
        is_whole = isinstance(label, numbers.Real) and float(label).is_integer()
        if not (is_whole and 0 <= label < limit):
            raise _bad_row(
                frame,
                row,
                "label",
                f"{label!r}; it must be a class id, a whole number from 0 to {limit - 1}; "
                "leave unlabelled products out, and give num_classes for all classes",
            )
        ids.append(int(label))
    return np.array(ids, dtype=np.int64)


def _token_ids(frame: pd.DataFrame) -> np.ndarray:
    """Return (N, 60) int64."""
    texts = np.full((len(frame), TEXT_LENGTH), PAD_ID, dtype=np.int64)
    for row, tokens in enumerate(frame["comb_tokens_fr"]):
        problem = _token_problem(tokens)
        if problem:
            advice = "encode texts with Vocabulary.encode(...).tolist()"
            raise _bad_row(frame, row, "comb_tokens_fr", f"{problem}; {advice}")
        texts[row, : len(tokens)] = tokens
    return texts


def _token_problem(tokens: object) -> str:
    if not isinstance(tokens, list | tuple | np.ndarray):
        return f"a {type(tokens).__name__}, not a list of token ids"
    if len(tokens) > TEXT_LENGTH:
        return f"{len(tokens)} tokens, the limit is {TEXT_LENGTH}"
    try:
        ids = np.asarray(tokens)
    except ValueError:  # lists of several lengths inside
        return "no flat list of token ids"
    if len(ids) and (ids.ndim != 1 or ids.dtype.kind not in "iu"):
        return "a list of something other than whole numbers"
    if len(ids) and not 0 <= ids.min() <= ids.max() <= VOCABULARY_WORDS:
        wrong = ids.min() if ids.min() < 0 else ids.max()
        return f"a list with id {wrong}, ids run from 0 (padding) to {VOCABULARY_WORDS}"
    return ""


def _photo_paths(frame: pd.DataFrame) -> list[str | Path | None]:
    """Return the path of each product's photo, None where it has none."""
    paths: list[str | Path | None] = []
    for row, path in enumerate(frame["imagepath"]):
        if isinstance(path, str | Path):
            paths.append(path or None)
        elif path is None or path is pd.NA or path != path:  # NaN differs from itself
            paths.append(None)
        else:
            raise _bad_row(
                frame, row, "imagepath", f"{path!r}; give a path, or None where there is no photo"
            )
    return paths


def _bad_row(frame: pd.DataFrame, row: int, column: str, problem: str) -> ConfigError:
    product_id = frame["ProductID"].iloc[row]
    return ConfigError(f"{column} of product {product_id!r} (row {row}) is {problem}")
