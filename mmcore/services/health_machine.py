"""Is this machine fit: Python, packages, device, photo decoding, backbone weights?"""

import importlib.metadata
import io
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mmcore.errors import MmcoreError
from mmcore.services.finding import NOTE, OK, PROBLEM, Finding, problem
from mmcore.settings import Settings
from mmcore.workspace import Workspace

MIN_PYTHON = (3, 11)
REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"
INSTALL = "pip install -r requirements.txt"
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP")  # what shops have; Pillow may be built without one

_REQUIREMENT = re.compile(r"([\w-]+)>=([\d.]+),(<=?)([\d.]+)")


def python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        wanted = ".".join(map(str, MIN_PYTHON))
        yield Finding("Python", PROBLEM, version, f"install Python {wanted} or newer")
    else:
        yield Finding("Python", OK, f"{version}, {sys.executable}")


def packages() -> Iterator[Finding]:
    """Yield each package of requirements.txt: is it there, and within the bounds?"""
    if not REQUIREMENTS.is_file():
        yield Finding("packages", NOTE, f"{REQUIREMENTS} is not here", "fetch the sources again")
        return
    for name, low, comparison, high in requirements():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, PROBLEM, "not installed", INSTALL)
            continue
        inside = _numbers(low) <= _numbers(version) and (
            _numbers(version) < _numbers(high)
            or (comparison == "<=" and _numbers(version) == _numbers(high))
        )
        if inside:
            yield Finding(name, OK, version)
        else:
            found = f"{version}, tried with >={low},{comparison}{high}"
            yield Finding(name, NOTE, found, INSTALL)


def requirements() -> list[tuple[str, str, str, str]]:
    """Return (name, lowest version, < or <=, highest version) of each direct dependency."""
    return _REQUIREMENT.findall(REQUIREMENTS.read_text("utf-8"))


def _numbers(version: str) -> tuple[int, ...]:
    """Return the release of a version ("2.14.1+cu130" is 2, 14, 1), without closing zeros."""
    numbers = [int(part) for part in re.match(r"[\d.]*", version).group().split(".") if part]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def pairing() -> Iterator[Finding]:
    """Yield whether torch and torchvision are of the same release: else their operators clash."""
    try:
        import torch
        import torchvision

        boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        torchvision.ops.nms(boxes, torch.ones(1), 0.5)  # compiled code, so it needs the pair
    except Exception as error:  # whatever a broken pair leads to
        reason = str(error).strip().splitlines() or [type(error).__name__]
        found = f"they don't work together: {reason[0]}"
        yield Finding("torch and torchvision", PROBLEM, found, f"make a new environment; {INSTALL}")
        return
    versions = f"{torch.__version__} with {torchvision.__version__}"
    yield Finding("torch and torchvision", OK, versions)


def device(settings: Settings) -> Iterator[Finding]:
    import torch

    from mmcore.build import resolve_device

    try:
        found = resolve_device(settings.device)
        torch.zeros(1, device=found)
    except MmcoreError as error:
        yield problem("device", error)
        return
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0]
        advice = "set MMCORE_DEVICE=cpu, or check the GPU's driver"
        yield Finding("device", PROBLEM, f"{settings.device}: {first_line}", advice)
        return
    if found.type == "cpu":
        text = f"CPU, {torch.get_num_threads()} threads"
        yield Finding("device", NOTE, text, "no GPU is used: training takes longer")
    else:
        yield Finding("device", OK, str(found))


def decoding() -> Iterator[Finding]:
    """Yield whether photos of the usual formats can be read."""
    from PIL import Image

    from mmcore.images import decode_photo

    failed = []
    for name in PHOTO_FORMATS:
        try:
            data = io.BytesIO()
            Image.new("RGB", (32, 32), "red").save(data, name)
            decode_photo(data.getvalue())
        except (MmcoreError, OSError, KeyError) as error:  # KeyError: Pillow lacks the format
            failed.append(f"{name} ({error})")
    if failed:
        advice = "pip install --force-reinstall pillow"
        yield Finding("photo decoding", PROBLEM, f"can't read {', '.join(failed)}", advice)
    else:
        yield Finding("photo decoding", OK, ", ".join(PHOTO_FORMATS))


def weights(workspace: Workspace) -> Iterator[Finding]:
    """Yield where each backbone's ImageNet weights lie, or how to come by them."""
    from mmcore.backbones import SPECS, read_weights
    from mmcore.weight_files import locate_weights, remedies

    for name in SPECS:
        path = locate_weights(name, workspace.weights)
        if path is None:
            advice = remedies(name, workspace.weights)
            yield Finding(f"weights of {name}", NOTE, "not on this machine", advice)
            continue
        try:
            read_weights(path)
            yield Finding(f"weights of {name}", OK, str(path))
        except MmcoreError as error:
            yield problem(f"weights of {name}", error)
