"""A model loaded by its graphs: the backbone's tensors without its layers, until somebody asks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mmcore.artifact import load_artifact, save_artifact
from mmcore.backbones import SPECS, Outline, build_backbone, fingerprint, outline_backbone
from mmcore.explain import explain
from mmcore.manifest import checksum, read_json
from mmcore.reports import PREDICTION_COLUMNS
from mmcore.runtime import ProductInput, Runtime

ROOT = Path(__file__).resolve().parents[1]
CPU = torch.device("cpu")


@pytest.fixture
def folder(artifact, tmp_path):
    save_artifact(tmp_path / "m1", artifact, pd.DataFrame(columns=list(PREDICTION_COLUMNS)))
    return tmp_path / "m1"


def outlined(whole):
    """Return the outline of a backbone, filled with its tensors in another order."""
    found = outline_backbone("mobilenet_v2")
    tensors = dict(reversed(whole.body.state_dict().items()))
    found.body.take(tensors)
    found.body.load_state_dict(tensors)
    return found.eval()


@pytest.mark.parametrize("name", SPECS)
def test_it_has_the_tensors_of_the_layers_and_becomes_them(name):
    whole = build_backbone(name, None, seed=5).eval()
    outline = outline_backbone(name)
    outline.body.take(whole.body.state_dict())
    outline.load_state_dict(whole.state_dict())
    outline.requires_grad_(False).eval()
    assert isinstance(outline.body, Outline)
    assert outline.state_dict().keys() == whole.state_dict().keys()
    names = {key for key, _ in whole.named_parameters()}
    assert {key for key, _ in outline.named_parameters()} == names
    pixels = torch.rand(1, 3, 224, 224) * 2 - 1
    with torch.inference_mode():
        assert torch.equal(outline(pixels), whole(pixels))
    assert not isinstance(outline.body, Outline)
    assert not any(p.requires_grad for p in outline.parameters())
    assert not any(module.training for module in outline.modules())


def test_the_fingerprint_is_that_of_the_layers():
    whole = build_backbone("mobilenet_v2", None, seed=5)
    assert fingerprint(outlined(whole)) == fingerprint(whole)


def test_both_ways_of_loading_answer_and_explain_the_same(folder, make_photo):
    product = ProductInput("piscine d'été", photo=make_photo())
    found = [Runtime(load_artifact(folder, by_graphs=choice), CPU) for choice in (False, True)]
    backbones = [runtime.artifact.model.image_tower.backbone for runtime in found]
    one, two = (runtime.predict_one(product) for runtime in found)
    assert all(np.array_equal(one.probs[view], two.probs[view]) for view in one.probs)
    assert [isinstance(backbone.body, Outline) for backbone in backbones] == [False, True]
    why = [explain(runtime, product, one) for runtime in found]
    assert np.array_equal(why[0].regions, why[1].regions) and why[0].words == why[1].words
    states = [runtime.artifact.model.state_dict() for runtime in found]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_folder_without_the_graph_of_photos_has_its_layers(folder):
    (folder / "backbone.onnx").unlink()
    manifest = read_json(folder / "MANIFEST.json")
    del manifest["files"]["backbone.onnx"], manifest["checksum"]
    manifest["checksum"] = checksum(manifest)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    model = load_artifact(folder, by_graphs=True).model
    assert not isinstance(model.image_tower.backbone.body, Outline)


def test_a_prediction_loads_no_library_of_networks(folder):
    code = (
        "import sys, torch; from pathlib import Path; from mmcore.artifact import load_artifact; "
        "from mmcore.runtime import ProductInput, Runtime; "
        f"found = load_artifact(Path({str(folder)!r}), by_graphs=True); "
        "answer = Runtime(found, torch.device('cpu')).predict_one(ProductInput('piscine')); "
        "print({'torchvision', 'timm', 'captum', 'sklearn'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "set()", result.stderr
