"""The files of a model folder: one by one with their checksums, and all together as a ZIP."""

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from mmcore.errors import WorkspaceError
from mmcore.holding import using
from mmcore.manifest import broken, file_hash, listed_files, verify
from mmcore.workspace import Workspace

MANIFEST = "MANIFEST.json"


@dataclass(frozen=True)
class FileInfo:
    """One file of a model folder.

    Attributes:
        sha256: as it was recorded when the model was saved; "" of the manifest itself.
        state: "not checked", "as saved", "altered", "missing", "not listed".
    """

    name: str
    num_bytes: int
    sha256: str
    state: str


def list_files(workspace: Workspace, name: str, check: bool = False) -> list[FileInfo]:
    """Return the files of a model, those that are missing included.

    Args:
        check: read each one and hold it to its checksum.

    Raises:
        ArtifactError: if there is no such folder, or its manifest can't be read.
    """
    with using(workspace.models / name) as folder:
        recorded = listed_files(folder)
        present = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
        try:
            return [
                _info(file, present.get(file), recorded, check)
                for file in dict.fromkeys([*recorded, *present])
            ]
        except OSError as error:
            raise broken(folder, f"it can't be read: {error.strerror or error}") from error


def _info(name: str, path: Path | None, recorded: dict[str, str], check: bool) -> FileInfo:
    sha256 = recorded.get(name, "")
    if path is None:
        return FileInfo(name, 0, sha256, "missing")
    if name not in recorded:
        # the manifest can't hold its own checksum; it was read, and vouches for itself
        state = "as saved" if name == MANIFEST else "not listed"
    elif check:
        state = "as saved" if file_hash(path) == sha256 else "altered"
    else:
        state = "not checked"
    return FileInfo(name, path.stat().st_size, sha256, state)


def model_zip(workspace: Workspace, name: str) -> BinaryIO:
    """Return a ZIP of a model folder, at its first byte; the file is gone once it is closed.

    It is written to disk, a piece at a time. Unpacked into the `models` folder of a workspace it is
    a model again (`models add NAME`).

    Raises:
        ArtifactError: if the folder is missing or damaged: a broken model isn't handed out.
        WorkspaceError: if the disk has no room for it.
    """
    try:
        with tempfile.TemporaryFile(dir=_scratch(workspace)) as file:
            with using(workspace.models / name) as folder:
                verify(folder)
                _pack(folder, file)
            # for reading only: a download button takes no file that could be written to
            reader = open(os.dup(file.fileno()), "rb")
    except OSError as error:
        raise WorkspaceError(
            f"the ZIP of model {name} can't be written: {error.strerror or error}; free some disk "
            "space and ask again"
        ) from error
    reader.seek(0)
    return reader


def _pack(folder: Path, file: IO[bytes]) -> None:
    # weights hardly shrink: stored as they are, the ZIP is ready sooner
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                archive.write(path, f"{folder.name}/{path.name}")
    file.flush()


def _scratch(workspace: Workspace) -> Path:
    """Return a folder on the workspace's own disk, which has room for models; /tmp may not."""
    workspace.cache.mkdir(parents=True, exist_ok=True)
    return workspace.cache
