"""Photos by content: each is stored once, under the sha256 of its bytes.

The name a photo came with is never used as a path, and a copy of the same photo costs nothing.
"""

import hashlib
import re
from pathlib import Path

from mmcore.errors import ImageError, WorkspaceError
from mmcore.images import read_photo
from mmcore.workspace import write_atomically

_KEY = re.compile(r"[0-9a-f]{64}")


class PhotoStore:
    """A folder of photos, `root/ab/<key>`; safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, data: bytes) -> str:
        """Return the key of a photo, stored where it was not yet.

        Raises:
            WorkspaceError: if it can't be written.
        """
        key = hashlib.sha256(data).hexdigest()
        path = self.path(key)
        try:
            if not _has_size(path, len(data)):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, lambda file: file.write(data))
        except OSError as error:
            raise WorkspaceError(
                f"a photo of {len(data):,} bytes can't be stored in {self.root}: "
                f"{error.strerror or error}; free some disk space, or choose another workspace "
                "with --home DIR"
            ) from error
        return key

    def path(self, key: str) -> Path:
        """Return where the photo with this key lies, whether it is there or not.

        Raises:
            ImageError: if the key isn't one: anything else could name a file elsewhere.
        """
        if not _KEY.fullmatch(key):
            raise ImageError(
                f"photo key {key[:80]!r} isn't a content hash (64 hexadecimal digits); "
                "the catalogue is damaged: import it again"
            )
        return self.root / key[:2] / key

    def __contains__(self, key: str) -> bool:
        return _KEY.fullmatch(key) is not None and self.path(key).is_file()

    def read(self, key: str) -> bytes:
        """Return the bytes of a photo.

        Raises:
            ImageError: if it isn't here or can't be read.
        """
        path = self.path(key)
        if not path.is_file():
            raise ImageError(
                f"photo {key[:12]} is missing from {self.root}; import the catalogue again with "
                "its photos"
            )
        return read_photo(path)


def _has_size(path: Path, size: int) -> bool:
    """Return whether the file is there in full; a part (a lost disk block) is written again."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
