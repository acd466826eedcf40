"""What was predicted of a batch: to be browsed, filtered, downloaded and added to the catalogue."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import open_table
from mmcore.services.batches import Batch
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.import_report import ImportReport
from mmcore.services.people import Actor
from mmcore.store.engine import Store
from mmcore.store.products import read_facts
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

DOUBTFUL = 0.7  # fused probability below which an answer is doubtful, at first
_FIELDS = ("product_id", "title", "description", "image", "label")


@dataclass(frozen=True)
class BatchRow:
    """One product of a batch, and what the model says of it; "" and 0.0 without an answer."""

    product_id: str
    title: str
    image: str
    label: str
    predicted: str
    name_fr: str
    probability: float
    text: str
    image_says: str
    problems: str

    @property
    def is_agreed(self) -> bool:
        """Return False where text and image say different things."""
        return not (self.text and self.image_says) or self.text == self.image_says


@dataclass(frozen=True)
class ResultFilter:
    """Which rows are looked at; every part narrows the choice.

    Attributes:
        below: only answers less sure than this.
        only_disagreeing: only where text and image say different things.
        predicted: only this class.
    """

    below: float | None = None
    only_disagreeing: bool = False
    predicted: str | None = None

    def takes(self, row: BatchRow) -> bool:
        """Return whether a row is meant."""
        return (
            (self.below is None or row.probability < self.below)
            and not (self.only_disagreeing and row.is_agreed)
            and (self.predicted is None or row.predicted == self.predicted)
        )


def read_result(batch: Batch) -> tuple[BatchRow, ...]:
    """Return every predicted product in the order of the file."""
    given = {row.product_id: row for row in _products(batch)}
    found = []
    for row in result_table(batch).to_dict("records"):
        product = given.get(row["product_id"])
        found.append(
            BatchRow(
                product_id=row["product_id"],
                title=product.title if product else "",
                image=product.image if product else "",
                label=product.label if product else "",
                predicted=row["predicted"],
                name_fr=row["name_fr"],
                probability=row["probability"] if row["probability"] == row["probability"] else 0.0,
                text=row.get("text", ""),
                image_says=row.get("image", ""),
                problems=row["problems"],
            )
        )
    return tuple(found)


def result_table(batch: Batch) -> "pd.DataFrame":
    """Return the predictions as a table, one row a product."""
    import pandas as pd

    return pd.read_parquet(batch.result)


def table_file(batch: Batch, kind: str) -> bytes:
    """Return the predictions as csv, xlsx or parquet; no cell of them runs as a formula."""
    from mmcore.catalog.issues import harmless, harmless_name

    if kind == "parquet":
        return batch.result.read_bytes()
    table = result_table(batch)
    for column in table.select_dtypes(include=["object", "string"]):
        keep = harmless if column in ("name_fr", "problems") else harmless_name
        table[column] = table[column].map(lambda cell, keep=keep: keep(str(cell)))
    file = io.BytesIO()
    if kind == "xlsx":
        table.to_excel(file, index=False)
    else:
        table.to_csv(file, index=False, encoding="utf-8-sig")
    return file.getvalue()


def add_to_catalogue(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    batch: Batch,
    now: float,
    only: Collection[str] | None = None,
) -> ImportReport:
    """Return what adding the products of a batch did; the same again changes nothing.

    Args:
        only: ids of the products to add, None for all.

    Raises:
        RefusedError: if the actor is no lead.
        CatalogueError: if nothing is left to add, or the catalogue is of another kind.
    """
    with store.reading() as session:
        facts = read_facts(session)
    source, columns = batch.source, batch.columns
    if only is not None:
        source, columns = _part_of(batch, set(only))
    options = CsvImport(source, columns, batch.photos, source=facts.source if facts else "csv")
    return import_csv(store, actor, workspace, options, now)


def _part_of(batch: Batch, only: set[str]):
    """Return a table of some of the products, under plain names."""
    rows = [row for row in _products(batch) if row.product_id in only]
    path = batch.folder / "part.csv"
    extra = batch.columns.extra
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_FIELDS, *extra])
        writer.writerows(_cells(rows))
    has_label = batch.columns.label is not None
    names = [name for name in _FIELDS if name != "label" or has_label]
    return path, CsvColumns(**{name: name for name in names}, extra=extra)


def _cells(rows: Sequence[RawProduct]) -> list[list[str]]:
    return [[*(getattr(row, name) for name in _FIELDS), *row.extra] for row in rows]


def _products(batch: Batch) -> list[RawProduct]:
    rows = read_products(open_table(batch.source), batch.columns, may_be_empty=True)
    return [row for row in rows if isinstance(row, RawProduct)]
