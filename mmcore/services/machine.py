"""What this machine can train with, found out without loading torch: device and weights.

The worker asks torch itself and says in the job which device it took; here a page says beforehand
what to expect.
"""

import ctypes
import platform
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mmcore.config import BACKBONES
from mmcore.settings import Settings
from mmcore.weight_files import locate_weights, ways_to_weights
from mmcore.workspace import Workspace

_CUDA_LIBRARIES = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")


@dataclass(frozen=True)
class DeviceHere:
    """Where a training would run.

    Attributes:
        kind: cpu, cuda or mps.
        text: in words, for people.
    """

    kind: str
    text: str

    @property
    def is_gpu(self) -> bool:
        return self.kind != "cpu"


@dataclass(frozen=True)
class BackboneHere:
    """One image backbone, and whether its ImageNet weights are on this machine.

    Attributes:
        ways: how they can be put here, where they are not.
    """

    name: str
    is_here: bool
    ways: tuple[str, ...]


def device_here(settings: Settings) -> DeviceHere:
    """Return where a worker of this machine would train, as far as can be told without torch."""
    if settings.device == "cpu":
        return DeviceHere("cpu", "CPU: MMCORE_DEVICE=cpu says so, whatever else is there.")
    if settings.device in ("auto", "cuda") and _torch_has_cuda():
        if names := cuda_devices():
            return DeviceHere("cuda", f"GPU: {', '.join(names)}")
    if settings.device in ("auto", "mps") and _is_apple_silicon():
        return DeviceHere("mps", "GPU of this Mac (MPS)")
    if settings.device != "auto":
        return DeviceHere(
            settings.device,
            f"MMCORE_DEVICE={settings.device} asks for a GPU, and none was found: a retrain would "
            "be refused. Set MMCORE_DEVICE=auto, or check the GPU's driver.",
        )
    return DeviceHere("cpu", "No GPU was found on this machine: training runs on the CPU.")


def backbones_here(workspace: Workspace, settings: Settings) -> tuple[BackboneHere, ...]:
    """Return every backbone, in the order they are offered."""
    found = []
    for name in BACKBONES:
        is_here = locate_weights(name, workspace.weights) is not None
        ways = [] if is_here else ways_to_weights(name, workspace.weights)
        if not is_here and not settings.offline:
            ways.append("or let the retrain try to download them")
        found.append(BackboneHere(name, is_here, tuple(ways)))
    return tuple(found)


def cuda_devices(libraries: tuple[str, ...] = _CUDA_LIBRARIES) -> list[str]:
    """Return the names of the NVIDIA GPUs that the driver offers this process."""
    for name in libraries:
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        return _names(driver)
    return []


def _names(driver: ctypes.CDLL) -> list[str]:
    count, text = ctypes.c_int(0), ctypes.create_string_buffer(256)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    names = []
    for number in range(count.value):
        device = ctypes.c_int(0)
        is_known = driver.cuDeviceGet(ctypes.byref(device), number) == 0
        if is_known and driver.cuDeviceGetName(text, len(text), device) == 0:
            names.append(text.value.decode(errors="replace"))
    return names


def _torch_has_cuda() -> bool:
    """Return whether the torch that is installed was built for NVIDIA GPUs; it isn't loaded."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return False
    try:
        lines = Path(found.origin).with_name("version.py").read_text("utf-8").splitlines()
    except OSError:
        return False
    told = [line.partition("=")[2].strip() for line in lines if line.startswith("cuda")]
    return bool(told) and told[0] not in ("", "None")


def _is_apple_silicon() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"
