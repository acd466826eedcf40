"""Image backbones pretrained on ImageNet, each fed with the normalisation it was trained with.

All three end in 1280 channels of 7 x 7 for a 224 px photo, so they are interchangeable. Where
weights can't be had, that is an error with its remedies, never a silent random network.
"""

import contextlib
import hashlib
import io
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mmcore.errors import WeightsError
from mmcore.weight_files import SOURCES, WeightSource, locate_weights, remedies

FEATURE_DIM = 1280
FEATURE_PX = 7
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of a BatchNorm
DOWNLOAD_TIMEOUT_S = 20

# torchvision: https://docs.pytorch.org/vision/stable/models.html (ImageNet mean and deviation)
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Lite0 was trained on [-1, 1], as the TensorFlow networks it was converted from
_HALF = (0.5, 0.5, 0.5)


class Backbone(nn.Module):
    """Pixels in [-1, 1] to feature maps, with the network's own normalisation inside."""

    def __init__(self, body: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.body = body
        # ((x + 1) / 2 - mean) / std as one multiplication and one addition a channel
        scale = torch.tensor([0.5 / s for s in std]).view(1, 3, 1, 1)
        shift = torch.tensor([(0.5 - m) / s for m, s in zip(mean, std, strict=True)])
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("shift", shift.view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return feature maps.

        Args:
            pixels: (B, 3, 224, 224) in [-1, 1].

        Returns:
            (B, 1280, 7, 7).
        """
        self.build()
        return self.body(pixels * self.scale + self.shift)

    def build(self) -> None:
        """Put the network in the place of its outline, where that is all there is so far."""
        if isinstance(self.body, Outline):
            self.body = self.body.built()


class Outline(nn.Module):
    """The tensors of a backbone by name, without its layers.

    Layers come with torchvision or timm, whose import takes longer than everything else that a
    prediction needs; on a CPU their graph is run by ONNX Runtime, and nobody asks for them.
    """

    def __init__(self, name: str) -> None:
        """Begin without tensors.

        Args:
            name: a key of SPECS.
        """
        super().__init__()
        self.name = name

    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """Make room for tensors as the layers would: `0.1.running_mean` is a buffer of module 0.1.

        Their values are loaded as those of any network are.
        """
        for key, tensor in tensors.items():
            *parts, last = key.split(".")
            place: nn.Module = self
            for part in parts:
                if part not in place._modules:
                    place.add_module(part, nn.Module())
                place = place._modules[part]
            if last in _STATISTICS:
                place.register_buffer(last, torch.empty_like(tensor))
            else:
                place.register_parameter(last, nn.Parameter(torch.empty_like(tensor)))

    def built(self) -> nn.Module:
        """Return the layers, with these very tensors."""
        spec = SPECS[self.name]
        with torch.device("meta"):  # without drawing weights that are thrown away
            layers = spec.features_of(spec.build_network())
        layers.load_state_dict(self.state_dict(), assign=True)
        own = dict(self.named_parameters())
        for key, parameter in layers.named_parameters():
            parameter.requires_grad_(own[key].requires_grad)
        return layers.train(self.training)


class _TimmFeatures(nn.Module):
    """The feature maps of a timm network, behind the plain call of torchvision's `features`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return self.network.forward_features(pixels)


@dataclass(frozen=True)
class BackboneSpec:
    """How to build one backbone."""

    name: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    build_network: Callable[[], nn.Module]
    features_of: Callable[[nn.Module], nn.Module]


def _mobilenet_v2() -> nn.Module:
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(weights=None)


def _efficientnet_b0() -> nn.Module:
    from torchvision.models import efficientnet_b0

    return efficientnet_b0(weights=None)


def _efficientnet_lite0() -> nn.Module:
    import timm

    return timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=1000)


def _timm_features(network: nn.Module) -> nn.Module:
    network.reset_classifier(0)
    return _TimmFeatures(network)


SPECS = {
    spec.name: spec
    for spec in (
        BackboneSpec(
            "mobilenet_v2",
            _IMAGENET_MEAN,
            _IMAGENET_STD,
            _mobilenet_v2,
            lambda network: network.features,
        ),
        BackboneSpec(
            "efficientnet_b0",
            _IMAGENET_MEAN,
            _IMAGENET_STD,
            _efficientnet_b0,
            lambda network: network.features,
        ),
        BackboneSpec(
            "efficientnet_lite0",
            _HALF,
            _HALF,
            _efficientnet_lite0,
            _timm_features,
        ),
    )
}


def build_backbone(name: str, state: dict[str, Tensor] | None, seed: int = 0) -> Backbone:
    """Return a backbone with the given ImageNet weights, or random ones where `state` is None.

    Args:
        name: a key of SPECS.
        state: the whole ImageNet network's tensors, from `find_weights`.
        seed: of the random initialisation.
    """
    spec = SPECS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = spec.build_network()
    if state is not None:
        load_in_order(network, state, name)
    return Backbone(spec.features_of(network), spec.mean, spec.std)


def outline_backbone(name: str) -> Backbone:
    """Return a backbone that is built when it is first asked for maps; see `Outline.take`."""
    spec = SPECS[name]
    return Backbone(Outline(name), spec.mean, spec.std)


def load_in_order(network: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Load tensors by name where the names agree, else in order with every shape checked.

    The Lite0 package names its 296 tensors otherwise than timm, in the same order.

    Raises:
        WeightsError: if number or shape of the tensors differ.
    """
    own = network.state_dict()
    if set(own) != set(state):
        if len(own) != len(state):
            raise WeightsError(
                f"weights for {name} hold {len(state)} tensors, the network has {len(own)}; "
                "use the file published for this very network"
            )
        state = dict(zip(own, state.values(), strict=True))
    for key, tensor in own.items():
        if tensor.shape != state[key].shape:
            raise WeightsError(
                f"weights for {name}: {key} is {tuple(state[key].shape)}, the network needs "
                f"{tuple(tensor.shape)}; use the file published for this very network"
            )
    network.load_state_dict(state)


def find_weights(
    name: str, weights_folder: Path | None = None, may_download: bool = True
) -> dict[str, Tensor]:
    """Return the ImageNet tensors of a backbone: workspace, package, cache, then download.

    Args:
        name: a key of SPECS.
        weights_folder: the workspace's `weights/`.
        may_download: False keeps to what is on this machine.

    Raises:
        WeightsError: if they are nowhere to be had; the message names the remedies.
    """
    path = locate_weights(name, weights_folder)
    if path is not None:
        return read_weights(path)
    try:
        return _download(SOURCES[name], may_download)
    except WeightsError as error:
        raise WeightsError(f"{error}; {remedies(name, weights_folder)}") from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors or .pth file; nothing in the file is executed.

    Raises:
        WeightsError: if the file can't be read as tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    except Exception as error:  # weights_only refuses with pickle.UnpicklingError and relatives
        raise _unreadable(path, error) from error
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise _unreadable(path, "it is no plain dictionary of tensors")
    return state


def _unreadable(path: Path, reason: object) -> WeightsError:
    first_line = str(reason).strip().splitlines()[0] if str(reason).strip() else "no reason given"
    return WeightsError(
        f"weights file {path} can't be read: {first_line[:200]}; "
        "remove it or replace it with the published file"
    )


def _download(source: WeightSource, may_download: bool) -> dict[str, Tensor]:
    if source.url is None:
        raise WeightsError(f"ImageNet weights of {source.name} are not on this machine")
    if not may_download:
        raise WeightsError(
            f"ImageNet weights of {source.name} are not on this machine and MMCORE_OFFLINE is set"
        )
    try:
        # torch.hub announces the download on stderr; the caller says it in its own words
        with _socket_timeout(DOWNLOAD_TIMEOUT_S), contextlib.redirect_stderr(io.StringIO()):
            return torch.hub.load_state_dict_from_url(
                source.url, map_location="cpu", progress=False, check_hash=True, weights_only=True
            )
    except (OSError, RuntimeError) as error:  # URLError, time-out, wrong hash
        raise WeightsError(
            f"ImageNet weights of {source.name} are not on this machine and downloading "
            f"{source.url} failed ({error})"
        ) from error


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Bound every new connection: torch.hub has no time-out, a filtered network no answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def fingerprint(module: nn.Module) -> str:
    """Return 16 hex digits that change when any weight or buffer of the module does."""
    if isinstance(module, Backbone):
        module.build()  # the order of its layers counts
    digest = hashlib.sha256()
    for key, tensor in module.state_dict().items():
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
