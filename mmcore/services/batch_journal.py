"""What was predicted of a file so far: OUT.csv.part beside OUT.csv, a file that only grows.

Its first line says what is predicted from what, each further one holds a piece of products, in the
order of the source. A line begins with its checksum, so what a crash left half-written is known
and cut off; nothing before it is ever touched again.
"""

import contextlib
import hashlib
import json
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from mmcore.errors import ConfigError, WorkspaceError
from mmcore.holding import try_lock
from mmcore.times import local_time

FORMAT = 1
_MARK = b' {"unfinished_prediction":'
_MAX_NAME_BYTES = 200  # of 255, as the ending and a temporary name need room, too


class OtherPredictionError(ConfigError):
    """What lies there unfinished was begun with another source, model or choice."""


@dataclass(frozen=True)
class Header:
    """What a prediction is made from.

    Attributes:
        identity: what decides about each answer; plain JSON values by `_MEANINGS`.
        total: rows of the source.
    """

    identity: dict
    total: int
    began_at: float


@dataclass(frozen=True)
class Unfinished:
    """A prediction that was begun and didn't end."""

    model: str
    num_done: int
    total: int
    began_at: float

    def __str__(self) -> str:
        return (
            f"{self.num_done:,} of {self.total:,} rows, predicted by {self.model} since "
            f"{local_time(self.began_at)}"
        )


@dataclass(frozen=True)
class KeptPiece:
    """The answers to one piece.

    Attributes:
        rows: values of the result, a list a product.
        remarks: on photos: line, product_id, column, reason, severity.
        num_done: rows of the source that were dealt with after this piece.
    """

    rows: list[list]
    remarks: list[list]
    num_done: int


def part_of(target: Path) -> Path:
    """Return where the answers are kept until the target is written."""
    name = target.name
    if len(os.fsencode(name)) > _MAX_NAME_BYTES:
        name = f"{name[:40]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return target.with_name(f"{name}.part")


def unfinished(target: Path) -> Unfinished | None:
    """Return the prediction of a target that was begun and didn't end, None without one."""
    try:
        with part_of(target).open("rb") as file:
            return _Scan.of(file).unfinished()
    except OSError:
        return None


def discard(target: Path) -> None:
    """Drop what was begun for a target, where there is anything."""
    part_of(target).unlink(missing_ok=True)


class Journal:
    """The answers so far, open and held by this process alone."""

    def __init__(self, file: FileIO, num_pieces: int, num_done: int) -> None:
        self._file = file
        self.num_pieces, self.num_done = num_pieces, num_done

    def pieces(self) -> Iterator[KeptPiece]:
        """Yield the pieces in order; none may be added meanwhile."""
        lines = _reader(self._file)
        lines.readline()
        for _ in range(self.num_pieces):
            yield KeptPiece(**_parsed(lines.readline()))

    def add(self, piece: KeptPiece) -> None:
        """Keep one more piece; it outlives this process from here on.

        Raises:
            OSError: as the operating system gives it (disk full, ...).
        """
        _append(self._file, vars(piece))
        self.num_pieces += 1
        self.num_done = piece.num_done


@contextlib.contextmanager
def opened(target: Path, header: Header, anew: bool) -> Iterator[Journal]:
    """Give what was kept for a target, to be added to; it goes when the block ends without error.

    Where it ends with one, it stays, unless it holds no piece.

    Args:
        anew: drop what was begun.

    Raises:
        OtherPredictionError: if what is there was begun otherwise.
        WorkspaceError: if another process is at it, or the file is none of ours.
        OSError: as the operating system gives it.
    """
    path = part_of(target)
    file, is_finished = _locked(path), False
    try:
        yield _begin(file, path, header, anew)
        is_finished = True
    finally:
        is_worthless = is_finished or _Scan.of(_reader(file)).is_worthless
        file.close()
        if is_worthless:
            path.unlink(missing_ok=True)


def _begin(file: FileIO, path: Path, header: Header, anew: bool) -> Journal:
    scan = _Scan.of(_reader(file))
    if scan.size and scan.header is None:
        raise WorkspaceError(
            f"{path} is no unfinished prediction, or is damaged; move or delete it, or choose "
            "another target"
        )
    if scan.header is not None and not anew and scan.num_pieces:
        _require_same(scan, path, header)
        file.truncate(scan.good_bytes)
        return Journal(file, scan.num_pieces, scan.num_done)
    file.truncate(0)
    about = {"identity": header.identity, "total": header.total, "began_at": header.began_at}
    _append(file, {"unfinished_prediction": FORMAT, **about})
    return Journal(file, 0, 0)


def _locked(path: Path) -> FileIO:
    """Return the file, made where it is not there yet, held by nobody else."""
    while True:
        file = FileIO(path, "a+")
        if not try_lock(file, exclusive=True):
            file.close()
            raise WorkspaceError(
                f"another process is writing {path} at this moment; wait until it has ended, or "
                "choose another target"
            )
        if _is_at(file, path):
            return file
        file.close()  # whoever held it has just ended and removed it


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class _Scan:
    """What stands in a file of answers, up to its first line that isn't whole."""

    size: int  # 0 also where a crash left a part of the header alone
    header: dict | None  # None: it is no file of answers
    num_pieces: int = 0
    num_done: int = 0
    good_bytes: int = 0

    @classmethod
    def of(cls, file: BinaryIO) -> "_Scan":
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        first = file.readline()
        if _is_torn_header(first):
            return cls(0, None)
        header = _parsed(first) if first[8:].startswith(_MARK) else None
        if header is None:
            return cls(size, None)
        good_bytes, num_pieces, last = file.tell(), 0, b""
        while _is_whole(line := file.readline()):
            good_bytes, num_pieces, last = good_bytes + len(line), num_pieces + 1, line
        num_done = _parsed(last)["num_done"] if last else 0
        return cls(size, header, num_pieces, num_done, good_bytes)

    @property
    def is_worthless(self) -> bool:
        """Return whether nothing is lost with it; what is none of ours isn't ours to judge."""
        return not self.size or (self.header is not None and not self.num_pieces)

    def unfinished(self) -> Unfinished | None:
        """Return it as people see it, None where there is no answer in it."""
        if self.header is None or not self.num_pieces:
            return None
        model = self.header["identity"]["model"]["name"]
        return Unfinished(model, self.num_done, self.header["total"], self.header["began_at"])


_MEANINGS = {
    "source": "the source file holds something else",
    "columns": "columns have another meaning",
    "separator": "the separator is another",
    "photos": "the photos come from elsewhere or have changed",
    "graphs": "its photos went through another backbone (--int8)",
    "device": "it ran on another kind of device",
    "version": "it was another version of Rayon",
    "piece": "it was another version of Rayon",
}


def _require_same(scan: _Scan, path: Path, header: Header) -> None:
    """Raise OtherPredictionError where a header isn't that of a file."""
    before, now = scan.header["identity"], header.identity
    if scan.header["unfinished_prediction"] != FORMAT:
        before = {**now, "version": None}
    if before == now:
        return
    differences = [text for key, text in _MEANINGS.items() if before.get(key) != now.get(key)]
    if before["model"] != now["model"]:
        one, other = before["model"]["name"], now["model"]["name"]
        differences.insert(
            0, f"the model is {other} now" if one != other else f"{one} was made anew"
        )
    raise OtherPredictionError(
        f"{path.name} holds {scan.unfinished()}, but {' and '.join(dict.fromkeys(differences))}; "
        "give the same as then to go on with it, or --anew to drop it"
    )


def _reader(file: FileIO) -> BinaryIO:
    """Return the file from its beginning; nothing may be appended while it is read."""
    file.seek(0)
    return open(file.fileno(), "rb", closefd=False)


def _append(file: FileIO, data: dict) -> None:
    body = json.dumps(data, separators=(",", ":")).encode()
    rest = memoryview(b"%08x %s\n" % (zlib.crc32(body), body))
    while rest:
        rest = rest[file.write(rest) :]


def _is_whole(line: bytes) -> bool:
    return line[-1:] == b"\n" and line[:9] == b"%08x " % zlib.crc32(line[9:-1])


def _is_torn_header(line: bytes) -> bool:
    is_ours = line[8 : 8 + len(_MARK)] == _MARK[: max(0, len(line) - 8)]
    return line[-1:] != b"\n" and is_ours and set(line[:8]) <= set(b"0123456789abcdef")


def _parsed(line: bytes) -> dict | None:
    """Return what a line says, None where it isn't whole."""
    return json.loads(line[9:]) if _is_whole(line) else None


def new_header(identity: dict, total: int) -> Header:
    """Return the header of a prediction that begins now."""
    return Header(identity, total, time.time())
