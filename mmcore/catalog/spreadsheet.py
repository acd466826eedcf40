"""An Excel workbook as the CSV file that everything else reads."""

import csv
import datetime
from pathlib import Path
from zipfile import BadZipFile

from mmcore.errors import CatalogueError

MAX_UNPACKED = 1_000_000_000  # bytes: a workbook is a ZIP archive, and may be a bomb


def to_csv(workbook: Path, target: Path) -> int:
    """Write the first sheet of a workbook as CSV; return its number of rows, the header included.

    Formulas count as the value that was last computed.

    Raises:
        CatalogueError: if it is no workbook that can be read, or its sheet is empty.
    """
    import zipfile

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
    except (BadZipFile, OSError, KeyError, ValueError) as error:
        raise CatalogueError(
            f"{workbook.name} is no Excel workbook (.xlsx) that can be read ({error}); save the "
            "sheet as CSV"
        ) from error
    try:
        return _write(book, workbook, target)
    finally:
        book.close()


def _write(book, workbook: Path, target: Path) -> int:
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for row in book.worksheets[0].iter_rows(values_only=True):
            cells = [_text(value) for value in row]
            if any(cells):
                writer.writerow(cells)
                count += 1
    if not count:
        raise CatalogueError(f"the first sheet of {workbook.name} is empty; put the products there")
    return count


def _text(value: object) -> str:
    """Return a cell as a person reads it: 12 for 12.0, dates as in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
