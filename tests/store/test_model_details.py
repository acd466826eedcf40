"""What a model folder tells of its model, without its weights."""

import json

import pytest
from model_folders import make_model

from mmcore.errors import ArtifactError
from mmcore.manifest import file_hash
from mmcore.services.model_details import model_details
from mmcore.workspace import Workspace

METRICS = {
    "scores": {},
    "classes": {
        "test": {
            "fused": {
                "per_class": [{"label": "10", "n": 4, "precision": 0.5, "recall": 0.25, "f1": 0.33}]
            }
        }
    },
    "history": [
        {"phase": 1, "phase_name": "heads", "epoch": 1, "train_loss": 2.0, "val_macro_f1": 0.1},
        {"phase": 2, "phase_name": "all", "epoch": 1, "train_loss": 1.0, "val_macro_f1": 0.4},
    ],
    "notes": ["class 40 has few products"],
    "seconds": 12.5,
}
COMBINER = {"patterns": [{"of": ["text", "image"], "decided": "mean of both"}]}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home").create()


def write(folder, **parts):
    """Put parts into a model folder, and their checksums into its manifest."""
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    for name, content in parts.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        manifest["files"][path.name] = file_hash(path)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))


@pytest.fixture
def folder(workspace):
    folder = make_model(workspace, "m1", parent="m0")
    write(folder, config={"run": {"seed": 5}}, metrics=METRICS, combiner=COMBINER)
    return folder


def test_a_folder_tells_how_its_model_was_trained(workspace, folder):
    found = model_details(workspace, "m1")
    assert (found.manifest.name, found.manifest.parent) == ("m1", "m0")
    assert (found.config, found.seconds) == ({"seed": 5}, 12.5)
    assert found.notes == ("class 40 has few products",)
    assert found.decided == {"text+image": "mean of both"}
    (row,) = found.per_class["fused"]
    assert (row.code, row.n, row.precision, row.recall, row.f1) == ("10", 4, 0.5, 0.25, 0.33)


def test_epochs_are_numbered_over_the_phases(workspace, folder):
    points = model_details(workspace, "m1").epochs
    assert [(p.phase, p.epoch, p.train_loss) for p in points] == [(1, 1, 2.0), (2, 1, 1.0)]
    assert [p.number for p in points] == [1, 2]


def test_a_model_without_test_products_or_curves_has_none(workspace, folder):
    write(folder, metrics={"scores": {}})
    found = model_details(workspace, "m1")
    assert (found.per_class, found.epochs, found.notes, found.seconds) == ({}, (), (), None)


@pytest.mark.parametrize(
    "parts",
    [
        {"config": {}},
        {"combiner": {"patterns": None}},
        {"combiner": {"patterns": [{"of": ["text"]}]}},
        {"metrics": {"classes": {"test": {"fused": {}}}}},
        {"metrics": {"history": [{"phase": 1}]}},
        {"metrics": []},
    ],
    ids=str,
)
def test_parts_that_do_not_fit_together_are_told(workspace, folder, parts):
    write(folder, **parts)
    with pytest.raises(ArtifactError, match="m1"):
        model_details(workspace, "m1")


def test_a_folder_that_is_not_there_is_told(workspace):
    with pytest.raises(ArtifactError, match="gone"):
        model_details(workspace, "gone")
