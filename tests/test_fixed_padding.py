"""TensorFlow's padding by constants: the same maps, and nothing left of its arithmetic."""

import onnx
import pytest
import torch

from mmcore.backbones import build_backbone
from mmcore.extractors import export_backbone
from mmcore.fixed_padding import fix_padding


@pytest.fixture(scope="module")
def lite0():
    return build_backbone("efficientnet_lite0", None).eval()


@pytest.mark.parametrize("side_px", [224, 97])
def test_the_maps_are_the_same(lite0, side_px):
    torch.manual_seed(0)
    photos = torch.rand(2, 3, side_px, side_px) * 2 - 1
    fixed = build_backbone("efficientnet_lite0", None).eval()
    fix_padding(fixed, side_px)
    with torch.inference_mode():
        assert torch.equal(fixed(photos), lite0(photos))


def test_the_graph_computes_no_sizes(lite0):
    found = {node.op_type for node in onnx.load_from_string(export_backbone(lite0)).graph.node}
    assert {"Conv", "Pad"} <= found
    assert not found & {"Shape", "Gather", "Ceil", "Div", "Sub", "Mul"}


def test_the_network_itself_is_left_as_it_is(lite0):
    export_backbone(lite0)
    assert not [layer for layer in lite0.modules() if "forward" in vars(layer)]
