"""Small copies of photos for lists and cards, made when they are first asked for.

They are named by the photo's content, so one is never out of date. The folder may be deleted at any
time: what is missing is made again.
"""

from pathlib import Path

from mmcore.errors import ConfigError, WorkspaceError
from mmcore.images import fit_photo
from mmcore.photos import PhotoStore
from mmcore.workspace import Workspace, write_atomically

LIST_PX, CARD_PX = 160, 640
SIZES = (LIST_PX, CARD_PX)
QUALITY = 85  # of the JPEG; a white square around a product shows no less


def thumbnail(workspace: Workspace, key: str, size_px: int = LIST_PX) -> Path:
    """Return the path of a square JPEG that shows the whole photo; safe to ask from many threads.

    Args:
        key: of the photo in the workspace's store.
        size_px: one of SIZES; a smaller photo is not enlarged.

    Raises:
        ConfigError: if the size isn't one of SIZES: each makes a file that stays.
        ImageError: if there is no such photo, or it can't be read.
        WorkspaceError: if the file can't be written.
    """
    if size_px not in SIZES:
        raise ConfigError(f"thumbnails of {size_px} px: use one of {', '.join(map(str, SIZES))}")
    photos = PhotoStore(workspace.photos)
    original = photos.path(key)  # also refuses what is no key, before it becomes a path below
    path = workspace.thumbnails / str(size_px) / key[:2] / f"{key}.jpg"
    if _is_there(path):
        return path
    small = fit_photo(photos.read(original.name), size_px)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: small.save(file, "JPEG", quality=QUALITY))
    except OSError as error:
        raise WorkspaceError(
            f"a thumbnail can't be written to {path.parent}: {error.strerror or error}; free some "
            "disk space, or choose another workspace with --home DIR"
        ) from error
    return path


def _is_there(path: Path) -> bool:
    """Return whether the file is there; an empty one (a lost disk block) is made again."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
