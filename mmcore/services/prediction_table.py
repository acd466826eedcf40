"""Predictions as rows of a table, and the table as CSV, JSON lines or Parquet.

The columns depend on the model alone, so a file without any prediction has them, too.
"""

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from mmcore.catalog.issues import harmless, harmless_name

if TYPE_CHECKING:
    from mmcore.runtime import Prediction

FORMATS = (".csv", ".jsonl", ".parquet")

_ROWS_A_GROUP = 1024  # of a Parquet file, held in memory
_FREE_TEXT = ("name_fr", "problems")  # the other text columns hold ids and class codes


def views_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the views beside the fused one, of a model with these modalities."""
    return (*names, *(f"fused_without_{name}" for name in names if len(names) > 1))


def columns_of(names: tuple[str, ...]) -> list[str]:
    """Return the columns of the predictions of a model with these modalities."""
    views = (column for view in views_of(names) for column in (view, f"{view}_probability"))
    return ["product_id", "predicted", "name_fr", "probability", *views, "problems"]


def row_of(prediction: "Prediction", names: tuple[str, ...]) -> dict:
    """Return one prediction as a row; a view the product doesn't have is "" and None."""
    best = prediction.top(k=1)
    row: dict = {
        "product_id": prediction.product_id,
        "predicted": best[0].code if best else "",
        "name_fr": best[0].name_fr if best else "",
        "probability": round(best[0].probability, 6) if best else None,
    }
    for view in views_of(names):
        first = prediction.top(view, 1)
        row[view] = first[0].code if first else ""
        row[f"{view}_probability"] = round(first[0].probability, 6) if first else None
    return row | {"problems": "; ".join(prediction.problems)}


def write_rows(rows: Iterator[dict], columns: list[str], file: BinaryIO, suffix: str) -> None:
    """Write the rows as they come, in the format that the suffix names."""
    if suffix == ".parquet":
        _write_parquet(rows, columns, file)
    elif suffix == ".jsonl":
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    else:
        _write_csv(rows, columns, file)


def _write_csv(rows: Iterator[dict], columns: list[str], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(name, value) for name, value in row.items()})
    finally:
        text.detach()  # else closing the wrapper would close the file under its owner


def _cell(column: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    # ids and codes are joined with other tables: they stay as they are wherever that is safe
    return harmless(value) if column in _FREE_TEXT else harmless_name(value)


def _write_parquet(rows: Iterator[dict], columns: list[str], file: BinaryIO) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # by name, not by value: the first product may lack a photo and so its probability
    schema = pa.schema([(c, pa.float64() if "probability" in c else pa.string()) for c in columns])
    with pq.ParquetWriter(file, schema) as writer:
        while piece := list(islice(rows, _ROWS_A_GROUP)):
            writer.write_table(pa.Table.from_pylist(piece, schema))
