"""The catalogue: one row a product, its classes and where it came from; a parquet file at rest.

Columns hold text throughout, numbers of the shop included: "" is the one way to say "missing",
so that nothing downstream meets a NaN. What a number means is decided by the model's encoders.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmcore.errors import WorkspaceError
from mmcore.workspace import write_atomically

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

_METADATA = b"rayon.catalogue"
_FORMAT = 1
_INTEGER = re.compile(r"-?[0-9]+")
_IMPORT_AGAIN = (
    "import again with `python -m mmcore import csv FILE --replace`, "
    "or put back a copy from a backup"
)


@dataclass(frozen=True)
class ClassName:
    """A class as stored (code) and as shown."""

    code: str
    name_fr: str
    name_en: str


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


def save_catalogue(catalogue: Catalogue, path: Path) -> None:
    """Write the catalogue; a crash leaves the old file or the new one, never a part.

    Raises:
        WorkspaceError: if the file can't be written (disk full, no permission, ...).
    """
    _check_frame(catalogue.products)
    table = pa.Table.from_pandas(catalogue.products, preserve_index=False)
    facts = {
        "format": _FORMAT,
        "source": catalogue.source,
        "classes": [asdict(name) for name in catalogue.classes],
        "given_splits": sorted(catalogue.given_splits),
    }
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _METADATA: json.dumps(facts).encode()}
    )
    try:
        write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd"))
    except OSError as error:
        raise WorkspaceError(
            f"catalogue {path} can't be written: {error.strerror or error}; the old one is "
            "untouched; free some disk space or choose another workspace with --home DIR"
        ) from error


def load_catalogue(path: Path) -> Catalogue:
    """Return the catalogue stored at `path`.

    Raises:
        WorkspaceError: if there is none yet, or the file is damaged or of another program.
    """
    try:
        table = pq.read_table(pa.BufferReader(path.read_bytes()))
        facts = json.loads((table.schema.metadata or {})[_METADATA])
        if facts["format"] != _FORMAT:
            raise ValueError(f"its format is {facts['format']}, this version reads {_FORMAT}")
        classes = tuple(ClassName(**name) for name in facts["classes"])
        source, given = facts["source"], frozenset(facts.get("given_splits", ()))
        products = table.to_pandas().astype("str")
        _check_frame(products)
    except FileNotFoundError as error:
        raise WorkspaceError(
            f"workspace {path.parent} holds no catalogue yet; run `python -m mmcore import csv "
            "FILE`, or `python -m mmcore demo` for a drawn one"
        ) from error
    except KeyError as error:
        raise WorkspaceError(
            f"{path} isn't a catalogue written by Rayon (it lacks {error}); {_IMPORT_AGAIN}"
        ) from error
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise WorkspaceError(f"catalogue {path} can't be read: {error}; {_IMPORT_AGAIN}") from error
    return Catalogue(products, classes, source, given)


def _check_frame(products: pd.DataFrame) -> None:
    """Refuse a frame that breaks the promises above."""
    base = tuple(products.columns[: len(BASE_COLUMNS)])
    if base != BASE_COLUMNS:
        raise ValueError(f"its first columns are {base}, they must be {BASE_COLUMNS}")
    incomplete = [name for name in products.columns if products[name].isna().any()]
    if incomplete:
        raise ValueError(f"column {incomplete[0]!r} holds NaN; write missing values as ''")
