"""Where the photos of an import come from: a folder, a ZIP archive, or nowhere.

Names in a shop's file are untrusted: none may lead out of the folder, and no size is believed
before it is checked.
"""

import stat
import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Protocol

from mmcore.catalog.issues import shown
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
        CatalogueError: if `path` is neither.
    """
    if path is None:
        return NoPhotos()
    if path.is_dir():
        return FolderPhotos(path)
    try:
        return ZipPhotos(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CatalogueError(
            f"{path} is neither a folder nor a ZIP archive of photos ({reason}); "
            "give one of them, or import without photos"
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
    """Photos in a folder, by their path relative to it or their bare name."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._listings: dict[Path, dict[str, str]] = {}

    def read(self, name: str) -> bytes:
        relative = _relative(name)
        for candidate in dict.fromkeys((relative, PurePosixPath(relative.name))):
            path = self._find(candidate)
            if path is not None:
                return self._read_inside(path, name)
        raise _missing(name, f"folder {self._root}")

    def close(self) -> None:
        pass

    def _find(self, relative: PurePosixPath) -> Path | None:
        """Return the file, its extension in whatever case it has on disk."""
        path = self._root / relative
        if _exists(path):
            return path
        folder = path.parent
        if folder not in self._listings:
            self._listings[folder] = self._listing(folder)
        actual = self._listings[folder].get(_folded(relative.name))
        return folder / actual if actual else None

    def _listing(self, folder: Path) -> dict[str, str]:
        try:
            if not folder.resolve().is_relative_to(self._root):
                return {}
            return {_folded(entry.name): entry.name for entry in sorted(folder.iterdir())}
        except (OSError, RuntimeError):  # no such folder, or links in a circle
            return {}

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
    """Photos in a ZIP archive, by their path in it or their bare name where that is unique."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip = zipfile.ZipFile(path)
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._by_name: dict[str, list[zipfile.ZipInfo]] = defaultdict(list)
        for info in self._zip.infolist():
            member = PurePosixPath(info.filename)
            if info.is_dir() or "__MACOSX" in member.parts:
                continue
            self._members.setdefault(_folded(info.filename), info)
            self._by_name[_folded(member.name)].append(info)

    def read(self, name: str) -> bytes:
        info = self._find(name)
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

    def _find(self, name: str) -> zipfile.ZipInfo:
        relative = _relative(name)
        for key in (_folded(str(relative)), _folded(relative.name)):
            if key in self._members:
                return self._members[key]
        namesakes = self._by_name.get(_folded(relative.name), [])
        if not namesakes:
            raise _missing(name, f"ZIP archive {self._path.name}")
        if len(namesakes) > 1:
            raise ImageError(
                f"{len(namesakes)} photos in {self._path.name} are called {shown(relative.name)} "
                f"({shown(namesakes[0].filename)}, {shown(namesakes[1].filename)}, …); "
                "write the folder before the name"
            )
        return namesakes[0]


def _relative(name: str) -> PurePosixPath:
    """Return a name as a path that stays below its folder.

    Raises:
        ImageError: if it is a web address, absolute, or climbs up.
    """
    if name.lower().startswith(("http://", "https://")):
        raise ImageError(
            f"photo {shown(name)} is a web address; Rayon downloads nothing: put the photos into "
            "a folder or ZIP archive and write their file names into the column"
        )
    path = PurePosixPath(name.replace("\\", "/"))
    has_drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or has_drive or ".." in path.parts or "\0" in name or not path.name:
        raise ImageError(
            f"photo {shown(name)} isn't a name inside the photo folder; write it relative to that "
            "folder, without '..' and without a leading '/' or drive letter"
        )
    return path


def _folded(name: str) -> str:
    """Return a name with its extension in lower case: cameras write .JPG, shops .jpg."""
    path = PurePosixPath(name)
    return str(path.with_name(path.stem + path.suffix.lower())) if path.suffix else str(path)


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


def _missing(name: str, place: str) -> ImageError:
    return ImageError(
        f"photo {shown(name)} isn't in {place}; add the file, or correct its name in the column"
    )
