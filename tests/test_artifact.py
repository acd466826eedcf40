"""The model folder: saved whole, verified on loading, nothing executable."""

import errno
import json
import os

import numpy as np
import pandas as pd
import pytest
import torch

from mmcore.artifact import load_artifact, save_artifact
from mmcore.errors import ArtifactError
from mmcore.manifest import FILES, checksum, file_hash, read_manifest, verify
from mmcore.reports import PREDICTION_COLUMNS
from mmcore.runtime import ProductInput, Runtime


@pytest.fixture
def folder(artifact, tmp_path):
    save_artifact(tmp_path / "m1", artifact, pd.DataFrame(columns=list(PREDICTION_COLUMNS)))
    return tmp_path / "m1"


def write_manifest(folder, manifest: dict) -> None:
    """Write a manifest as somebody would who knows how."""
    facts = {key: value for key, value in manifest.items() if key != "checksum"}
    data = json.dumps({**facts, "checksum": checksum(facts)})
    (folder / "MANIFEST.json").write_text(data)


def test_a_loaded_model_predicts_the_same(artifact, folder, make_photo):
    again = load_artifact(folder)
    assert (again.manifest, again.config, again.classes) == (
        (artifact.manifest, artifact.config, artifact.classes)
    )
    product = ProductInput("piscine d'été", photo=make_photo())
    one, two = (Runtime(a, torch.device("cpu")).predict_one(product) for a in (artifact, again))
    assert set(one.probs) == set(two.probs)
    assert all(np.array_equal(one.probs[view], two.probs[view]) for view in one.probs)


def test_the_folder_holds_what_the_design_names(folder):
    assert {p.name for p in folder.iterdir()} == {
        *FILES,
        *("model.onnx", "backbone.onnx", "MANIFEST.json"),
    }
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    assert (
        set(manifest["files"]) == {*FILES, "model.onnx", "backbone.onnx"}
        and manifest["snapshot"] == "ab" * 32
    )


def test_nothing_in_the_folder_is_a_pickle(folder):
    for path in folder.iterdir():
        assert not path.read_bytes().startswith((b"\x80\x02", b"\x80\x04", b"PK\x03\x04"))


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_found_and_named(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ArtifactError, match=f"{name} was altered.*restore.*or train again"):
        load_artifact(folder)


def test_every_flipped_byte_of_the_manifest_is_found(folder):
    path = folder / "MANIFEST.json"
    data = path.read_bytes()
    assert len(data) > 500
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(ArtifactError, match="model m1 can't be used: .*; restore"):
            read_manifest(folder)


@pytest.mark.parametrize("name", [*FILES, "MANIFEST.json"])
def test_a_missing_file_is_found_and_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        load_artifact(folder)


def test_a_manifest_cannot_point_outside(folder):
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    manifest["files"]["../../secret"] = "0" * 64
    write_manifest(folder, manifest)
    with pytest.raises(ArtifactError, match="secret is missing"):
        verify(folder)


def test_a_newer_format_is_refused(folder):
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    (folder / "MANIFEST.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(ArtifactError, match="its format is 99, this version reads 1"):
        load_artifact(folder)


def test_parts_of_two_models_do_not_pass_for_one(folder, artifact):
    # a manifest made to fit, but classes that the weights don't have
    (folder / "classes.json").write_text('[{"code":"1","name_fr":"a","name_en":"a"}]')
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    manifest["files"]["classes.json"] = file_hash(folder / "classes.json")
    write_manifest(folder, manifest)
    with pytest.raises(ArtifactError, match="parts don't fit together"):
        load_artifact(folder)


def test_an_existing_folder_is_never_overwritten(folder, artifact):
    with pytest.raises(ArtifactError, match="exists; choose another --name"):
        save_artifact(folder, artifact, pd.DataFrame(columns=list(PREDICTION_COLUMNS)))


def test_a_full_disk_leaves_nothing_behind(artifact, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArtifactError, match="No space left on device; free some space"):
        save_artifact(tmp_path / "m2", artifact, pd.DataFrame(columns=list(PREDICTION_COLUMNS)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(ArtifactError, match="no model folder: it has no MANIFEST.json"):
        load_artifact(tmp_path)
