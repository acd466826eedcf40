"""The labels that a model learnt from, in numbers, read from its snapshot file."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from mmcore.catalog.products import SPLITS
from mmcore.catalog.snapshot import snapshot_path
from mmcore.errors import NotFoundError, WorkspaceError
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class SnapshotNumbers:
    """One snapshot.

    Attributes:
        by_class: class code -> products, the largest first.
    """

    hash: str
    num_products: int
    num_classes: int
    by_split: dict[str, int]
    by_class: dict[str, int]
    num_bytes: int


def snapshot_numbers(workspace: Workspace, snapshot: str) -> SnapshotNumbers:
    """Return the numbers of a snapshot; only two of its columns are read.

    Raises:
        NotFoundError: if its file isn't in the workspace.
        WorkspaceError: if it can't be read.
    """
    path = snapshot_path(workspace.snapshots, snapshot)
    if not path.is_file():
        raise NotFoundError(
            f"the labels with hash {snapshot[:12]} are not in {workspace.snapshots}: the model was "
            "copied in, or the file was deleted; put it back from a backup to look at them"
        )
    try:
        table = pq.read_table(path, columns=["split", "label"])
    except (OSError, pa.ArrowException) as error:
        raise WorkspaceError(
            f"snapshot {path} can't be read: {error}; put it back from a backup"
        ) from error
    splits = Counter(table.column("split").to_pylist())
    classes = Counter(table.column("label").to_pylist())
    return SnapshotNumbers(
        hash=snapshot,
        num_products=table.num_rows,
        num_classes=len(classes),
        by_split={split: splits[split] for split in SPLITS},
        by_class=dict(classes.most_common()),
        num_bytes=path.stat().st_size,
    )
