"""What an import has to say about single rows, and the table to download it as."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path

from mmcore.errors import WorkspaceError
from mmcore.workspace import write_atomically

LEFT_OUT = "left out"
KEPT = "kept"

MAX_ISSUES = 100_000  # kept of one import; a file that is bad throughout has millions of lines

_SHOWN_CHARACTERS = 60
# a spreadsheet runs a cell that begins with one of these
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SIGNED_NAME = re.compile(r"[+-][\w.-]*")


@dataclass(frozen=True, slots=True)
class RowIssue:
    """One remark about one row.

    Attributes:
        line: first physical line of the row, the header being line 1; 1 also for the whole file.
        product_id: "" where the row has none.
        column: name in the file's header, "" for the whole row.
        reason: what is wrong, the limit, and what to do.
        severity: "left out" (the row is not in the catalogue) or "kept" (it is, with a change).
    """

    line: int
    product_id: str
    column: str
    reason: str
    severity: str


@dataclass
class IssueLog:
    """The issues of one file: the first of them, and how many rows were left out.

    Attributes:
        most: issues that are kept.
        again: what to do when those are mended, for the message.
    """

    num_left_out: int = 0
    num_dropped: int = 0
    most: int = field(default_factory=lambda: MAX_ISSUES)
    again: str = "import again"
    _issues: list[RowIssue] = field(default_factory=list)

    def add(self, issue: RowIssue) -> None:
        self.num_left_out += issue.severity == LEFT_OUT
        if len(self._issues) < self.most:
            self._issues.append(issue)
        else:
            self.num_dropped += 1

    def first_left_out(self, count: int) -> list[RowIssue]:
        """Return the first rows that were left out."""
        return [issue for issue in self._issues if issue.severity == LEFT_OUT][:count]

    def in_order(self) -> tuple[RowIssue, ...]:
        """Return the issues by line, and at the end how many more there were."""
        issues = sorted(self._issues, key=lambda issue: issue.line)
        if self.num_dropped:
            reason = (
                f"{self.num_dropped:,} more remarks are not listed; mend these "
                f"{self.most:,} and {self.again}"
            )
            issues.append(RowIssue(1, "", "", reason, KEPT))
        return tuple(issues)


def shown(value: str) -> str:
    """Return a value in quotes for a message, its middle cut out where it is long."""
    if len(value) > _SHOWN_CHARACTERS:
        half = _SHOWN_CHARACTERS // 2
        value = f"{value[:half]}…{value[-half:]}"
    return repr(value)


def write_table(issues: Iterable[RowIssue], path: Path) -> None:
    """Write the issues as a CSV file that a spreadsheet opens safely.

    Raises:
        WorkspaceError: if the file can't be written.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in fields(RowIssue)])
    for issue in issues:
        line, *cells = astuple(issue)
        writer.writerow([line, *map(harmless, cells)])
    data = text.getvalue().encode("utf-8-sig")  # without the mark Excel reads it as Latin-1
    try:
        write_atomically(path, lambda file: file.write(data))
    except OSError as error:
        raise WorkspaceError(
            f"the table of issues can't be written to {path}: {error.strerror or error}; "
            "choose a folder that exists and that you may write to"
        ) from error


def harmless_name(cell: str) -> str:
    """Return an id or a code as it is where no spreadsheet could run it, else as `harmless` does.

    An id such as -12 or +33-A has to be found again in other tables; letters, digits, dots and
    hyphens after its sign call no function. What begins with = or @ is a formula whatever follows.
    """
    return cell if _SIGNED_NAME.fullmatch(cell) else harmless(cell)


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
