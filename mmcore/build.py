"""From configuration and encoders to an untrained network."""

from collections.abc import Mapping

import torch
from torch import nn

from mmcore.backbones import Backbone
from mmcore.config import ModelConfig
from mmcore.encoders import Encoder, TabularEncoder
from mmcore.errors import ConfigError
from mmcore.fusion import FusionClassifier
from mmcore.memory import keep_large_blocks
from mmcore.seeds import stream_seed
from mmcore.towers import ImageTower, TabularTower, TextTower


def build_model(
    config: ModelConfig,
    encoders: Mapping[str, Encoder],
    num_classes: int,
    backbone: Backbone | None,
    seed: int,
) -> FusionClassifier:
    """Return the network with random towers, heads and fusion around a given backbone.

    Args:
        encoders: modality name -> encoder, for each modality but the image.
        num_classes: K.
        backbone: needed where `config` has an image modality.
        seed: of the run; initialisation has a stream of its own in it.
    """
    # no GPU needed to initialise, and the caller's random state is none of our business
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "initialisation"))
        towers: dict[str, nn.Module] = {}
        for modality in config.modalities:
            if modality.kind == "image":
                towers[modality.name] = ImageTower(backbone)
            elif isinstance(encoder := encoders[modality.name], TabularEncoder):
                towers[modality.name] = TabularTower(encoder.width)
            else:
                towers[modality.name] = TextTower()
        return FusionClassifier(towers, num_classes, config.joint)


def resolve_device(wanted: str) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `mps`: a GPU where there is one.

    On a CPU the allocator is told to keep large blocks (see `memory.py`).

    Raises:
        ConfigError: if a GPU was asked for that isn't there.
    """
    gpus = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        wanted = next((name for name, is_there in gpus.items() if is_there), "cpu")
    elif not gpus.get(wanted, True):
        raise ConfigError(
            f"MMCORE_DEVICE is {wanted!r}, but PyTorch {torch.__version__} finds no such device "
            "on this machine; set MMCORE_DEVICE=auto, or check the GPU's driver"
        )
    if wanted == "cpu":
        keep_large_blocks()
    return torch.device(wanted)
