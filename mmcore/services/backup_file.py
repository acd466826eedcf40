"""The backup file: a ZIP archive with a manifest inside and the sha256 of it all at its end.

MANIFEST.json               what it is: time, revision, counts, sha256 and size of each part
rayon.db                    a SQLite database, or
tables/<name>.jsonl         the rows of a PostgreSQL one: column names, then an array a row
photos/ab/<sha256>          as in the workspace, uncompressed
models/<name>/<file>        as in the workspace, uncompressed

The archive's comment ends with the sha256 of every byte before it, so that a single flipped bit
anywhere is found, and a file that was cut off, too.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from mmcore.errors import BackupError

FORMAT = 1
MANIFEST = "MANIFEST.json"
DATABASE = "rayon.db"
MARK = b"rayon backup, sha256 "
CHUNK = 1 << 20
DIGEST_LENGTH = 64
_PART = re.compile(
    r"rayon\.db|tables/[a-z_]{1,60}\.jsonl|photos/[0-9a-f]{2}/[0-9a-f]{64}"
    r"|models/[A-Za-z0-9][A-Za-z0-9._-]{0,79}/[A-Za-z0-9][A-Za-z0-9._-]{0,119}"
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Part:
    """One file inside a backup."""

    name: str
    num_bytes: int
    sha256: str


@dataclass(frozen=True)
class BackupInfo:
    """What a backup says it is.

    Attributes:
        revision: of the tables.
        is_sqlite: the database is inside as a file, else as rows.
        rows: table -> rows.
        created_at: UTC seconds.
    """

    created_at: float
    code_version: str
    revision: str
    is_sqlite: bool
    has_photos: bool
    has_models: bool
    rows: dict[str, int]
    parts: tuple[Part, ...]

    @property
    def num_bytes(self) -> int:
        """Return the bytes of all parts, unpacked."""
        return sum(part.num_bytes for part in self.parts)

    def counts(self) -> dict[str, int]:
        """Return what people ask for: products, annotations, classes, versions, photos."""
        named = {
            "products": "product",
            "annotations": "annotation",
            "classes": "product_class",
            "model versions": "model_version",
        }
        photos = sum(part.name.startswith("photos/") for part in self.parts)
        return {word: self.rows.get(table, 0) for word, table in named.items()} | {"photos": photos}


def is_part_name(name: str) -> bool:
    """Return whether a backup may hold a part of this name: nothing that leads elsewhere."""
    return _PART.fullmatch(name) is not None


class BackupWriter:
    """Adds parts to an archive and keeps their checksums; `open_writer` makes one."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: list[Part] = []

    def add(self, name: str, chunks: Iterable[bytes], is_packed: bool = False) -> Part:
        """Return the part made of these bytes; `is_packed` compresses it."""
        self._archive.compression = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as file:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
        part = Part(name, size, digest.hexdigest())
        self.parts.append(part)
        return part

    def finish(self, facts: dict) -> None:
        """Add the manifest; nothing can be added after it."""
        data = {"format": FORMAT, **facts, "parts": [asdict(part) for part in self.parts]}
        info = zipfile.ZipInfo(MANIFEST)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._archive.writestr(info, json.dumps(data).encode())


def write_backup(file: BinaryIO, path: Path, fill: Callable[[BackupWriter], None]) -> None:
    """Write an archive into an empty file and seal it with its own sha256.

    Args:
        path: where the file lies, to be read again.
        fill: adds the parts and finishes.
    """
    with zipfile.ZipFile(file, "w", compresslevel=1) as archive:
        archive.comment = MARK + b"0" * DIGEST_LENGTH
        fill(BackupWriter(archive))
    file.flush()
    seal = _digest(path, path.stat().st_size - DIGEST_LENGTH)
    file.seek(-DIGEST_LENGTH, 2)
    file.write(seal)


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def check_seal(path: Path) -> None:
    """Check that a file is a backup and every byte of it is as it was written.

    Raises:
        BackupError: if it isn't.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - DIGEST_LENGTH - len(MARK)))
            tail = file.read()
    except OSError as error:
        raise BackupError(f"{path} can't be read: {error.strerror or error}") from error
    if not tail.startswith(MARK):
        raise BackupError(
            f"{path} is no Rayon backup, or its end is missing (an interrupted copy?); copy it "
            "again or use another one"
        )
    if _digest(path, size - DIGEST_LENGTH) != tail[len(MARK) :]:
        raise BackupError(
            f"{path} is damaged: its bytes are not those that were written; copy it again or use "
            "another one"
        )


def _digest(path: Path, length: int) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0:
            chunk = file.read(min(CHUNK, length))
            if not chunk:
                break
            digest.update(chunk)
            length -= len(chunk)
    return digest.hexdigest().encode()


@contextmanager
def opened_backup(path: Path) -> Iterator[tuple[BackupInfo, zipfile.ZipFile]]:
    """Give what a backup says it is, and the archive; names are checked, contents are not.

    Raises:
        BackupError: if it is no backup, of a newer format, or holds what no backup holds.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BackupError(f"{path} can't be opened as a backup: {error}") from error
    with archive:
        yield _read_info(path, archive), archive


def _read_info(path: Path, archive: zipfile.ZipFile) -> BackupInfo:
    try:
        data = json.loads(archive.read(MANIFEST))
        found = data.pop("format")
        if found != FORMAT:
            raise BackupError(
                f"backup {path} is of format {found}, this version reads {FORMAT}; update Rayon"
            )
        parts = tuple(Part(**part) for part in data.pop("parts"))
        info = BackupInfo(**data, parts=parts)
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise BackupError(f"{path} has no readable manifest: {error}; use another one") from error
    names = archive.namelist()
    strange = [name for name in names if name != MANIFEST and not is_part_name(name)]
    if strange:
        raise BackupError(f"{path} holds {strange[0]!r}, which no backup holds; don't trust it")
    listed = [part.name for part in info.parts]
    if sorted(names) != sorted([*listed, MANIFEST]):
        raise BackupError(f"{path} doesn't hold exactly what its manifest lists; don't trust it")
    return info


def part_chunks(archive: zipfile.ZipFile, part: Part) -> Iterator[bytes]:
    """Yield the bytes of a part, never more than it is said to have.

    Raises:
        BackupError: at the end, if they are not those that were packed.
    """
    digest, left = hashlib.sha256(), part.num_bytes
    try:
        with archive.open(part.name) as file:
            while left >= 0 and (chunk := file.read(CHUNK)):
                left -= len(chunk)
                digest.update(chunk)
                if left >= 0:
                    yield chunk
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
        raise BackupError(f"{part.name} in the backup can't be read: {error}") from error
    if left != 0 or digest.hexdigest() != part.sha256:
        raise BackupError(f"{part.name} in the backup isn't what was packed; use another backup")
