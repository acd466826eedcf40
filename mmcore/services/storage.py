"""What a workspace takes of the disk, folder by folder, and what of it may go."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcore.store.engine import Store
from mmcore.workspace import Workspace

NEVER = "no"
# folder -> (what it is, whether it may be deleted)
_FOLDERS = {
    "photos": ("the photos of the products", NEVER),
    "models": ("a folder for each model version", "old ones, on the Models screen"),
    "snapshots": ("the labels that each training saw", NEVER),
    "thumbnails": ("small copies of photos", "yes, at any time: they are made again"),
    "cache": (
        "what the frozen backbones saw, and texts to find what is alike",
        "yes, while nothing trains: the next training takes longer",
    ),
    "runs": ("trainings that have not ended", "those that nobody wants to go on"),
    "batches": ("uploads of the Batch screen", "yes, there; else 30 days after their last use"),
    "backups": ("backups made here", "old ones, once newer ones are kept elsewhere"),
    "logs": ("what jobs had to say", "yes, of jobs that have ended"),
    "weights": ("pretrained weights put there by hand", "yes: they have to be put there again"),
}


@dataclass(frozen=True)
class Part:
    """One folder of a workspace, or the files of its database.

    Attributes:
        may_go: whether it may be deleted, in words.
    """

    name: str
    num_files: int
    num_bytes: int
    what: str
    may_go: str


@dataclass(frozen=True)
class Storage:
    """A workspace on its disk."""

    home: Path
    parts: tuple[Part, ...]
    free_bytes: int

    @property
    def num_bytes(self) -> int:
        return sum(part.num_bytes for part in self.parts)


def storage(workspace: Workspace, store: Store) -> Storage:
    """Return what each folder takes; files that vanish while they are counted don't count."""
    home = workspace.home
    database = _database_files(store)
    known = {home / name for name in _FOLDERS} | set(database)
    parts = [_database(store, database)]
    for name, (what, may_go) in _FOLDERS.items():
        sizes = list(_sizes([home / name]))
        parts.append(Part(name, len(sizes), sum(sizes), what, may_go))
    rest = list(_sizes(path for path in home.iterdir() if path not in known))
    if rest:
        what = "other files, e.g. what a restore kept aside"
        parts.append(Part("other", len(rest), sum(rest), what, "look first: Rayon doesn't read it"))
    return Storage(home, tuple(parts), shutil.disk_usage(home).free)


def _database_files(store: Store) -> list[Path]:
    if not store.is_sqlite:
        return []
    file = Path(store.engine.url.database).resolve()
    return [path for path in file.parent.iterdir() if path.name.startswith(file.name)]


def _database(store: Store, files: list[Path]) -> Part:
    what = "products, labels, models, jobs"
    if not store.is_sqlite:
        what += ": in PostgreSQL, on a disk of its own"
    sizes = list(_sizes(files))
    return Part("database", len(sizes), sum(sizes), what, NEVER)


def _sizes(paths) -> Iterator[int]:
    """Yield the size in bytes of each file, in folders at any depth; links aren't followed."""
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                yield from _sizes_in(path)
            else:
                yield path.lstat().st_size
        except FileNotFoundError:
            continue


def _sizes_in(folder: Path | str) -> Iterator[int]:
    with os.scandir(folder) as entries:  # some 100,000 photos: no second look at each
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    yield from _sizes_in(entry.path)
                else:
                    yield entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
