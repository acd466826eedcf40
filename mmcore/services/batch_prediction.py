"""Predicting a whole file of products, in pieces, without storing anything of it."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.issues import KEPT, RowIssue, harmless
from mmcore.catalog.photo_source import PhotoSource, open_photo_source
from mmcore.errors import ConfigError, ImageError, WorkspaceError
from mmcore.workspace import write_atomically

if TYPE_CHECKING:
    from mmcore.runtime import Prediction, ProductInput, TorchRuntime

PIECE = 64  # products in memory at once, with the bytes of their photos
FORMATS = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class BatchRequest:
    """What to predict and where to put it."""

    source: Path
    target: Path
    columns: CsvColumns
    images: Path | None = None
    separator: str | None = None


@dataclass
class BatchReport:
    """What came of it."""

    target: Path
    model: str
    num_predicted: int = 0
    num_without_prediction: int = 0
    issues: list[RowIssue] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict:
        """Return the report as plain JSON values."""
        issues = [
            {"line": i.line, "product_id": i.product_id, "reason": i.reason} for i in self.issues
        ]
        return {**vars(self), "target": str(self.target), "issues": issues}

    def summary(self) -> list[str]:
        """Return the report in lines."""
        rate = self.num_predicted / max(self.seconds, 1e-9)
        lines = [
            f"{self.num_predicted:,} products predicted by {self.model} in {self.seconds:.1f} s "
            f"({rate:.0f} a second), written to {self.target}"
        ]
        if self.num_without_prediction:
            lines.append(f"{self.num_without_prediction:,} with nothing to predict from")
        lines += [f"  line {issue.line}: {issue.reason}" for issue in self.issues[:10]]
        if len(self.issues) > 10:
            lines.append(f"  and {len(self.issues) - 10:,} more remarks; --json lists them all")
        return lines


def extra_columns(runtime: "TorchRuntime") -> list[str]:
    """Return the further columns that a model reads."""
    usual = {"title", "description", "photo"}
    modalities = runtime.artifact.config.model.modalities
    return [c for modality in modalities for c in modality.columns if c not in usual]


def predict_file(
    runtime: "TorchRuntime",
    request: BatchRequest,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BatchReport:
    """Predict every product of a CSV file and write one row each, whole or not at all.

    Raises:
        CatalogueError: if the source can't be read.
        ConfigError: if the target's ending is unknown.
        WorkspaceError: if the target can't be written.
    """
    if request.target.suffix not in FORMATS:
        raise ConfigError(
            f"{request.target.name} ends in {request.target.suffix!r}: use {', '.join(FORMATS)}"
        )
    if request.target.resolve() == request.source.resolve():
        raise ConfigError(f"{request.target} is the source itself; write to another file")
    started = time.perf_counter()
    report = BatchReport(request.target, runtime.artifact.manifest.name)
    photos = open_photo_source(request.images)
    try:
        rows = _rows(runtime, request, photos, report, progress)
        write_atomically(request.target, lambda file: _write(rows, file, request.target.suffix))
    except OSError as error:
        raise WorkspaceError(
            f"{request.target} can't be written: {error.strerror or error}; choose another place"
        ) from error
    finally:
        photos.close()
    report.seconds = round(time.perf_counter() - started, 2)
    return report


def _rows(
    runtime: "TorchRuntime",
    request: BatchRequest,
    photos: PhotoSource,
    report: BatchReport,
    progress: Callable[[int, int], None],
) -> Iterator[dict]:
    table = open_table(request.source, request.separator)
    total = max(table.form.num_lines - 1, 1)
    products = _readable(read_products(table, request.columns), report)
    while piece := list(islice(products, PIECE)):
        inputs = [_input(row, request.columns, photos, report) for row in piece]
        for prediction in runtime.predict(inputs):
            report.num_predicted += bool(prediction.probs)
            report.num_without_prediction += not prediction.probs
            yield _row(prediction, runtime)
        progress(min(piece[-1].line, total), total)


def _readable(rows: Iterator[RawProduct | RowIssue], report: BatchReport) -> Iterator[RawProduct]:
    for row in rows:
        if isinstance(row, RowIssue):
            report.issues.append(row)
        else:
            yield row


def _input(
    row: RawProduct, columns: CsvColumns, photos: PhotoSource, report: BatchReport
) -> "ProductInput":
    from mmcore.runtime import ProductInput

    photo = None
    if row.image:
        try:
            photo = photos.read(row.image)
        except ImageError as error:
            column = columns.image or ""
            report.issues.append(RowIssue(row.line, row.product_id, column, str(error), KEPT))
    extra = dict(zip(columns.extra, row.extra, strict=True))
    return ProductInput(row.title, row.description, photo, row.product_id, extra)


def _row(prediction: "Prediction", runtime: "TorchRuntime") -> dict:
    """Return one line of the result; the same keys for every product."""
    best = prediction.top(k=1)
    row: dict = {
        "product_id": prediction.product_id,
        "predicted": best[0].code if best else "",
        "name_fr": best[0].name_fr if best else "",
        "probability": round(best[0].probability, 6) if best else None,
    }
    names = runtime.artifact.model.names
    for view in (*names, *(f"fused_without_{n}" for n in names if len(names) > 1)):
        first = prediction.top(view, 1)
        row[view] = first[0].code if first else ""
        row[f"{view}_probability"] = round(first[0].probability, 6) if first else None
    return row | {"problems": "; ".join(prediction.problems)}


def _write(rows: Iterator[dict], file: BinaryIO, suffix: str) -> None:
    if suffix == ".parquet":
        _write_parquet(rows, file)
    elif suffix == ".jsonl":
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    else:
        _write_csv(rows, file)


def _write_csv(rows: Iterator[dict], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row))
            writer.writeheader()
        writer.writerow({k: harmless(v) if isinstance(v, str) else v for k, v in row.items()})
    text.detach()  # else closing the wrapper would close the file under its owner


def _write_parquet(rows: Iterator[dict], file: BinaryIO) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    while piece := list(islice(rows, 1024)):
        schema = writer.schema if writer else _schema(piece[0])
        table = pa.Table.from_pylist(piece, schema)
        writer = writer or pq.ParquetWriter(file, schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _schema(row: dict):
    import pyarrow as pa

    # by name, not by value: the first product may lack a photo and so its probability
    return pa.schema([(k, pa.float64() if "probability" in k else pa.string()) for k in row])
