"""Device and weights, told without torch."""

import subprocess
import sys

import pytest

from mmcore.services import machine
from mmcore.services.machine import backbones_here, cuda_devices, device_here
from mmcore.settings import Settings
from mmcore.workspace import Workspace


def settings(tmp_path, device="auto", offline=True):
    return Settings(tmp_path, device, 1, offline=offline)


def test_no_gpu_is_said_plainly(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "cuda_devices", list)
    monkeypatch.setattr(machine, "_is_apple_silicon", lambda: False)
    found = device_here(settings(tmp_path))
    assert not found.is_gpu and "No GPU was found" in found.text
    refused = device_here(settings(tmp_path, "cuda"))
    assert "would be refused" in refused.text and "MMCORE_DEVICE=auto" in refused.text


@pytest.mark.parametrize(("is_built", "kind"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_counts_only_with_a_torch_that_was_built_for_it(
    tmp_path, monkeypatch, is_built, kind
):
    monkeypatch.setattr(machine, "cuda_devices", lambda: ["Card 9000"])
    monkeypatch.setattr(machine, "_torch_has_cuda", lambda: is_built)
    monkeypatch.setattr(machine, "_is_apple_silicon", lambda: False)
    found = device_here(settings(tmp_path))
    assert found.kind == kind and ("Card 9000" in found.text) == is_built


def test_without_a_driver_there_is_no_card():
    assert cuda_devices(("libnosuchdriver.so",)) == []


def test_weights_that_are_not_here_come_with_a_way(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    workspace = Workspace(tmp_path).create()
    found = {b.name: b for b in backbones_here(workspace, settings(tmp_path))}
    assert not found["mobilenet_v2"].is_here
    assert str(workspace.weights) in found["mobilenet_v2"].ways[0]
    (workspace.weights / "mobilenet_v2.pth").write_bytes(b"x")
    found = {b.name: b for b in backbones_here(workspace, settings(tmp_path))}
    assert found["mobilenet_v2"].is_here and found["mobilenet_v2"].ways == ()


def test_torch_is_not_loaded():
    code = (
        "import sys; from pathlib import Path; from mmcore.services import machine as m; "
        "from mmcore.settings import Settings; m.device_here(Settings(Path('.'), 'auto', 1)); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
