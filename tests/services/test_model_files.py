"""A model's files: each held to its checksum, all of them as a ZIP that is a model again."""

import io
import json
import zipfile

import pytest

from mmcore.errors import ArtifactError
from mmcore.manifest import FILES, FORMAT, checksum, file_hash, verify
from mmcore.services.model_files import list_files, model_zip
from mmcore.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path / "home").create()
    folder = workspace.models / "m1"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(name.encode() * 50)
    facts = {"name": "m1", "created_at": "2026-01-01", "snapshot": "ab", "code_version": "1"}
    manifest = {**facts, "parent": None, "is_drawn": False, "format": FORMAT}
    manifest["files"] = {name: file_hash(folder / name) for name in FILES}
    manifest["checksum"] = checksum(manifest)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    return workspace


def states(workspace, check):
    return {file.name: file.state for file in list_files(workspace, "m1", check)}


def test_files_are_checked_only_when_asked(workspace):
    (workspace.models / "m1" / "vocab.json").write_bytes(b"other")
    assert states(workspace, False)["vocab.json"] == "not checked"
    found = states(workspace, True)
    assert found["vocab.json"] == "altered" and found["config.json"] == "as saved"
    assert set(found) == {*FILES, "MANIFEST.json"}


def test_missing_and_further_files_are_told(workspace):
    (workspace.models / "m1" / "vocab.json").unlink()
    (workspace.models / "m1" / "notes.txt").write_text("mine")
    found = states(workspace, True)
    assert (found["vocab.json"], found["notes.txt"]) == ("missing", "not listed")


def test_the_zip_unpacks_into_the_same_model(workspace, tmp_path):
    with model_zip(workspace, "m1") as file, zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "out")
    verify(tmp_path / "out" / "m1")
    assert list(workspace.cache.iterdir()) == []  # nothing of it stays behind


def test_the_zip_is_of_the_kind_that_a_download_button_takes(workspace):
    # Streamlit refuses a file that is open for writing, too, and then no download begins
    with model_zip(workspace, "m1") as file:
        assert isinstance(file, io.BufferedReader) and file.read(2) == b"PK"


def test_a_damaged_model_is_not_handed_out(workspace):
    (workspace.models / "m1" / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ArtifactError, match="model.safetensors was altered"):
        model_zip(workspace, "m1")
    assert list(workspace.cache.iterdir()) == []
