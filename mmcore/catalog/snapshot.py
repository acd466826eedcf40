"""The exact labelled products that a training run saw: their fingerprint, and a file of them.

People go on labelling while a model trains, and ever after; with its snapshot a run can be
repeated, and what it learnt from can be looked up.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.products import BASE_COLUMNS, Catalogue, check_frame
from mmcore.errors import WorkspaceError
from mmcore.workspace import write_atomically

_METADATA = b"rayon.snapshot"
_FORMAT = 1

# of the base columns: what a network reads or is taught; groups only decide the split
_READ = ("product_id", "title", "description", "photo", "label", "split")


def snapshot_hash(catalogue: Catalogue) -> str:
    """Return the sha256, in hex, of the labelled products, whatever their order.

    Further columns count, too: a model may read them.
    """
    products = catalogue.products
    extra = sorted(column for column in products.columns if column not in BASE_COLUMNS)
    labelled = products[products["label"] != ""].sort_values("product_id")
    digest = hashlib.sha256()
    for row in labelled[[*_READ, *extra]].itertuples(index=False, name=None):
        for value in row:
            data = value.encode()
            # lengths between values: "ab" + "c" must not equal "a" + "bc"
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def keep_snapshot(catalogue: Catalogue, folder: Path) -> str:
    """Return the hash of the labelled products, kept in a file of that name.

    Raises:
        WorkspaceError: if the file can't be written.
    """
    name = snapshot_hash(catalogue)
    path = snapshot_path(folder, name)
    if not path.exists():
        save_snapshot(catalogue, path)
    return name


def snapshot_path(folder: Path, name: str) -> Path:
    """Return where the snapshot with this hash lies, whether it is there or not."""
    return folder / f"{name}.parquet"


def save_snapshot(catalogue: Catalogue, path: Path) -> None:
    """Write the labelled products of a catalogue; a crash leaves no part of a file.

    Raises:
        WorkspaceError: if the file can't be written (disk full, no permission, ...).
    """
    products = catalogue.products[catalogue.products["label"] != ""]
    check_frame(products)
    facts = {
        "format": _FORMAT,
        "source": catalogue.source,
        "classes": [asdict(name) for name in catalogue.classes],
        "given_splits": sorted(catalogue.given_splits & set(products["product_id"])),
    }
    table = pa.Table.from_pandas(products, preserve_index=False)
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _METADATA: json.dumps(facts).encode()}
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd"))
    except OSError as error:
        raise WorkspaceError(
            f"snapshot {path} can't be written: {error.strerror or error}; free some disk space "
            "or choose another workspace with --home DIR"
        ) from error


def load_snapshot(path: Path, expected: str | None = None) -> Catalogue:
    """Return the labelled products that a run saw.

    Args:
        expected: their hash; a file that holds others is refused.

    Raises:
        WorkspaceError: if the file is missing, damaged, or not the one expected.
    """
    try:
        table = pq.read_table(pa.BufferReader(path.read_bytes()))
        facts = json.loads((table.schema.metadata or {})[_METADATA])
        if facts["format"] != _FORMAT:
            raise ValueError(f"its format is {facts['format']}, this version reads {_FORMAT}")
        classes = tuple(ClassName(**name) for name in facts["classes"])
        source, given = facts["source"], frozenset(facts["given_splits"])
        products = table.to_pandas().astype("str")
        check_frame(products)
    except KeyError as error:
        raise WorkspaceError(
            f"{path} isn't a snapshot written by Rayon (it lacks {error}); train again"
        ) from error
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise WorkspaceError(f"snapshot {path} can't be read: {error}; train again") from error
    catalogue = Catalogue(products, classes, source, given)
    if expected is not None and snapshot_hash(catalogue) != expected:
        raise WorkspaceError(
            f"{path} holds other labels than those with hash {expected[:12]}: it was altered; "
            "put back a copy from a backup, or train again"
        )
    return catalogue
