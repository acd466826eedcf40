"""The model folder: everything a prediction needs, checksummed, without anything executable.

model.safetensors  weights          config.json   run configuration, modalities, encoders
vocab.json         words            classes.json  codes and names, in class order
combiner.json      decision rules   metrics.json  scores, per-class report, confusion, history
predictions.parquet  val and test predictions of every view
model.onnx         the same weights as a graph, and backbone.onnx, for prediction on a CPU
MANIFEST.json      sha256 of each of these, snapshot hash, code version, parent version
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mmcore.backbones import Outline, build_backbone, outline_backbone
from mmcore.build import build_model
from mmcore.catalog.class_names import ClassName
from mmcore.combiner import Combiner, combiner_from_json, combiner_to_json
from mmcore.config import RunConfig, run_config_from_json, to_json
from mmcore.encoders import Encoder, encoder_from_json, encoder_to_json
from mmcore.errors import ArtifactError, MmcoreError
from mmcore.fusion import ByName, FusionClassifier
from mmcore.linear import heads_from_specs
from mmcore.manifest import (
    FORMAT,
    Manifest,
    broken,
    checksum,
    file_hash,
    read_json,
    read_manifest,
    verify,
)
from mmcore.onnx_export import BACKBONE_FILE, HEADS_FILE, graphs_of
from mmcore.workspace import sync_folder


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
    graphs: Mapping[str, bytes] = field(default_factory=dict)  # ONNX, see `onnx_export.py`

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
    temporary = folder.parent / f".{folder.name}.{secrets.token_hex(8)}"
    try:
        temporary.mkdir()
        _write_parts(temporary, artifact, predictions)
        hashes = {path.name: file_hash(path) for path in sorted(temporary.iterdir())}
        manifest = {"format": FORMAT, **asdict(artifact.manifest), "files": hashes}
        manifest["checksum"] = checksum(manifest)  # else a flipped byte in it would go unseen
        _write_json(temporary / "MANIFEST.json", manifest)
        for path in temporary.iterdir():
            _sync(path)
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
    (folder / "model.safetensors").write_bytes(save(tensors))
    encoders = {name: encoder_to_json(e) for name, e in artifact.encoders.items()}
    # what is long, and no configuration
    words = {
        name: {key: data.pop(key) for key in ("words", "ngrams")}
        for name, data in encoders.items()
        if "words" in data
    }
    linear = {name: head.spec() for name, head in artifact.model.linear.items()}
    config = {"run": to_json(artifact.config), "encoders": encoders, "linear": linear}
    _write_json(folder / "config.json", config)
    _write_json(folder / "vocab.json", words)
    _write_json(folder / "classes.json", [asdict(c) for c in artifact.classes])
    _write_json(folder / "combiner.json", combiner_to_json(artifact.combiner))
    _write_json(folder / "metrics.json", artifact.metrics)
    for name, graph in (artifact.graphs or graphs_of(artifact.model.cpu())).items():
        (folder / name).write_bytes(graph)
    predictions.to_parquet(folder / "predictions.parquet", index=False)


def load_artifact(folder: Path, by_graphs: bool = False) -> Artifact:
    """Return the model in a folder, on the CPU, after checking every checksum.

    Args:
        by_graphs: its photos will be looked at by a graph, where there is one: the layers of the
            backbone are built by whoever calls it all the same. They can't be trained.

    Raises:
        ArtifactError: if the folder is no model, is incomplete, altered or of a newer format.
    """
    manifest = read_manifest(folder)
    verify(folder)
    try:
        config_file = read_json(folder / "config.json")
        config = run_config_from_json(config_file["run"])
        words = read_json(folder / "vocab.json")
        encoders = {
            name: encoder_from_json({**data, **words.get(name, {})})
            for name, data in config_file["encoders"].items()
        }
        classes = tuple(ClassName(**row) for row in read_json(folder / "classes.json"))
        combiner = combiner_from_json(read_json(folder / "combiner.json"))
        metrics = read_json(folder / "metrics.json")
        files = (folder / name for name in (HEADS_FILE, BACKBONE_FILE))
        # earlier model folders have none
        graphs = {path.name: path.read_bytes() for path in files if path.is_file()}
        is_outline = by_graphs and BACKBONE_FILE in graphs
        model = _empty_model(config, encoders, len(classes), is_outline)
        model.linear = ByName(heads_from_specs(config_file["linear"], len(classes)))
        _fill(model, load_file(folder / "model.safetensors"))
    except ArtifactError:
        raise
    except (MmcoreError, KeyError, TypeError, RuntimeError, OSError, SafetensorError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise broken(folder, f"its parts don't fit together: {first_line}") from error
    return Artifact(manifest, config, model.eval(), encoders, classes, combiner, metrics, graphs)


def _empty_model(
    config: RunConfig, encoders: Mapping[str, Encoder], num_classes: int, is_outline: bool
) -> FusionClassifier:
    backbone = None
    if config.model.image_name:
        name = config.model.backbone
        backbone = outline_backbone(name) if is_outline else build_backbone(name, None)
    with torch.no_grad():
        return build_model(config.model, encoders, num_classes, backbone, seed=0)


def _fill(model: FusionClassifier, tensors: Mapping[str, Tensor]) -> None:
    for prefix, module in model.named_modules():
        if isinstance(module, Outline):
            start = f"{prefix}."
            module.take(
                {k.removeprefix(start): t for k, t in tensors.items() if k.startswith(start)}
            )
            break
    model.load_state_dict(tensors)


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
