"""From physical lines to records, without letting one stray quote swallow the rest of a file.

A record is handed to the csv module once its quotes are balanced. Where that never happens, or
where what was gathered looks like several rows glued together, the first line alone is given up:
it is reported, the others are handed back and read again.
"""

import csv
import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmcore.catalog.csv_text import MAX_LINE_CHARACTERS, Line, LineReader

MAX_RECORD_LINES = 20_000
MAX_RECORD_CHARACTERS = MAX_LINE_CHARACTERS

# Lines read twice because of stray quotes: ordinary files stay far below, files made to hurt
# (each line opens a quote) reach it, and from then on a record may not go on over a line end.
_REREAD_WORK = 10_000_000
_REREAD_SHARE = 2

_OPEN, _CLOSED, _MISQUOTED = "open", "closed", "misquoted"
_ODD_QUOTE = "a quote inside a quoted field isn't written twice; check the texts of this row"
_GLUED_LINES = 3  # fewer lines that look like rows may be chance in a long description


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its fields, or why it has none."""

    line: int  # its first physical line
    fields: Sequence[str]
    problem: str = ""
    remark: str = ""  # what had to be mended in its text


def read_records(
    lines: LineReader, separator: str, num_fields: int | None = None
) -> Iterator[Record]:
    """Yield the records up to the end; blank lines and rows of empty cells are passed over.

    Args:
        num_fields: columns of the header; a record with another number gets a problem, surplus
            empty fields are dropped. None: any number will do.
    """
    if csv.field_size_limit() < MAX_RECORD_CHARACTERS:  # one setting for the whole process
        csv.field_size_limit(MAX_RECORD_CHARACTERS)
    grammar = _Grammar(separator)
    while (first := lines.take()) is not None:
        record = _read_record(lines, first, grammar, num_fields)
        if record.problem or any(field.strip() for field in record.fields):
            yield record


def _read_record(
    lines: LineReader, first: Line, grammar: "_Grammar", num_fields: int | None
) -> Record:
    if first.size > MAX_LINE_CHARACTERS:
        return Record(first.number, (), _too_long(first.size))
    block, state = _gather(lines, first, grammar)
    if len(block) == 1 and state != _OPEN:
        if state == _MISQUOTED:
            block = [dataclasses.replace(first, remark=_with(first.remark, _ODD_QUOTE))]
        return _checked(block, grammar.split(block), num_fields, grammar.separator)
    # a quote that closes before a letter was the opening one of a later row
    fields = grammar.split(block) if state == _CLOSED else None
    if fields is None or _looks_glued(block[1:], fields, grammar, num_fields):
        lines.give_back(block[1:])
        return Record(
            first.number,
            (),
            "a quote that opens on this line isn't closed where the row should end; close it, "
            "or write a quote inside a field twice",
            first.remark,
        )
    return _checked(block, fields, num_fields, grammar.separator)


def _gather(lines: LineReader, first: Line, grammar: "_Grammar") -> tuple[list[Line], str]:
    """Return the lines up to where the quotes are balanced, and the state they end in."""
    block, size = [first], first.size
    state = grammar.state_after(first.text, is_open=False)
    may_go_on = lines.work_returned <= _REREAD_WORK + _REREAD_SHARE * lines.work
    while state == _OPEN and may_go_on:
        line = lines.take()
        if line is None:
            break
        block.append(line)
        size += line.size
        if size > MAX_RECORD_CHARACTERS or len(block) > MAX_RECORD_LINES:
            break
        state = grammar.state_after(line.text, is_open=True)
    return block, state


def _looks_glued(
    rest: Sequence[Line], fields: Sequence[str], grammar: "_Grammar", num_fields: int | None
) -> bool:
    """Return whether the lines after the first of a balanced record look like rows themselves."""
    if num_fields is None:
        return False
    num_rows = sum(
        grammar.state_after(line.text, is_open=False) != _OPEN
        and len(grammar.split([line]) or ()) == num_fields
        for line in rest
    )
    if _trimmed(fields, num_fields) is None:
        return num_rows > 0
    return num_fields > 2 and len(rest) >= _GLUED_LINES and 2 * num_rows > len(rest)


def _checked(
    block: Sequence[Line], fields: Sequence[str] | None, num_fields: int | None, separator: str
) -> Record:
    line = block[0].number
    remark = "; ".join(dict.fromkeys(part.remark for part in block if part.remark))
    if fields is None:
        return Record(line, (), "the row can't be taken apart; check its quotes", remark)
    if num_fields is None or not fields:
        return Record(line, fields, "", remark)
    trimmed = _trimmed(fields, num_fields)
    if trimmed is None and any(field.strip() for field in fields):
        problem = (
            f"number of fields is {len(fields):,}, the header has {num_fields:,}; put a field "
            f"that holds {separator!r} or a line end in quotes"
        )
        return Record(line, (), problem, remark)
    return Record(line, trimmed or (), "", remark)


def _trimmed(fields: Sequence[str], num_fields: int) -> Sequence[str] | None:
    """Return the fields without surplus empty ones, None if their number is wrong."""
    if len(fields) > num_fields and not any(field.strip() for field in fields[num_fields:]):
        return fields[:num_fields]
    return fields if len(fields) == num_fields else None


def _with(remark: str, further: str) -> str:
    return f"{remark}; {further}" if remark else further


def _too_long(size: int) -> str:
    return (
        f"the line has {size:,} characters, the limit is {MAX_LINE_CHARACTERS:,}; "
        "shorten it, or check that the file has line ends"
    )


class _Grammar:
    """Quoting as the csv module has it: a quote opens a field only at its start."""

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self._opening = re.compile(f'(?:^|{re.escape(separator)}) *"')
        self._after_quote = separator + "\r\n"

    def split(self, block: Sequence[Line]) -> Sequence[str] | None:
        """Return the fields of one record, None if the csv module doesn't see exactly one."""
        try:
            texts = (line.text for line in block)
            rows = list(csv.reader(texts, delimiter=self.separator, skipinitialspace=True))
        except csv.Error:
            return None
        return rows[0] if len(rows) == 1 else None

    def state_after(self, text: str, is_open: bool) -> str:
        """Return the state at the end of a line, in one walk over its quotes.

        Misquoted: text follows a closing quote. On a line that began inside quotes this ends the
        walk, because that quote was meant to open.
        """
        position, state, began_open = 0, _CLOSED, is_open
        while True:
            quote = text.find('"', position)
            if not is_open:
                opening = self._opening.search(text, position) if quote >= 0 else None
                if opening is None:
                    return state
                position, is_open = opening.end(), True
            elif quote < 0:
                return _OPEN
            elif text.startswith('"', quote + 1):  # a quote inside a field, written twice
                position = quote + 2
            else:
                position, is_open = quote + 1, False
                if position < len(text) and text[position] not in self._after_quote:
                    state = _MISQUOTED
                    if began_open:
                        return state
