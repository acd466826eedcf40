"""The model folder: everything a prediction needs, checksummed, without anything executable.

model.safetensors  weights          config.json   run configuration, modalities, encoders
vocab.json         words            classes.json  codes and names, in class order
combiner.json      decision rules   metrics.json  scores, per-class report, confusion, history
predictions.parquet  val and test predictions of every view
MANIFEST.json      sha256 of each of these, snapshot hash, code version, parent version
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mmcore.backbones import build_backbone
from mmcore.build import build_model
from mmcore.catalog.products import ClassName
from mmcore.combiner import Combiner, combiner_from_json, combiner_to_json
from mmcore.config import RunConfig, run_config_from_json, to_json
from mmcore.encoders import Encoder, encoder_from_json, encoder_to_json
from mmcore.errors import ArtifactError, MmcoreError
from mmcore.fusion import FusionClassifier
from mmcore.workspace import sync_folder

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


@dataclass(frozen=True)
class Artifact:
    """A trained model with all it needs to predict and to explain itself."""

    manifest: Manifest
    config: RunConfig
    model: FusionClassifier
    encoders: Mapping[str, Encoder]
    classes: tuple[ClassName, ...]
    combiner: Combiner
    metrics: dict

    @property
    def class_codes(self) -> list[str]:
        return [c.code for c in self.classes]


def save_artifact(folder: Path, artifact: Artifact, predictions: pd.DataFrame) -> None:
    """Write a model folder; it appears whole or not at all.

    Args:
        folder: must not exist yet.
        predictions: val and test rows: product_id, split, label, view, predicted, probability.

    Raises:
        ArtifactError: if the folder exists or can't be written.
    """
    if folder.exists():
        raise ArtifactError(f"model folder {folder} exists; choose another --name")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _write_parts(temporary, artifact, predictions)
        hashes = {name: file_hash(temporary / name) for name in FILES}
        manifest = {"format": FORMAT, **asdict(artifact.manifest), "files": hashes}
        _write_json(temporary / "MANIFEST.json", manifest)
        for path in temporary.iterdir():
            _sync(path)
        temporary.chmod(0o755)  # mkdtemp makes it private; a served model is not
        os.replace(temporary, folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise ArtifactError(
            f"model folder {folder} can't be written: {error.strerror or error}; free some space "
            "or choose another workspace with --home, then run the same training with --resume"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_parts(folder: Path, artifact: Artifact, predictions: pd.DataFrame) -> None:
    tensors = {k: t.detach().cpu().contiguous() for k, t in artifact.model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    encoders = {name: encoder_to_json(e) for name, e in artifact.encoders.items()}
    words = {name: data.pop("words") for name, data in encoders.items() if "words" in data}
    _write_json(folder / "config.json", {"run": to_json(artifact.config), "encoders": encoders})
    _write_json(folder / "vocab.json", words)
    _write_json(folder / "classes.json", [asdict(c) for c in artifact.classes])
    _write_json(folder / "combiner.json", combiner_to_json(artifact.combiner))
    _write_json(folder / "metrics.json", artifact.metrics)
    predictions.to_parquet(folder / "predictions.parquet", index=False)


def load_artifact(folder: Path) -> Artifact:
    """Return the model in a folder, on the CPU, after checking every checksum.

    Raises:
        ArtifactError: if the folder is no model, is incomplete, altered or of a newer format.
    """
    manifest = read_manifest(folder)
    verify(folder)
    try:
        config_file = _read_json(folder / "config.json")
        config = run_config_from_json(config_file["run"])
        words = _read_json(folder / "vocab.json")
        encoders = {
            name: encoder_from_json({**data, "words": words.get(name, [])})
            for name, data in config_file["encoders"].items()
        }
        classes = tuple(ClassName(**row) for row in _read_json(folder / "classes.json"))
        combiner = combiner_from_json(_read_json(folder / "combiner.json"))
        model = _empty_model(config, encoders, len(classes))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        metrics = _read_json(folder / "metrics.json")
    except ArtifactError:
        raise
    except (MmcoreError, KeyError, TypeError, RuntimeError, OSError, SafetensorError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _broken(folder, f"its parts don't fit together: {first_line}") from error
    return Artifact(manifest, config, model.eval(), encoders, classes, combiner, metrics)


def read_manifest(folder: Path) -> Manifest:
    """Return what a model folder says it is, without loading it.

    Raises:
        ArtifactError: if it has no readable MANIFEST.json of a known format.
    """
    data = _manifest_json(folder)
    try:
        return Manifest(**{k: v for k, v in data.items() if k not in ("format", "files")})
    except TypeError as error:
        raise _broken(folder, f"MANIFEST.json can't be read: {error}") from error


def verify(folder: Path) -> None:
    """Check every file of a model folder against its checksum.

    Raises:
        ArtifactError: naming the first file that is missing, altered or unlisted.
    """
    hashes = _manifest_json(folder).get("files")
    if not isinstance(hashes, dict) or not set(FILES) <= set(hashes):
        raise _broken(folder, "MANIFEST.json doesn't list every file")
    for name, expected in hashes.items():
        path = folder / name
        if Path(name).name != name or not path.is_file() or path.is_symlink():
            raise _broken(folder, f"{name} is missing")
        if file_hash(path) != expected:
            raise _broken(folder, f"{name} was altered (its sha256 is not the recorded one)")


def _manifest_json(folder: Path) -> dict:
    if not (folder / "MANIFEST.json").is_file():
        raise ArtifactError(f"{folder} is no model folder: it has no MANIFEST.json")
    data = _read_json(folder / "MANIFEST.json")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise _broken(folder, f"its format is {found}, this version reads {FORMAT}")
    return data


def _empty_model(
    config: RunConfig, encoders: Mapping[str, Encoder], num_classes: int
) -> FusionClassifier:
    backbone = build_backbone(config.model.backbone, None) if config.model.image_name else None
    with torch.no_grad():
        return build_model(config.model, encoders, num_classes, backbone, seed=0)


def _broken(folder: Path, reason: str) -> ArtifactError:
    return ArtifactError(
        f"model {folder.name} can't be used: {reason}; restore the folder from a backup, use "
        "another model with --model, or train again"
    )


def file_hash(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(path.parent, f"{path.name} can't be read: {error}") from error


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
