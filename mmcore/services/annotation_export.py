"""Labels, or everything that people did, as a file: CSV, JSON Lines or Parquet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Row

from mmcore.errors import WorkspaceError
from mmcore.services.label_tables import Column, format_of, write_table
from mmcore.store import label_rows
from mmcore.store.engine import Store
from mmcore.store.product_filter import ProductFilter, conditions
from mmcore.workspace import write_atomically

LABEL_COLUMNS = (
    Column("product_id"),
    Column("label"),
    Column("annotator"),
    Column("time", "time"),
    Column("comment"),
    Column("given_by"),
    Column("split"),
    Column("flagged", "yes-no"),
)
HISTORY_COLUMNS = (
    Column("annotation", "whole"),
    Column("act", "whole"),
    Column("act_kind"),
    Column("product_id"),
    Column("kind"),
    Column("label"),
    Column("label_before"),
    Column("version", "whole"),
    Column("annotator"),
    Column("time", "time"),
    Column("seconds", "number"),
    Column("suggested"),
    Column("probability", "number"),
    Column("hidden", "yes-no"),
    Column("model"),
    Column("comment"),
    Column("flagged", "yes-no"),
    Column("undone", "yes-no"),
    Column("undoes_act", "whole"),
)


@dataclass(frozen=True)
class ExportChoices:
    """What goes into the file.

    Attributes:
        with_history: every annotation instead of the labels now.
        format: csv, jsonl or parquet; None goes by the name of the file.
    """

    products: ProductFilter = ProductFilter()
    with_history: bool = False
    format: str | None = None


@dataclass(frozen=True)
class ExportReport:
    """A file that was written."""

    path: Path
    format: str
    count: int


def export_labels(
    store: Store, path: Path, choices: ExportChoices = ExportChoices()
) -> ExportReport:
    """Write the labels into a file; a crash leaves the old file or the new one, never a part.

    Raises:
        CatalogueError: if the name of the file doesn't tell its format.
        WorkspaceError: if the file can't be written.
    """
    kind, count = format_of(path, choices.format), 0

    def write(file: BinaryIO) -> None:
        nonlocal count
        count = write_labels(store, file, kind, choices)

    try:
        write_atomically(path, write)
    except OSError as error:
        raise WorkspaceError(
            f"{path} can't be written: {error.strerror or error}; choose a folder that exists and "
            "that you may write to"
        ) from error
    return ExportReport(path, kind, count)


def write_labels(store: Store, file: BinaryIO, kind: str, choices: ExportChoices) -> int:
    """Return how many rows were written to an open file: labels, or the history."""
    where = conditions(choices.products)
    with store.reading() as session:
        if choices.with_history:
            rows = map(_history_cells, label_rows.annotations(session, where))
            return write_table(file, kind, HISTORY_COLUMNS, rows)
        return write_table(
            file, kind, LABEL_COLUMNS, _label_cells(label_rows.labels(session, where))
        )


def _label_cells(rows: Iterator[Row]) -> Iterator[tuple]:
    for shop_id, code, name, time, comment, kind, split, is_flagged in rows:
        yield shop_id, code, name, time, comment, kind or "catalogue", split, is_flagged


def _history_cells(row: Row) -> tuple:
    suggestion = row.suggestion or {}
    return (
        *row[:11],
        suggestion.get("class"),
        suggestion.get("probability"),
        suggestion.get("hidden"),
        *row[12:],
    )
