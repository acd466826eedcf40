"""Model folders whose files are what their manifest says, without a network in them."""

import json
from dataclasses import asdict
from pathlib import Path

from mmcore.manifest import FILES, FORMAT, Manifest, file_hash
from mmcore.workspace import Workspace


def make_model(workspace: Workspace, name: str, snapshot: str = "", parent: str | None = None):
    """Write a folder that passes every check of `manifest.py`."""
    folder = workspace.models / name
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).write_text(f"{file} of {name}")
    fused = {"macro_f1": 0.5, "weighted_f1": 0.5, "accuracy": 0.5, "ece": 0.1, "n": 4}
    scores = {"test": {"text": None, "fused": fused}}
    (folder / "metrics.json").write_text(json.dumps({"scores": scores}))
    manifest = Manifest(name, "2026-01-01", snapshot or f"labels of {name}", "0.1", parent, False)
    hashes = {file: file_hash(folder / file) for file in FILES}
    data = {"format": FORMAT, **asdict(manifest), "files": hashes}
    (folder / "MANIFEST.json").write_text(json.dumps(data))
    return folder


def damage(folder: Path) -> None:
    (folder / "vocab.json").write_text("altered")
