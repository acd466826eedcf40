"""From the bytes of a CSV file to its physical lines: encoding, stray bytes, endless lines."""

import codecs
import re
import stat
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from mmcore.errors import CatalogueError

MAX_LINE_CHARACTERS = 16_000_000  # held in memory at once; a longer line is skipped and reported

_CHUNK_BYTES = 1 << 20
_LINE_COST = 40  # what handling a line costs beside its characters, in characters
_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's, so it comes first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"PAR1", "a parquet file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
)
_NOT_IN_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_STRAY_BYTE = re.compile("[\udc80-\udcff]+")  # how "surrogateescape" hands over an invalid byte


@dataclass(frozen=True)
class TextForm:
    """How the bytes of a file become text."""

    encoding: str
    errors: str
    num_lines: int  # for progress: line feeds, so 0 in a file with old Mac line ends


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line with its line end; `text` is "" where it is longer than the limit."""

    number: int
    text: str
    size: int
    remark: str = ""  # what had to be mended in it


def detect_form(path: Path) -> TextForm:
    """Return how to read the file: UTF-8 unless it clearly isn't, else Windows-1252 or Latin-1.

    A file with a byte order mark says it itself. Else all of it is tried as UTF-8, because the
    first accent may be on the last line. A few bad rows in a UTF-8 file don't turn the rest into
    "Ã©": the majority of the lines with accents decides.

    Raises:
        CatalogueError: if the file is missing, empty, unreadable or no text.
    """
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # a pipe or device may have no end
            raise CatalogueError(f"{path} is no regular file; save it to a file and give that")
        with path.open("rb") as file:
            head = file.read(4096)
            _check_head(path, head)
            file.seek(0)
            marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
            encoding = marked or _unmarked_utf16(head) or "utf-8"
            num_lines, is_valid = _scan(file, encoding)
            if encoding == "utf-8" and not is_valid:
                file.seek(0)
                encoding = _majority(file)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or error
        raise CatalogueError(
            f"{path} can't be read: {reason}; give the path of a CSV file that you may read"
        ) from error
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return TextForm(encoding, errors, num_lines)


def _check_head(path: Path, head: bytes) -> None:
    if not head:
        raise CatalogueError(
            f"{path} is empty (0 bytes); export it again with a header line and its products"
        )
    for start, kind in _OTHER_FILES:
        if head.startswith(start):
            raise CatalogueError(f"{path} is {kind}, not a CSV file; save it as CSV (UTF-8)")


def _unmarked_utf16(head: bytes) -> str | None:
    """Return UTF-16's byte order where every other byte is mostly zero, as in Latin script."""
    pairs = len(head) // 2
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if pairs and head[offset::2].count(0) > 0.6 * pairs and head.count(0) < 0.9 * len(head):
            return name
    return None


def _scan(file: BinaryIO, encoding: str) -> tuple[int, bool]:
    """Return the number of line feeds and whether all of the file decodes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    num_lines, is_valid = 0, True
    while chunk := file.read(_CHUNK_BYTES):
        num_lines += chunk.count(b"\n")
        if is_valid:
            is_valid = _decodes(decoder, chunk)
    return num_lines, is_valid and _decodes(decoder, b"", final=True)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _majority(file: BinaryIO) -> str:
    """Return the encoding that most lines with other than ASCII characters agree with."""
    num_utf8 = num_other = 0
    fits_1252 = True
    while line := file.readline(_CHUNK_BYTES):
        if line.isascii():
            continue
        fits_1252 = fits_1252 and not _NOT_IN_1252.search(line)
        try:
            line.decode()
            num_utf8 += 1
        except UnicodeDecodeError:
            num_other += 1
    if num_utf8 > num_other:
        return "utf-8"
    return "cp1252" if fits_1252 else "latin-1"


class LineReader:
    """Physical lines of a text, which can be handed back and read again."""

    def __init__(self, file: TextIO) -> None:
        """Take a text opened with `newline=""`, so that line ends inside quotes survive."""
        self._file = file
        self._returned: deque[Line] = deque()
        self._number = 0
        self.work = 0  # in characters, each line once
        self.work_returned = 0  # in characters, a line each time it is handed back

    def take(self) -> Line | None:
        """Return the next line, None at the end."""
        if self._returned:
            return self._returned.popleft()
        text = self._file.readline(MAX_LINE_CHARACTERS + 1)
        if not text:
            return None
        self._number += 1
        size = len(text)
        if size > MAX_LINE_CHARACTERS:
            size += self._skip_rest(text)
            text = ""
        self.work += size + _LINE_COST
        text, remark = _mend(text)
        return Line(self._number, text, size, remark)

    def give_back(self, lines: Sequence[Line]) -> None:
        """Make `lines`, which were just taken, the next ones again."""
        self._returned.extendleft(reversed(lines))
        self.work_returned += sum(line.size + _LINE_COST for line in lines)

    def _skip_rest(self, text: str) -> int:
        size = 0
        while not text.endswith(("\n", "\r")):
            text = self._file.readline(MAX_LINE_CHARACTERS)
            if not text:
                break
            size += len(text)
        return size


def _mend(text: str) -> tuple[str, str]:
    """Return the text without NUL and stray bytes, and what was done."""
    remarks = []
    if "\0" in text:
        text = text.replace("\0", "")
        remarks.append("NUL characters were removed; check where the file was exported")
    if not text.isascii() and (stray := _STRAY_BYTE.search(text)):
        value = _raw(stray).hex(" ").upper()
        text = _STRAY_BYTE.sub(lambda match: _as_1252(_raw(match)), text)
        remarks.append(
            f"byte {value} isn't UTF-8 and was read as Windows-1252; save the whole file as UTF-8"
        )
    return text, "; ".join(remarks)


def _raw(match: re.Match[str]) -> bytes:
    return match.group().encode("ascii", "surrogateescape")


def _as_1252(data: bytes) -> str:
    return data.decode("latin-1" if _NOT_IN_1252.search(data) else "cp1252")
