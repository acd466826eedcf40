"""BatchNorm with statistics that stand still, as part of the convolution before it.

While a backbone is fine-tuned its statistics are those of ImageNet, so each BatchNorm is a factor
and a summand a channel: put into the convolution's weights, they cost next to nothing, whereas
BatchNorm itself takes a sixth of a step on one core, more on two, and keeps its input for the way
back. Gradients of all weights, BatchNorm's own among them, are the same but for rounding.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

_PROBE_PX = 32  # side of the photo that shows which layer feeds which


class FoldedNorms:
    """The convolutions of a network that a BatchNorm follows, to be run as one for a while."""

    def __init__(self, network: nn.Module) -> None:
        """Find the pairs by one tiny photo: a BatchNorm's input is some convolution's output.

        Args:
            network: takes photos (B, 3, H, W). No convolution's output goes elsewhere, too.
        """
        self._pairs = _pairs(network)

    def __len__(self) -> int:
        return len(self._pairs)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Run the pairs as one; BatchNorm must be in evaluation mode meanwhile."""
        try:
            for conv, norm in self._pairs:
                conv.forward = partial(_folded, conv, norm)
                norm.forward = _activation(norm)
            yield
        finally:
            for pair in self._pairs:
                for layer in pair:
                    layer.__dict__.pop("forward", None)


def _pairs(network: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # the output itself, lest its number is reused
    found = []

    def remember(conv: nn.Module, given: tuple, output: Tensor) -> None:
        made[id(output)] = (conv, output)

    def look_up(norm: nn.Module, given: tuple) -> None:
        if id(given[0]) in made:
            found.append((made[id(given[0])][0], norm))

    hooks = []
    for module in network.modules():
        if type(module) is nn.Conv2d:  # a kind of its own may compute something else
            hooks.append(module.register_forward_hook(remember))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(look_up))
    first = next(network.parameters())
    photo = first.new_zeros(1, 3, _PROBE_PX, _PROBE_PX)
    modes = {module: module.training for module in network.modules()}
    try:
        with torch.no_grad():
            network.eval()(photo)
    finally:
        for hook in hooks:
            hook.remove()
        for module, was_training in modes.items():
            module.training = was_training
    return found


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d, photo: Tensor) -> Tensor:
    """Return what the BatchNorm makes of the convolution, but for its activation."""
    factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)  # (C,)
    mean = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
    return nn.functional.conv2d(
        photo,
        conv.weight * factor[:, None, None, None],
        norm.bias - mean * factor,
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
    )


def _activation(norm: nn.BatchNorm2d) -> Callable[[Tensor], Tensor]:
    """Return what is left of the layer: timm's has dropout and activation inside."""
    if hasattr(norm, "act"):
        return lambda photo: norm.act(norm.drop(photo))
    return lambda photo: photo
