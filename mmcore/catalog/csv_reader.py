"""A shop's CSV file, row by row, as products; what is wrong with a row is said, not raised."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns, locate_columns
from mmcore.catalog.csv_records import Record
from mmcore.catalog.csv_table import CsvTable, open_table
from mmcore.catalog.first_lines import FirstLines
from mmcore.catalog.issues import KEPT, LEFT_OUT, RowIssue, shown
from mmcore.errors import CatalogueError

MAX_CELL_CHARACTERS = 1_000_000
MAX_NAME_CHARACTERS = 200  # of ids, labels and group ids: they are shown and compared whole

_MISSING_NAMES = frozenset(("", "nan", "null", "none", "n/a", "#n/a"))
_MISSING_TEXTS = frozenset(("", "nan", "null"))  # "None" may be the title of a book
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class RawProduct:
    """One row as text, "" where missing; `image` is a name in the file, not yet a photo."""

    line: int
    product_id: str
    title: str
    description: str
    image: str
    label: str
    group: str
    split: str
    extra: tuple[str, ...]


def read_csv(
    path: Path, columns: CsvColumns, separator: str | None = None
) -> Iterator[RawProduct | RowIssue]:
    """Return the products of a file and the issues with its rows, in the order of the file.

    Raises:
        CatalogueError: at once, if the file or the mapping can't be used.
    """
    return read_products(open_table(path, separator), columns)


def read_products(
    table: CsvTable,
    columns: CsvColumns,
    may_be_empty: bool = False,
    first_lines: FirstLines | None = None,
) -> Iterator[RawProduct | RowIssue]:
    """Return the products of an open table and the issues with its rows.

    Args:
        may_be_empty: a header without a row is no error.
        first_lines: where the ids are kept to find those that come twice; None: in memory.

    Raises:
        CatalogueError: at once, if the mapping doesn't fit the header; when the first row is
            asked for, if there is none.
    """
    reader = _RowReader(table, columns, {} if first_lines is None else first_lines)
    return _read(table, reader, may_be_empty)


def _read(
    table: CsvTable, reader: "_RowReader", may_be_empty: bool
) -> Iterator[RawProduct | RowIssue]:
    num_rows = 0
    for record in table.records():
        num_rows += 1
        yield from reader.read(record)
    if not num_rows and not may_be_empty:
        raise CatalogueError(
            f"{table.path} has a header and no rows ({table.describe_columns()}); "
            "export it again with its products"
        )


class _LeftOut(Exception):
    """The row can't become a product."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


class _RowReader:
    """Checks the rows of one file; remembers the ids it has seen."""

    def __init__(self, table: CsvTable, columns: CsvColumns, first_lines: FirstLines) -> None:
        self._header = table.header
        self._places, self._extra_places = locate_columns(columns, table)
        self._names = columns.mapped()
        self._first_lines = first_lines

    def read(self, record: Record) -> list[RawProduct | RowIssue]:
        """Return the row's product after the issues it was kept with, or why it is left out."""
        kept: list[tuple[str, str]] = [("", record.remark)] if record.remark else []
        product_id = ""
        try:
            if record.problem:
                raise _LeftOut("", record.problem)
            self._check_sizes(record.fields)
            product_id = self._product_id(record)
            product = self._product(record, product_id, kept)
        except _LeftOut as left_out:
            return [self._issue(record, product_id, left_out.field, left_out.reason, LEFT_OUT)]
        self._first_lines[product_id] = record.line
        issues = [self._issue(record, product_id, *remark, KEPT) for remark in kept]
        return [*issues, product]

    def _product(self, record: Record, product_id: str, kept: list[tuple[str, str]]) -> RawProduct:
        product = RawProduct(
            line=record.line,
            product_id=product_id,
            title=self._text(record, "title"),
            description=self._text(record, "description"),
            image=_known(self._cell(record, "image")),
            label=self._label(record, kept),
            group=self._group(record, kept),
            split=self._split(record, kept),
            extra=tuple(record.fields[place].strip() for place in self._extra_places),
        )
        if not (product.title or product.description or product.image):
            named = [self._names[f] for f in ("title", "description", "image") if f in self._names]
            raise _LeftOut("", f"nothing to classify: {', '.join(named)} empty; fill one of them")
        return product

    def _product_id(self, record: Record) -> str:
        value = _normal(self._cell(record, "product_id"))
        if not value:
            raise _LeftOut("product_id", "no product id; give each product its own")
        if len(value) > MAX_NAME_CHARACTERS:
            raise _LeftOut(
                "product_id",
                f"product id {shown(value)} has {len(value):,} characters, the limit is "
                f"{MAX_NAME_CHARACTERS}; shorten it",
            )
        if control := _CONTROL.search(value):
            raise _LeftOut(
                "product_id",
                f"product id {shown(value)} holds the control character "
                f"U+{ord(control.group()):04X}; remove it",
            )
        first_line = self._first_lines.get(value)
        if first_line is not None:
            raise _LeftOut(
                "product_id",
                f"product id {shown(value)} is already on line {first_line:,}; "
                "give each product its own, or remove one of the rows",
            )
        return value

    def _text(self, record: Record, field: str) -> str:
        value = self._cell(record, field).strip()
        return "" if value.lower() in _MISSING_TEXTS else value

    def _label(self, record: Record, kept: list[tuple[str, str]]) -> str:
        value = " ".join(_normal(self._cell(record, "label")).split())
        label = _known(value)
        if value and not label:
            kept.append(
                ("label", f"label {shown(value)} means none; the product is kept unlabelled")
            )
        if len(label) > MAX_NAME_CHARACTERS or _CONTROL.search(label):
            raise _LeftOut(
                "label",
                f"label {shown(label)} has {len(label):,} characters or a control character, the "
                f"limit is {MAX_NAME_CHARACTERS} printable ones; is it the right column?",
            )
        return label

    def _group(self, record: Record, kept: list[tuple[str, str]]) -> str:
        value = _known(_normal(self._cell(record, "group")))
        if len(value) <= MAX_NAME_CHARACTERS and not _CONTROL.search(value):
            return value
        kept.append(
            (
                "group",
                f"group {shown(value)} has {len(value):,} characters or a control character, the "
                f"limit is {MAX_NAME_CHARACTERS} printable ones; the group is computed instead",
            )
        )
        return ""

    def _split(self, record: Record, kept: list[tuple[str, str]]) -> str:
        value = _known(self._cell(record, "split").strip())
        split = _SPLIT_NAMES.get(value.lower(), "")
        if value and not split:
            kept.append(
                (
                    "split",
                    f"split {shown(value)} isn't train, val or test; the split is computed instead",
                )
            )
        return split

    def _cell(self, record: Record, field: str) -> str:
        place = self._places.get(field)
        return "" if place is None else record.fields[place]

    def _check_sizes(self, fields: Sequence[str]) -> None:
        for name, value in zip(self._header, fields, strict=True):
            if len(value) > MAX_CELL_CHARACTERS:
                raise _LeftOut(
                    "",
                    f"column {shown(name)} has {len(value):,} characters, the limit is "
                    f"{MAX_CELL_CHARACTERS:,}; shorten it",
                )

    def _issue(
        self, record: Record, product_id: str, field: str, reason: str, severity: str
    ) -> RowIssue:
        return RowIssue(record.line, product_id, self._names.get(field, ""), reason, severity)


def _normal(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip()


def _known(value: str) -> str:
    """Return a name, "" where the cell only says that there is none."""
    value = value.strip()
    return "" if value.lower() in _MISSING_NAMES else value
