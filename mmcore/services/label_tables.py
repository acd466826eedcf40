"""Tables of labels in files: CSV, JSON Lines and Parquet, written and read row by row.

A spreadsheet runs a CSV cell that begins with = + - or @ as a formula. Such cells are written with
an apostrophe before them; so are cells that have apostrophes before such a sign, and so each cell
that reads "apostrophe, sign" has one apostrophe taken off when it is read back: ids come back
exactly as they were. JSON Lines and Parquet are written as they are: nothing runs them.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from mmcore.errors import CatalogueError
from mmcore.times import iso_utc

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
BATCH = 5_000
MAX_LINE = 1_000_000  # bytes of one JSON line
# full-width signs, too: some spreadsheets read them as the plain ones
_FORMULA = r"(?:\s*[=+\-@＝＋－＠]|[\t\r\n])"
_NEEDS_GUARD = re.compile(f"'*{_FORMULA}")
_HAS_GUARD = re.compile(f"'+{_FORMULA}")


@dataclass(frozen=True)
class Column:
    """A column of a table to write; kind: text, time, number, whole, yes-no."""

    name: str
    kind: str = "text"


@dataclass(frozen=True)
class TableRow:
    """A row that was read: its cells by column in lower case, or why it can't be used."""

    line: int
    cells: Mapping[str, Any]
    problem: str = ""


def format_of(path: Path, wanted: str | None = None) -> str:
    """Return csv, jsonl or parquet.

    Raises:
        CatalogueError: if the name of the file doesn't tell.
    """
    found = wanted or FORMATS.get(path.suffix.lower())
    if found not in FORMATS.values():
        raise CatalogueError(
            f"{path.name} is of an unknown kind; name it .csv, .jsonl or .parquet, "
            "or choose with --format"
        )
    return found


def write_table(file: BinaryIO, kind: str, columns: Sequence[Column], rows: Iterable) -> int:
    """Return how many rows were written, a few thousand in memory at a time.

    Args:
        kind: csv, jsonl or parquet.
        rows: plain values in the order of the columns; times in seconds since 1970, None missing.
    """
    write = {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}[kind]
    counted, rows = 0, iter(rows)
    batches = iter(lambda: list(islice(rows, BATCH)), [])

    def counting() -> Iterator[list]:
        nonlocal counted
        for batch in batches:
            counted += len(batch)
            yield batch

    write(file, columns, counting())
    return counted


def read_table(path: Path, kind: str) -> Iterator[TableRow]:
    """Yield the rows of a file.

    Raises:
        CatalogueError: if the file as a whole can't be read.
    """
    read = {"csv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet}[kind]
    try:
        yield from read(path)
    except OSError as error:
        raise CatalogueError(f"{path} can't be read: {error.strerror or error}") from error


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet runs; `unguarded` gives back the very same text."""
    return f"'{cell}" if _NEEDS_GUARD.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return a cell as it was before `guarded`."""
    return cell[1:] if _HAS_GUARD.match(cell) else cell


def _write_csv(file: BinaryIO, columns: Sequence[Column], batches: Iterable[list]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    shown = [_CSV_CELLS[column.kind] for column in columns]
    for batch in batches:
        writer.writerows(
            ["" if value is None else show(value) for show, value in zip(shown, row, strict=True)]
            for row in batch
        )
    text.flush()
    text.detach()  # the file is the caller's to close


def _write_jsonl(file: BinaryIO, columns: Sequence[Column], batches: Iterable[list]) -> None:
    names = [column.name for column in columns]
    times = [place for place, column in enumerate(columns) if column.kind == "time"]
    for batch in batches:
        lines = []
        for row in batch:
            row = list(row)
            for place in times:
                row[place] = None if row[place] is None else iso_utc(row[place])
            lines.append(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
        file.write("\n".join([*lines, ""]).encode())


def _write_parquet(file: BinaryIO, columns: Sequence[Column], batches: Iterable[list]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        "text": pa.string(),
        "time": pa.timestamp("us", "UTC"),
        "number": pa.float64(),
        "whole": pa.int64(),
        "yes-no": pa.bool_(),
    }
    schema = pa.schema([(column.name, kinds[column.kind]) for column in columns])
    times = [column.kind == "time" for column in columns]
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            cells = [
                [None if v is None else round(v * 1e6) for v in values] if is_time else values
                for is_time, values in zip(times, zip(*batch, strict=True), strict=True)
            ]
            arrays = [
                pa.array(values, field.type) for values, field in zip(cells, schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema))


_CSV_CELLS = {
    "text": guarded,
    "time": iso_utc,
    "number": repr,
    "whole": str,
    "yes-no": lambda value: "yes" if value else "no",
}


def _read_csv(path: Path) -> Iterator[TableRow]:
    from mmcore.catalog.csv_table import open_table

    table = open_table(path)
    names = [name.lower() for name in table.header]
    for record in table.records():
        cells = {} if record.problem else dict(zip(names, record.fields, strict=True))
        cells = {name: unguarded(cell) for name, cell in cells.items()}
        yield TableRow(record.line, cells, record.problem or "")


def _read_jsonl(path: Path) -> Iterator[TableRow]:
    with path.open("rb") as file:
        for line, data in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), start=1):
            if len(data) > MAX_LINE:
                raise CatalogueError(
                    f"{path}, line {line} has more than {MAX_LINE:,} bytes; write one object a line"
                )
            if data.strip():
                yield _json_row(line, data)


def _json_row(line: int, data: bytes) -> TableRow:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return TableRow(line, {}, f"it isn't JSON in UTF-8: {error}")
    if not isinstance(found, dict):
        return TableRow(line, {}, 'it isn\'t a JSON object; write {"product_id": ...} a line')
    return TableRow(line, {name.lower(): value for name, value in found.items()})


def _read_parquet(path: Path) -> Iterator[TableRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            line = 1
            for batch in file.iter_batches(batch_size=BATCH):
                names = [name.lower() for name in batch.schema.names]
                columns = [column.to_pylist() for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    line += 1
                    yield TableRow(line, dict(zip(names, cells, strict=True)))
    except (pa.ArrowException, ValueError) as error:
        raise CatalogueError(f"{path} can't be read as Parquet: {error}") from error
