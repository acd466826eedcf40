"""An Excel workbook as the CSV file that everything else reads."""

import csv
import datetime
import zipfile
from collections.abc import Iterator
from pathlib import Path

from mmcore.errors import CatalogueError

MAX_UNPACKED = 1_000_000_000  # bytes: a workbook is a ZIP archive, and may be a bomb


def to_csv(workbook: Path, target: Path) -> int:
    """Write the first sheet of a workbook as CSV; return its number of rows, the header included.

    Line n of the CSV file is row n of the sheet, so that remarks on lines lead to rows: a blank
    row stays a blank line, and a line end inside a cell becomes a space. Formulas count as the
    value that was last computed.

    Raises:
        CatalogueError: if it is no workbook that can be read, or its sheet is empty.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(workbook) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > MAX_UNPACKED:
            raise CatalogueError(
                f"{workbook.name} unpacks to {size:,} bytes, the limit is {MAX_UNPACKED:,}; save "
                "the sheet as CSV"
            )
        book = openpyxl.load_workbook(workbook, read_only=True, data_only=True)
        try:
            count = _write(_rows(book), target)
        finally:
            book.close()
    except CatalogueError:
        raise
    except Exception as error:  # openpyxl and the parsers below raise many types on hostile bytes
        raise CatalogueError(
            f"{workbook.name} is no Excel workbook (.xlsx) that can be read ({error}); save the "
            "sheet as CSV"
        ) from error
    if not count:
        raise CatalogueError(f"the first sheet of {workbook.name} is empty; put the products there")
    return count


def _rows(book) -> Iterator[list[str]]:
    for row in book.worksheets[0].iter_rows(values_only=True):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:  # what a sheet was wide once says nothing about its columns
            cells.pop()
        yield cells


def _write(rows: Iterator[list[str]], target: Path) -> int:
    count = width = 0
    num_blank = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for cells in rows:
            if not cells:
                num_blank += 1  # written only if something follows: sheets end in blank rows
                continue
            writer.writerows([[]] * num_blank)
            num_blank = 0
            width = width or len(cells)
            writer.writerow([*cells, *[""] * (width - len(cells))])
            count += 1
    return count


def _text(value: object) -> str:
    """Return a cell as a person reads it: 12 for 12.0, dates as in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(str(value).splitlines()).strip()
