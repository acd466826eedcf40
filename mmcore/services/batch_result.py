"""What was predicted of a batch: to be browsed, filtered and downloaded."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.issues import harmless, harmless_name
from mmcore.errors import ConfigError
from mmcore.services.batches import Batch, batch_rows

if TYPE_CHECKING:
    import pandas as pd

DOUBTFUL = 0.7  # fused probability below which an answer is doubtful, at first
SURE = 0.9  # from here on it is sure
ORDERS = ("file", "least sure first", "surest first")
DOWNLOADS = ("csv", "xlsx", "parquet")
_FREE_TEXT = ("title", "name_fr", "problems")  # the other text columns hold ids and class codes


@dataclass(frozen=True)
class BatchRow:
    """One product of a batch, and what the model says of it; "" and 0.0 without an answer.

    Attributes:
        label: the class that the file gives.
        text, image_says: first choices of the views by code.
    """

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

    def confidence(self, below: float) -> str:
        """Return how sure the answer is: sure, fair, doubtful or "no answer".

        Args:
            below: what is less probable is doubtful.
        """
        if not self.predicted:
            return "no answer"
        if self.probability < below:
            return "doubtful"
        return "sure" if self.probability >= max(SURE, below) else "fair"

    def is_doubtful(self, below: float) -> bool:
        """Return whether a person should look: unsure, no answer, or text and photo differ."""
        return self.confidence(below) in ("doubtful", "no answer") or not self.is_agreed


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


def rows_shown(
    rows: Sequence[BatchRow], wanted: ResultFilter, order: str = "file"
) -> list[BatchRow]:
    """Return the rows that a filter means, in one of ORDERS.

    Raises:
        ConfigError: if the order isn't one.
    """
    if order not in ORDERS:
        raise ConfigError(f"order {order!r}: use one of {', '.join(ORDERS)}")
    found = [row for row in rows if wanted.takes(row)]
    if order == "file":
        return found
    return sorted(found, key=lambda row: row.probability, reverse=order == "surest first")


def read_result(batch: Batch) -> tuple[BatchRow, ...]:
    """Return every predicted product in the order of the file."""
    given = {row.product_id: row for row in batch_products(batch)}
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


def batch_products(batch: Batch) -> list[RawProduct]:
    """Return the products of a batch in the order of the file."""
    return [row for row in batch_rows(batch) if isinstance(row, RawProduct)]


def result_table(batch: Batch) -> "pd.DataFrame":
    """Return the predictions as a table, one row a product."""
    import pandas as pd

    return pd.read_parquet(batch.result)


def table_file(batch: Batch, kind: str) -> bytes:
    """Return the predictions with title and class of the file, as csv, xlsx or parquet.

    No cell of the first two runs as a formula.

    Raises:
        ConfigError: if it is another kind.
    """
    if kind not in DOWNLOADS:
        raise ConfigError(f"a table as {kind!r}: use one of {', '.join(DOWNLOADS)}")
    table = result_table(batch)
    given = {row.product_id: row for row in batch_products(batch)}
    rows = [given.get(product_id) for product_id in table["product_id"]]
    table.insert(1, "title", [row.title if row else "" for row in rows])
    table.insert(2, "label_in_file", [row.label if row else "" for row in rows])
    file = io.BytesIO()
    if kind == "parquet":
        table.to_parquet(file, index=False)
        return file.getvalue()
    for column in table.select_dtypes(include=["object", "string"]):
        keep = harmless if column in _FREE_TEXT else harmless_name
        table[column] = table[column].map(lambda cell, keep=keep: keep(_printable(cell)))
    if kind == "xlsx":
        table.to_excel(file, index=False)
    else:
        table.to_csv(file, index=False, encoding="utf-8-sig")
    return file.getvalue()


def _printable(cell: object) -> str:
    """Return a cell without control characters, which no workbook can hold."""
    text = "" if cell is None else str(cell)
    return "".join(c for c in text if c in "\t\n" or c >= " ")
