"""What a model folder says it is, and whether its files are those that were saved.

Needs no torch: lists of models and health checks stay quick.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcore.errors import ArtifactError

FORMAT = 1
FILES = (
    "model.safetensors",
    "config.json",
    "vocab.json",
    "classes.json",
    "combiner.json",
    "metrics.json",
    "predictions.parquet",
)


@dataclass(frozen=True)
class Manifest:
    """What a model version is and where it comes from."""

    name: str
    created_at: str  # UTC, ISO 8601
    snapshot: str  # hash of the exact labels the run saw
    code_version: str
    parent: str | None  # the version it was warm-started from
    is_drawn: bool  # trained on the drawn demo catalogue


def read_manifest(folder: Path) -> Manifest:
    """Return what a model folder says it is, without loading it.

    Raises:
        ArtifactError: if it has no readable MANIFEST.json of a known format.
    """
    data = _manifest_json(folder)
    try:
        manifest = Manifest(**{k: v for k, v in data.items() if k not in ("format", "files")})
    except TypeError as error:
        raise broken(folder, f"MANIFEST.json can't be read: {error}") from error
    for key in ("name", "created_at", "snapshot", "code_version"):
        if not isinstance(getattr(manifest, key), str):
            raise broken(folder, f"MANIFEST.json can't be read: {key} is no text")
    return manifest


def verify(folder: Path) -> None:
    """Check every file of a model folder against its checksum.

    Raises:
        ArtifactError: naming the first file that is missing, altered or unlisted.
    """
    for name, expected in listed_files(folder).items():
        path = folder / name
        try:
            if Path(name).name != name or not path.is_file() or path.is_symlink():
                raise broken(folder, f"{name} is missing")
            if file_hash(path) != expected:
                raise broken(folder, f"{name} was altered (its sha256 is not the recorded one)")
        except (OSError, ValueError) as error:
            raise broken(folder, f"{name} can't be read: {error}") from error


def listed_files(folder: Path) -> dict[str, str]:
    """Return the files that a model was saved with: name -> sha256 in hex.

    Raises:
        ArtifactError: if the manifest can't be read or doesn't list every file.
    """
    hashes = _manifest_json(folder).get("files")
    if not isinstance(hashes, dict) or not set(FILES) <= set(hashes):
        raise broken(folder, "MANIFEST.json doesn't list every file")
    return hashes


def _manifest_json(folder: Path) -> dict:
    try:
        has_manifest = (folder / "MANIFEST.json").is_file()
    except OSError as error:
        raise broken(folder, f"it can't be read: {error.strerror or error}") from error
    if not has_manifest:
        raise ArtifactError(f"{folder} is no model folder: it has no MANIFEST.json")
    data = read_json(folder / "MANIFEST.json")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise broken(folder, f"its format is {found}, this version reads {FORMAT}")
    recorded = data.pop("checksum", None)
    if recorded is not None and recorded != checksum(data):
        raise broken(folder, "MANIFEST.json was altered (its checksum is not the recorded one)")
    return data


def checksum(manifest: dict) -> str:
    """Return the sha256, in hex, of what a manifest says."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def broken(folder: Path, reason: str) -> ArtifactError:
    """Return the error for a model folder that can't be used."""
    return ArtifactError(
        f"model {folder.name} can't be used: {reason}; restore the folder from a backup, use "
        "another model with --model, or train again"
    )


def file_hash(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Return the content of a JSON file of a model folder.

    Raises:
        ArtifactError: if it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise broken(path.parent, f"{path.name} can't be read: {error}") from error
