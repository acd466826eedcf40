"""BatchNorm inside the convolution before it: the same answers and gradients, and no trace left."""

import contextlib

import pytest
import torch
from networks import TinyBackbone
from torch import nn

from mmcore.backbones import SPECS, build_backbone
from mmcore.folding import FoldedNorms


def lively(network: nn.Module) -> nn.Module:
    """Return the network in double precision, evaluating, its norms anything but 1 and 0."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return network.double().eval()


def answer(network: nn.Module, context) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return maps and gradients of one pass over two small photos."""
    torch.manual_seed(1)
    photos = torch.rand(2, 3, 64, 64, dtype=torch.float64) * 2 - 1
    network.zero_grad()
    with context:
        maps = network(photos)
    (maps * torch.randn_like(maps)).sum().backward()
    return maps.detach(), {name: p.grad.clone() for name, p in network.named_parameters()}


# Lite0 has five convolutions with a padding of TensorFlow's, a kind of its own: they stay as is
@pytest.mark.parametrize(
    ("name", "num_apart"),
    [("mobilenet_v2", 0), ("efficientnet_b0", 0), ("efficientnet_lite0", 5)],
)
def test_each_backbone_gives_the_same_maps_and_gradients(name, num_apart):
    backbone = lively(build_backbone(name, None))
    folded = FoldedNorms(backbone)
    num_norms = sum(isinstance(m, nn.BatchNorm2d) for m in backbone.modules())
    assert len(folded) == num_norms - num_apart
    plain_maps, plain = answer(backbone, contextlib.nullcontext())
    maps, found = answer(backbone, folded.active())
    assert torch.allclose(maps, plain_maps, rtol=1e-9, atol=1e-12)
    for key, gradient in plain.items():
        assert (found[key] - gradient).norm() <= 1e-9 * gradient.norm(), key


def test_every_backbone_is_held_to_it():
    marks = test_each_backbone_gives_the_same_maps_and_gradients.pytestmark
    assert {name for name, _ in marks[0].args[1]} == set(SPECS)


def test_a_convolution_with_a_bias_of_its_own():
    network = lively(TinyBackbone())
    folded = FoldedNorms(network)
    assert len(folded) == 1 and network.conv.bias is not None
    plain, found = answer(network, contextlib.nullcontext()), answer(network, folded.active())
    assert torch.allclose(found[0], plain[0], rtol=1e-9)
    for key, gradient in plain[1].items():
        assert torch.allclose(found[1][key], gradient, rtol=1e-7, atol=1e-12), key


def test_the_network_is_as_before_afterwards_even_where_it_fails():
    network = TinyBackbone().train()
    keys, modes = list(network.state_dict()), [m.training for m in network.modules()]
    folded = FoldedNorms(network)
    with pytest.raises(RuntimeError), folded.active():
        network(torch.zeros(1, 5, 64, 64))  # five channels
    assert list(network.state_dict()) == keys
    assert [m.training for m in network.modules()] == modes
    assert not any("forward" in vars(module) for module in network.modules())
    before = network.norm.running_mean.clone()
    network(torch.rand(2, 3, 64, 64))
    assert not torch.equal(network.norm.running_mean, before)  # a BatchNorm again
