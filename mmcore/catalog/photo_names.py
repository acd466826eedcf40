"""Names of photos as shops write them, and the files that they mean.

Names are untrusted: none may lead out of the folder. What a person would find is found: another
case (Windows doesn't tell a.JPG from A.jpg), another form of an accent (macOS decomposes it), a
lacking or wrong folder, a lacking extension; but nothing is guessed where two files would do.
"""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from mmcore.catalog.issues import shown
from mmcore.errors import ImageError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff")

_Paths = str | tuple[str, ...]  # nearly always one alone

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def relative_path(name: str) -> PurePosixPath:
    """Return a name as a path that stays below its folder.

    Raises:
        ImageError: if it is a web address, absolute, or climbs up.
    """
    if _ADDRESS.match(name):
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


class PhotoNames:
    """The files of a folder or archive, by every name that may mean them."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Take the paths, relative to the folder, with slashes."""
        self._exact: set[str] = set()
        self._by_path: dict[str, _Paths] = {}
        self._by_name: dict[str, _Paths] = {}
        for path in paths:
            parts = PurePosixPath(path)
            if "__MACOSX" in parts.parts:  # macOS keeps something else about each file there
                continue
            self._exact.add(path)
            folded, name = _folded(str(parts)), _folded(parts.name)
            # one text for what is equal: there may be a hundred thousand of them
            folded = path if folded == path else folded
            _add(self._by_path, folded, path)
            _add(self._by_name, folded if name == folded else name, path)

    def find(self, relative: PurePosixPath, place: str) -> str:
        """Return the path that a name means.

        Args:
            place: where the files are, for messages.

        Raises:
            ImageError: if there is none, or more than one.
        """
        if str(relative) in self._exact:
            return str(relative)
        for found in self._candidates(relative):
            if len(found) > 1:
                one, other, *_ = sorted(found)
                raise ImageError(
                    f"{len(found)} photos in {place} could be {shown(str(relative))} "
                    f"({shown(one)}, {shown(other)}, …); write the name as it is there, with its "
                    "folder"
                )
            if found:
                return next(iter(found))
        raise ImageError(
            f"photo {shown(str(relative))} isn't in {place}; add the file, or correct its name in "
            "the column"
        )

    def _candidates(self, relative: PurePosixPath) -> Iterable[set[str]]:
        """Yield the files that a name may mean, the surest first."""
        path, name = _folded(str(relative)), _folded(relative.name)
        yield _found(self._by_path, path)
        yield _found(self._by_path, name)
        yield _found(self._by_name, name)
        if relative.suffix.lower() not in EXTENSIONS:
            yield set().union(*(_found(self._by_path, path + e) for e in EXTENSIONS))
            yield set().union(*(_found(self._by_name, name + e) for e in EXTENSIONS))


def _add(index: dict[str, _Paths], key: str, path: str) -> None:
    index[key] = (*_found(index, key), path) if key in index else path


def _found(index: dict[str, _Paths], key: str) -> set[str]:
    paths = index.get(key, ())
    return {paths} if isinstance(paths, str) else set(paths)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
