"""A backbone's graph in integers: the network alone, and near the exact one."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from mmcore.backbones import Backbone, build_backbone
from mmcore.extractors import OnnxExtractor, export_backbone
from mmcore.quantizing import quantize_backbone


@pytest.fixture(scope="module")
def photos():
    """Return smooth photos: of noise every one has the same features."""
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (24, 7, 7, 3), np.uint8)
    return coarse.repeat(32, axis=1).repeat(32, axis=2)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "efficientnet_lite0"])
def test_features_of_new_photos_are_near_the_exact_ones(photos, name):
    exact = export_backbone(build_backbone(name, None))
    small = quantize_backbone(exact, photos[:16])
    fine, rough = (OnnxExtractor(graph).features(photos[16:]) for graph in (exact, small))
    assert not np.array_equal(fine, rough)
    lengths = np.linalg.norm(fine, axis=1) * np.linalg.norm(rough, axis=1)
    assert ((fine * rough).sum(axis=1) / lengths > 0.98).all()


def test_what_brings_pixels_into_range_stays_exact(photos):
    graph = onnx.load_from_string(
        quantize_backbone(export_backbone(build_backbone("mobilenet_v2", None)), photos[:16])
    ).graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    sources = [made_by.get(node.input[0]) for node in convolutions]
    assert sources[0] == "Cast"  # the pixels themselves, as floats
    assert set(sources[1:]) == {"DequantizeLinear"}


def test_a_network_that_says_the_same_of_every_photo(photos):
    silent = nn.Sequential(nn.Conv2d(3, 1280, 32, stride=32), nn.ReLU())
    nn.init.zeros_(silent[0].weight)
    nn.init.ones_(silent[0].bias)
    network = Backbone(silent, (0.5,) * 3, (0.5,) * 3).eval()
    small = quantize_backbone(export_backbone(network), photos[:16])
    features = torch.from_numpy(OnnxExtractor(small).features(photos[:2]))
    assert torch.allclose(features, torch.ones(2, 1280), atol=0.01)
