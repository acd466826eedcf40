"""A file of labels, row by row: what each says, or why it can't be used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmcore.catalog.issues import LEFT_OUT, IssueLog, RowIssue
from mmcore.errors import CatalogueError, RefusedError
from mmcore.services.inputs import MAX_COMMENT, checked_line, checked_text
from mmcore.services.label_tables import read_table

MAX_ANNOTATOR = 120  # characters
CLOCK_SKEW_S = 86_400.0  # a row from further in the future has a wrong time


@dataclass(frozen=True, slots=True)
class FileLabel:
    """One row that can be used as far as the file itself tells."""

    line: int
    product_id: str
    label: str
    annotator: str
    time: float | None
    comment: str


def read_labels(path: Path, kind: str, log: IssueLog, now: float) -> tuple[list[FileLabel], int]:
    """Return one row a product, and how many rows the file has; the rest goes into the log.

    Of several rows of a product the latest is taken: by time where both have one, else by line.

    Raises:
        CatalogueError: if the file can't be read, lacks a column or is a history.
    """
    found: dict[str, FileLabel] = {}
    num_rows = 0
    for row in read_table(path, kind):
        if num_rows == 0 and not row.problem:
            _check_columns(path, row.cells)
        num_rows += 1
        if row.problem:
            log.add(RowIssue(row.line, "", "", row.problem, LEFT_OUT))
            continue
        try:
            label = _parse(row.line, row.cells, now)
        except (RefusedError, ValueError) as error:
            shop_id = str(row.cells.get("product_id") or "")
            log.add(RowIssue(row.line, shop_id, "", str(error), LEFT_OUT))
            continue
        other = found.get(label.product_id)
        if other is not None:
            label, other = _latest(label, other)
            reason = f"line {label.line} is a later row of the same product"
            log.add(RowIssue(other.line, other.product_id, "", reason, LEFT_OUT))
        found[label.product_id] = label
    return list(found.values()), num_rows


def _check_columns(path: Path, cells: Mapping[str, Any]) -> None:
    missing = [name for name in ("product_id", "label") if name not in cells]
    if missing:
        raise CatalogueError(
            f"{path} has no column {' and no '.join(missing)}; it has {', '.join(cells)[:300]}"
        )
    if "act" in cells and "label_before" in cells:
        raise CatalogueError(
            f"{path} is a history: every step of each product; import a file of labels instead "
            "(labels export FILE, without --history)"
        )


def _latest(row: FileLabel, before: FileLabel) -> tuple[FileLabel, FileLabel]:
    if row.time is not None and before.time is not None and row.time < before.time:
        return before, row
    return row, before


def _parse(line: int, cells: Mapping[str, Any], now: float) -> FileLabel:
    """Return a row.

    Raises:
        RefusedError, ValueError: saying what is wrong with it.
    """
    shop_id = _text(cells, "product_id")
    checked_line(shop_id, "product_id", 1_000, needed=True)
    return FileLabel(
        line,
        shop_id.strip(),  # not rewritten in any way: it must be found
        checked_line(_text(cells, "label"), "label", 200, needed=True),
        checked_line(_text(cells, "annotator"), "annotator", MAX_ANNOTATOR),
        _time(cells.get("time"), now),
        checked_text(_text(cells, "comment"), "comment", MAX_COMMENT),
    )


def _text(cells: Mapping[str, Any], name: str) -> str:
    value = cells.get(name)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with gaps, as pandas writes it
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{name} is {str(value)[:60]!r}; it must be text or a number")
    if value != value:
        return ""  # pandas' way to say "missing"
    return str(value)


def _time(value: Any, now: float) -> float | None:
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, datetime):
        seconds = _as_utc(value).timestamp()
    else:
        seconds = _seconds(value)
    if not 0 <= seconds <= now + CLOCK_SKEW_S:
        raise ValueError(
            f"time {str(value)[:60]!r} lies before 1970 or in the future; write ISO 8601 "
            "(2026-01-31T12:00:00Z) or seconds since 1970"
        )
    return seconds


def _seconds(value: Any) -> float:
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return _as_utc(datetime.fromisoformat(text)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _as_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
