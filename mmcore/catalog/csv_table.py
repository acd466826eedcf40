"""A CSV file opened as a table: its encoding, separator and header, then its records."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.csv_records import Record, read_records
from mmcore.catalog.csv_text import LineReader, TextForm, detect_form
from mmcore.catalog.issues import shown
from mmcore.errors import CatalogueError

SEPARATORS = (",", ";", "\t", "|")

_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 4_000_000
_EXCEL_HINT = re.compile(r"sep=(.)\s*", re.DOTALL)  # a first line that only Excel understands
_SHOWN_COLUMNS = 30


@dataclass(frozen=True)
class CsvTable:
    """What is known of a CSV file before its rows are read.

    Attributes:
        header: column names, stripped; a column without a name is called "column 3".
        unnamed: those of the names above that we gave.
    """

    path: Path
    form: TextForm
    separator: str
    header: tuple[str, ...]
    unnamed: frozenset[str]

    def records(self) -> Iterator[Record]:
        """Yield the rows after the header, each with as many fields as the header has.

        Raises:
            CatalogueError: if the file can no longer be read.
        """
        try:
            with self.path.open(
                encoding=self.form.encoding, errors=self.form.errors, newline=""
            ) as file:
                lines = LineReader(file)
                _skip_excel_hint(lines)
                next(read_records(lines, self.separator), None)
                yield from read_records(lines, self.separator, len(self.header))
        except OSError as error:
            raise CatalogueError(
                f"{self.path} can't be read any further: {error.strerror or error}; "
                "check the disk and start again"
            ) from error

    def describe_columns(self) -> str:
        """Return the columns and the separator, for messages."""
        names = [shown(name) for name in self.header[:_SHOWN_COLUMNS]]
        if len(self.header) > _SHOWN_COLUMNS:
            names.append(f"and {len(self.header) - _SHOWN_COLUMNS:,} more")
        return f"columns found with separator {self.separator!r}: {', '.join(names)}"


def open_table(path: Path, separator: str | None = None) -> CsvTable:
    """Return the table in a CSV file.

    Args:
        separator: one character; None finds it among comma, semicolon, tab and bar.

    Raises:
        CatalogueError: if the file can't be read, or has no header with two columns or more.
    """
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise CatalogueError(
            f"separator {separator!r} can't be used; give one character, such as ',' or ';' "
            "or a tab, or leave it out to have it found"
        )
    form = detect_form(path)
    sample, hint = _read_sample(path, form)
    counts = {candidate: _field_counts(sample, candidate) for candidate in SEPARATORS}
    best = max(SEPARATORS, key=lambda candidate: _score(counts[candidate]))
    chosen = separator or hint or best
    header = next(read_records(LineReader(io.StringIO(sample, newline="")), chosen), None)
    if header is None:
        raise CatalogueError(
            f"{path} holds nothing but blank lines; give a file with a header and products"
        )
    if header.problem:
        raise CatalogueError(f"{path}, header on line {header.line}: {header.problem}")
    if len(header.fields) < 2:
        raise _single_column(path, header.fields[0], chosen, counts, best)
    return CsvTable(path, form, chosen, *_named(path, header))


def _read_sample(path: Path, form: TextForm) -> tuple[str, str | None]:
    """Return the first lines as text, and the separator that a line "sep=;" asks for."""
    texts, size = [], 0
    with path.open(encoding=form.encoding, errors=form.errors, newline="") as file:
        lines = LineReader(file)
        hint = _skip_excel_hint(lines)
        while (line := lines.take()) is not None:
            texts.append(line.text)
            size += len(line.text)
            if len(texts) >= _SAMPLE_LINES or size >= _SAMPLE_CHARACTERS:
                break
    return "".join(texts), hint


def _skip_excel_hint(lines: LineReader) -> str | None:
    first = lines.take()
    if first is None:
        return None
    match = _EXCEL_HINT.fullmatch(first.text.removeprefix("\ufeff"))
    if match and match.group(1) not in '"\r\n':
        return match.group(1)
    lines.give_back([first])
    return None


def _field_counts(sample: str, separator: str) -> list[int]:
    """Return the number of fields of each whole record of the sample, the header's first."""
    records = read_records(LineReader(io.StringIO(sample, newline="")), separator)
    return [len(record.fields) for record in records if not record.problem]


def _score(counts: list[int]) -> float:
    """Return how well a separator fits, 0 to 1.

    It should give each row as many fields as the header, and many: the comma inside prices
    ("12,90") may be as regular as the semicolon that separates, but gives fewer.
    """
    num_fields, *others = counts or [0]
    if num_fields < 2:
        return 0.0
    agreeing = sum(count == num_fields for count in others)
    share = (agreeing + 1) / (len(others) + 1)
    return share * (num_fields - 1) / num_fields


def _single_column(
    path: Path, cell: str, separator: str, counts: dict[str, list[int]], best: str
) -> CatalogueError:
    found = f"{path} has a single column {shown(cell)} with separator {separator!r}"
    if _score(counts[best]) > 0:
        return CatalogueError(
            f"{found}; {best!r} gives {counts[best][0]} columns: use that, or leave the separator "
            "out to have it found"
        )
    return CatalogueError(
        f"{found}; a catalogue needs two at least, an id and a title, description or photo: "
        "export it with a comma, semicolon, tab or bar between the columns"
    )


def _named(path: Path, header: Record) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the column names, and which of them are ours because the file gives none."""
    given = [clean_name(field) for field in header.fields]
    repeated = [name for name, count in Counter(given).items() if name and count > 1]
    if repeated:
        raise CatalogueError(
            f"{path} has {given.count(repeated[0])} columns named {shown(repeated[0])} on line "
            f"{header.line}; rename them so that each name is there once"
        )
    names, unnamed = [], set()
    for position, name in enumerate(given, start=1):
        if not name:
            name = f"column {position}"
            while name in given:
                name += "'"
            unnamed.add(name)
        names.append(name)
    return tuple(names), frozenset(unnamed)


def clean_name(name: str) -> str:
    """Return a column name as it is compared: no outer spaces, byte order mark or odd accents."""
    return unicodedata.normalize("NFC", name.replace("\ufeff", "")).strip()
