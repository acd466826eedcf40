"""What a workspace takes of the disk, folder by folder, and what of it may go."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mmcore.workspace import Workspace

_FOLDERS = {
    "database": "products, labels, jobs: never delete it",
    "photos": "the photos of the products: never delete them",
    "models": "one folder a model version: pruned on the Models screen",
    "snapshots": "the labels that each training saw",
    "thumbnails": "small copies of photos: may be deleted, they are made again",
    "cache": "what the frozen backbones saw: may be deleted, the next training takes longer",
    "runs": "trainings that haven't ended: may be deleted where none is to go on",
    "batches": "uploads of the Batch screen: deleted there, or after 30 days",
    "logs": "what jobs had to say",
    "weights": "pretrained weights put there by hand",
}


@dataclass(frozen=True)
class Part:
    """One folder of a workspace."""

    name: str
    num_files: int
    num_bytes: int
    note: str


@dataclass(frozen=True)
class Storage:
    """A workspace on its disk."""

    home: Path
    parts: tuple[Part, ...]
    free_bytes: int

    @property
    def num_bytes(self) -> int:
        return sum(part.num_bytes for part in self.parts)


def storage(workspace: Workspace) -> Storage:
    """Return what each folder takes; files that vanish while they are counted don't count."""
    parts = []
    for name, note in _FOLDERS.items():
        if name == "database":
            sizes = [p.stat().st_size for p in workspace.home.glob("rayon.db*") if p.is_file()]
        else:
            sizes = list(_sizes(workspace.home / name))
        parts.append(Part(name, len(sizes), sum(sizes), note))
    return Storage(workspace.home, tuple(parts), shutil.disk_usage(workspace.home).free)


def _sizes(folder: Path):
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(Path(entry.path))
            else:
                yield entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
