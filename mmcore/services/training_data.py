"""Which products a run learns from, which stop it, which judge it; and whether they suffice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.products import Catalogue
from mmcore.config import IMAGE, TEXT, ModalityConfig
from mmcore.errors import ConfigError, TrainingDataError

MIN_CLASSES = 2
MIN_TRAIN = 8  # products; fewer can't fill a batch that BatchNorm could normalise
SMALL_CLASS = 5  # train products below which a class is named in the notes
NAMED_CLASSES = 5  # named in one note at most
OWN_COLUMNS = ("title", "description", "photo")  # what every product is described by
# A further column is suspected of being the label under another name where its values cover more
# than this share of the train products,
TELLING_COVER = 0.5
# and leave at most this share of the doubt that the largest class leaves. Not 0: a corrected label
# ("true_label") differs from the label wherever that was wrong.
TELLING_DOUBT = 0.1


@dataclass(frozen=True)
class Selection:
    """The labelled products of a run by split, and the classes it tells apart."""

    train: pd.DataFrame
    val: pd.DataFrame
    test: pd.DataFrame
    classes: tuple[ClassName, ...]
    notes: tuple[str, ...]

    @property
    def learnt(self) -> pd.DataFrame:
        """Return what a run may learn from: train, then val."""
        return pd.concat([self.train, self.val])

    @property
    def labelled(self) -> pd.DataFrame:
        return pd.concat([self.train, self.val, self.test])

    @property
    def by_split(self) -> dict[str, pd.DataFrame]:
        return {"train": self.train, "val": self.val, "test": self.test}


def select(catalogue: Catalogue) -> Selection:
    """Return the labelled products of each split.

    Raises:
        TrainingDataError: if there are fewer than two classes or too few train products.
    """
    products = catalogue.products
    labelled = products[products["label"] != ""]
    parts = {split: labelled[labelled["split"] == split] for split in ("train", "val", "test")}
    used = set(labelled["label"])
    classes = tuple(c for c in catalogue.classes if c.code in used)
    train_counts = parts["train"]["label"].value_counts()
    if len(train_counts) < MIN_CLASSES:
        found = ", ".join(train_counts.index) or "none"
        raise TrainingDataError(
            f"the train products have {len(train_counts)} class ({found}), at least {MIN_CLASSES} "
            f"are needed; {len(products) - len(labelled)} of {len(products)} products have no "
            "label: label some, or import again and name the column of the class with --label"
        )
    if len(parts["train"]) < MIN_TRAIN:
        raise TrainingDataError(
            f"there are {len(parts['train'])} labelled train products, at least {MIN_TRAIN} are "
            "needed; import or label more"
        )
    notes = _notes(parts, train_counts, classes)
    return Selection(parts["train"], parts["val"], parts["test"], classes, notes)


def fit_modalities(
    wanted: Sequence[ModalityConfig] | None, train: pd.DataFrame
) -> tuple[tuple[ModalityConfig, ...], tuple[str, ...]]:
    """Return the modalities to train, and notes on those left out or suspect.

    Without a wish, text and image are taken as far as the train products have them; a wish that
    the catalogue can't meet is an error.

    Raises:
        ConfigError: if a wished-for modality isn't in the train products.
    """
    has_photo = bool((train["photo"] != "").any())
    if wanted is None:
        has_text = bool(((train["title"] != "") | (train["description"] != "")).any())
        kept = tuple(m for m, has in ((TEXT, has_text), (IMAGE, has_photo)) if has)
        left_out = [m.name for m in (TEXT, IMAGE) if m not in kept]
        notes = tuple(
            f"no train product has {name}: the model does without it" for name in left_out
        )
        return kept, notes
    if not has_photo and any(m.kind == "image" for m in wanted):
        raise ConfigError(
            "modality 'image' was asked for, but no train product has a photo; "
            "leave it out of --modalities or import photos with --images"
        )
    columns = dict.fromkeys(column for m in wanted for column in m.columns)
    return tuple(wanted), tuple(_telling_notes(columns, train))


def _telling_notes(columns: Iterable[str], train: pd.DataFrame) -> Iterator[str]:
    """Yield a note on each further column whose values tell the class by themselves.

    It can't be forbidden: a shop may well know such a column for its new products.
    """
    doubt = len(train) - int(train["label"].value_counts().max())
    for column in columns:
        if column in OWN_COLUMNS or column not in train:
            continue
        values = train[column].str.strip()
        values = values[(values != "") & values.duplicated(keep=False)]
        pairs = pd.DataFrame({"value": values, "label": train["label"].loc[values.index]})
        told = int(pairs.value_counts().groupby("value").max().sum())  # by each value's top class
        covered = len(values)
        if covered > TELLING_COVER * len(train) and covered - told <= TELLING_DOUBT * doubt:
            yield (
                f"column {column!r} tells the class of {told:,} of {len(train):,} train products "
                "by itself: is it known for new products?"
            )


def _notes(parts: dict[str, pd.DataFrame], counts: pd.Series, classes: Sequence[ClassName]):
    notes = []
    without = [c.code for c in classes if c.code not in counts]
    if without:
        notes.append(f"{_named(without)} without a train product can't be learnt")
    small = [c.code for c in classes if 0 < counts.get(c.code, 0) < SMALL_CLASS]
    if small:
        notes.append(f"{_named(small)} with fewer than {SMALL_CLASS} train products: expect little")
    if not len(parts["val"]):
        notes.append("no val products: no early stopping, no calibration of the network")
    if not len(parts["test"]):
        notes.append("no test products: the model can't be judged")
    return tuple(notes)


def _named(codes: list[str]) -> str:
    shown = ", ".join(codes[:NAMED_CLASSES])
    more = f" and {len(codes) - NAMED_CLASSES} more" if len(codes) > NAMED_CLASSES else ""
    return f"class{'es' if len(codes) > 1 else ''} {shown}{more}"
