"""The catalogue in memory: one row a product, its classes and where it came from.

Columns hold text throughout, numbers of the shop included: "" is the one way to say "missing",
so that nothing downstream meets a NaN. What a number means is decided by the model's encoders.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from mmcore.catalog.class_names import ClassName

SPLITS = ("train", "val", "test")
BASE_COLUMNS = (
    "product_id",
    "title",
    "description",
    "photo",  # content key in the photo store
    "label",
    "group_id",  # near-copies share one
    "split",
    "photo_hash",  # difference hash in hex: ties later imports to photos that are already here
)
SOURCES = ("csv", "rakuten", "drawn")
# A further column whose name begins so is kept and exported, and not shown to those who label: the
# drawn catalogue notes there what it knows about itself.
NOTE = "_"

_INTEGER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True)
class Catalogue:
    """All products of a workspace.

    Attributes:
        products: BASE_COLUMNS, then further columns, all str; one row a product id.
        classes: in the order of the model's outputs (see `order_codes`).
        source: csv, rakuten or drawn.
        given_splits: ids of products whose split a file gave, so that only a file moves them.
    """

    products: pd.DataFrame
    classes: tuple[ClassName, ...]
    source: str
    given_splits: frozenset[str] = frozenset()

    @property
    def class_codes(self) -> tuple[str, ...]:
        return tuple(name.code for name in self.classes)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.products.columns if name not in BASE_COLUMNS)


def order_codes(codes: Iterable[str]) -> list[str]:
    """Return the distinct codes: ascending numbers if all are integers, else alphabetical."""
    distinct = sorted(set(codes))
    if all(_INTEGER.fullmatch(code) for code in distinct):
        return sorted(distinct, key=lambda code: (int(code), code))
    return distinct


def name_classes(codes: Iterable[str], known: Mapping[str, ClassName]) -> tuple[ClassName, ...]:
    """Return the classes in order; a code without a known name is shown as it is."""
    return tuple(known.get(code) or ClassName(code, code, code) for code in order_codes(codes))


def make_frame(rows: Iterable[Iterable[str]], extra: Iterable[str] = ()) -> pd.DataFrame:
    """Return products as a frame of str columns.

    Args:
        rows: values in the order of BASE_COLUMNS, then of `extra`; "" where missing.
    """
    return pd.DataFrame(list(rows), columns=[*BASE_COLUMNS, *extra], dtype="str")


def check_frame(products: pd.DataFrame) -> None:
    """Refuse a frame that breaks the promises above.

    Raises:
        ValueError: naming the promise.
    """
    base = tuple(products.columns[: len(BASE_COLUMNS)])
    if base != BASE_COLUMNS:
        raise ValueError(f"its first columns are {base}, they must be {BASE_COLUMNS}")
    incomplete = [name for name in products.columns if products[name].isna().any()]
    if incomplete:
        raise ValueError(f"column {incomplete[0]!r} holds NaN; write missing values as ''")
