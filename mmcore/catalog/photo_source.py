"""Where the photos of an import come from: a folder, a ZIP archive, or nowhere.

No link may lead out of the folder, and no size is believed before it is checked. What a name means
stands in `photo_names.py`.
"""

import os
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mmcore.catalog.issues import shown
from mmcore.catalog.photo_names import PhotoNames, relative_path
from mmcore.errors import CatalogueError, ImageError
from mmcore.images import MAX_BYTES, read_photo

_ENCRYPTED = 0x1  # bit of a ZIP member's flags


class PhotoSource(Protocol):
    """Photos by the name a row gives; safe to read from several threads."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a photo.

        Raises:
            ImageError: if there is no such photo, or it can't be handed out.
        """
        ...

    def close(self) -> None: ...


def open_photo_source(path: Path | None) -> PhotoSource:
    """Return the photos in a folder or ZIP archive; None stands for no photos at all.

    Raises:
        CatalogueError: if `path` is neither, or can't be read.
    """
    if path is None:
        return NoPhotos()
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            return FolderPhotos(path)
        if not stat.S_ISREG(kind):  # to open a pipe would wait for ever
            raise ValueError("it is no regular file")
        return ZipPhotos(path)
    except PermissionError as error:
        raise CatalogueError(
            f"{path} can't be read: {error.strerror}; change its permissions, or do without photos"
        ) from error
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CatalogueError(
            f"{path} is neither a folder nor a ZIP archive of photos ({reason}); "
            "give one of them, or do without photos"
        ) from error


class NoPhotos:
    """No photos were given."""

    def read(self, name: str) -> bytes:
        raise ImageError(
            f"photo {shown(name)} was not looked for: no folder or ZIP archive of photos was "
            "given; import again with one"
        )

    def close(self) -> None:
        pass


class FolderPhotos:
    """Photos in a folder and its subfolders."""

    def __init__(self, root: Path) -> None:
        """Take a folder.

        Raises:
            OSError: if it can't be listed.
        """
        self._root = root.resolve()
        with os.scandir(self._root):
            pass
        self._names: PhotoNames | None = None  # listed when a name isn't a path as it stands
        self._unlisted = ""  # the first subfolder that can't be read, and why
        self._lock = threading.Lock()

    def read(self, name: str) -> bytes:
        relative = relative_path(name)
        path = self._root / relative
        if not _exists(path):
            path = self._root / self._listed().find(
                relative, f"folder {self._root}{self._unlisted}"
            )
        return self._read_inside(path, name)

    def close(self) -> None:
        pass

    def _listed(self) -> PhotoNames:
        with self._lock:
            if self._names is None:
                self._names = PhotoNames(self._walk())
            return self._names

    def _walk(self) -> Iterator[str]:
        def remember(error: OSError) -> None:
            if not self._unlisted:
                where = os.path.relpath(error.filename, self._root)
                self._unlisted = f" (where {shown(where)} can't be read: {error.strerror})"

        for folder, _, files in os.walk(self._root, onerror=remember):
            for file in files:
                yield Path(folder, file).relative_to(self._root).as_posix()

    def _read_inside(self, path: Path, name: str) -> bytes:
        try:
            path = path.resolve(strict=True)
            is_file = stat.S_ISREG(path.stat().st_mode)  # reading a pipe would never end
        except (OSError, RuntimeError) as error:
            raise ImageError(
                f"photo {shown(name)} can't be read ({error}); check the file and its permissions"
            ) from error
        if not path.is_relative_to(self._root):
            raise ImageError(
                f"photo {shown(name)} is a link out of the photo folder {self._root}; "
                "put the file itself there"
            )
        if not is_file:
            raise ImageError(f"photo {shown(name)} is no regular file; name the photo itself")
        return read_photo(path)


class ZipPhotos:
    """Photos in a ZIP archive; nothing of it is ever unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip = zipfile.ZipFile(path)
        # of two members with one path the last counts, as for any unpacker; Windows writes a \\
        self._members = {
            info.filename.replace("\\", "/"): info
            for info in self._zip.infolist()
            if not info.is_dir()
        }
        self._names = PhotoNames(self._members)

    def read(self, name: str) -> bytes:
        relative = relative_path(name)
        info = self._members[self._names.find(relative, f"ZIP archive {self._path.name}")]
        if info.flag_bits & _ENCRYPTED:
            raise ImageError(
                f"photo {shown(name)} is encrypted in {self._path.name}; make the ZIP archive "
                "without a password"
            )
        _check_size(info.file_size, name)
        try:
            with self._zip.open(info) as file:
                data = file.read(MAX_BYTES + 1)  # the declared size may be a lie
        except Exception as error:  # zipfile and its codecs raise many types on hostile bytes
            raise ImageError(
                f"photo {shown(name)} is corrupt in {self._path.name} ({error}); "
                "make the ZIP archive again"
            ) from error
        _check_size(len(data), name)
        return data

    def close(self) -> None:
        self._zip.close()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name longer than the file system takes
        return False


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise ImageError(
            f"photo {shown(name)} has {size:,} bytes or more, the limit is {MAX_BYTES:,}; "
            "save it smaller or with stronger compression"
        )
