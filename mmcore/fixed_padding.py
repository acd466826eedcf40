"""TensorFlow's padding as constants, for a network whose photos all have one size.

timm's layer computes it from each input's size; in an exported graph that is thirty nodes a layer
and a copy of the maps, whereas padding by constants becomes a part of the convolution.
"""

from functools import partial

import torch
from torch import Tensor, nn

_LAYER = "Conv2dSame"  # timm's, by name: its import takes longer than what is done here


def fix_padding(network: nn.Module, side_px: int) -> None:
    """Let the layers pad by constants from now on.

    Args:
        network: takes photos (B, 3, side_px, side_px).
    """
    layers = [layer for layer in network.modules() if type(layer).__name__ == _LAYER]
    hooks = [layer.register_forward_pre_hook(_fix) for layer in layers]
    try:
        if layers:
            with torch.no_grad():
                network(torch.zeros(1, 3, side_px, side_px))
    finally:
        for hook in hooks:
            hook.remove()


def _fix(layer: nn.Conv2d, given: tuple[Tensor]) -> None:
    from timm.layers.padding import pad_same_arg

    size = list(given[0].shape[-2:])
    padding = pad_same_arg(size, layer.kernel_size, layer.stride, layer.dilation)
    layer.forward = partial(_padded, layer, padding)


def _padded(layer: nn.Conv2d, padding: list[int], maps: Tensor) -> Tensor:
    maps = nn.functional.pad(maps, padding, value=0.0)
    weight, bias = layer.weight, layer.bias
    return nn.functional.conv2d(maps, weight, bias, layer.stride, 0, layer.dilation, layer.groups)
