"""Products of a batch put into the catalogue; the same again changes nothing."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmcore.catalog.csv_columns import FIELDS, CsvColumns
from mmcore.catalog.csv_reader import RawProduct
from mmcore.services.batch_result import batch_products
from mmcore.services.batches import Batch, read_batch, save_batch
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.import_report import ImportReport
from mmcore.services.import_rows import Progress
from mmcore.services.people import Actor
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

DRAWN, DRAWN_COLUMN = "drawn", "_drawn"  # a column of this name marks products that are no shop's


@dataclass(frozen=True)
class BatchPart:
    """Products of a batch: those with the ids of `only`, or all."""

    batch: Batch
    only: frozenset[str] | None = None


def add_to_catalogue(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    part: BatchPart,
    now: float,
    progress: Progress | None = None,
) -> ImportReport:
    """Return what adding the products of a batch did, and note in the batch that it was done.

    Classes of the file become labels; predictions never do.

    Args:
        progress: as for `import_csv`.

    Raises:
        RefusedError: if the actor is no lead.
        CatalogueError: if nothing is left to add, or the catalogue is of another kind: real
            products don't go into a drawn catalogue.
    """
    batch = part.batch
    options = CsvImport(
        batch.source,
        batch.columns,
        batch.photos,
        separator=batch.separator,
        source=DRAWN if DRAWN_COLUMN in batch.header else "csv",
    )
    if part.only is not None:
        path, columns = _part_of(batch, part.only)
        options = replace(options, path=path, columns=columns, separator=",")
    try:
        report = import_csv(store, actor, workspace, options, now, progress)
    finally:
        if part.only is not None:
            options.path.unlink()
    num = report.num_added + report.num_updated + report.num_unchanged
    # read again: somebody may have predicted it anew meanwhile
    save_batch(replace(read_batch(workspace, batch.id), num_added=num, added_at=now))
    return report


def _part_of(batch: Batch, only: frozenset[str]) -> tuple[Path, CsvColumns]:
    """Return a table of some of the products, its columns under plain names."""
    rows = [row for row in batch_products(batch) if row.product_id in only]
    mapped = tuple(name for name in FIELDS if getattr(batch.columns, name) is not None)
    extra = batch.columns.extra
    path = batch.folder / f"part-{len(only)}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        # a further column may be called "title", too: the fields stand under names of their own
        writer.writerow([*(_own(name) for name in mapped), *extra])
        writer.writerows(_cells(rows, mapped))
    return path, CsvColumns(**{name: _own(name) for name in mapped}, extra=extra)


def _own(name: str) -> str:
    return f"rayon {name}"


def _cells(rows: Sequence[RawProduct], mapped: Sequence[str]) -> list[list[str]]:
    return [[*(getattr(row, name) for name in mapped), *row.extra] for row in rows]
