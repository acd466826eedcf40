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
from mmcore.config import FUSED

if TYPE_CHECKING:
    from mmcore.runtime import Prediction

FORMATS = (".csv", ".jsonl", ".parquet")
PREDICTED = 1  # place of the fused answer's code among the columns

_ROWS_A_GROUP = 1024  # of a Parquet file, held in memory
_FREE_TEXT = ("name_fr", "problems")  # the other text columns hold ids and class codes


def views_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the views beside the fused one, of a model with these modalities."""
    return (*names, *(f"fused_without_{name}" for name in names if len(names) > 1))


def columns_of(names: tuple[str, ...]) -> list[str]:
    """Return the columns of the predictions of a model with these modalities."""
    views = (column for view in views_of(names) for column in (view, f"{view}_probability"))
    return ["product_id", "predicted", "name_fr", "probability", *views, "problems"]


def values_of(prediction: "Prediction", names: tuple[str, ...]) -> list:
    """Return one prediction as the values of `columns_of`; a view it lacks is "" and None."""
    code, name_fr, probability = _best(prediction, FUSED)
    values = [prediction.product_id, code, name_fr, probability]
    for view in views_of(names):
        code, _, probability = _best(prediction, view)
        values += [code, probability]
    return [*values, "; ".join(prediction.problems)]


def _best(prediction: "Prediction", view: str) -> tuple[str, str, float | None]:
    """Return code, name and probability of a view's first choice, as `top` has it."""
    probs = prediction.probs.get(view)
    if probs is None:
        return "", "", None
    place = int(probs.argmax())
    found = prediction.classes[place]
    return found.code, found.name_fr, round(float(probs[place]), 6)


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
