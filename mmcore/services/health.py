"""What `doctor` looks at: is everything here that training and predicting need?"""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcore.errors import MmcoreError
from mmcore.settings import Settings
from mmcore.workspace import Workspace

MIN_PYTHON = (3, 11)
LOW_DISK_GB = 2.0  # a training of a few thousand products writes well below one
PACKAGES = ("torch", "torchvision", "timm", "pandas", "pillow", "scikit-learn", "captum")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: str  # ok, note or problem
    found: str
    advice: str = ""


def examine(workspace: Workspace, settings: Settings) -> list[Finding]:
    """Return what was found, in the order a newcomer would ask."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        lambda: _device(settings),
        lambda: _weights(workspace),
        lambda: _folder(workspace),
        lambda: _disk(workspace.home),
        lambda: _catalogue(workspace, settings),
        lambda: _runs(workspace),
        lambda: _models(workspace),
    )
    return [finding for check in checks for finding in check()]


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        wanted = ".".join(map(str, MIN_PYTHON))
        yield Finding("Python", "problem", version, f"install Python {wanted} or newer")
    else:
        yield Finding("Python", "ok", version)


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "problem", "not installed", "pip install -r requirements.txt")
    try:
        import torchvision.ops  # noqa: F401  # fails where torch and torchvision don't pair
    except Exception as error:
        yield Finding(
            "torch and torchvision",
            "problem",
            f"they don't fit together: {error}",
            "make a new environment and pip install -r requirements.txt",
        )


def _device(settings: Settings) -> Iterator[Finding]:
    import torch

    from mmcore.build import resolve_device

    try:
        device = resolve_device(settings.device)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0]
        advice = "unset MMCORE_DEVICE or set it to cpu"
        yield Finding("device", "problem", f"{settings.device}: {first_line}", advice)
        return
    if device.type == "cpu":
        found = f"CPU, {torch.get_num_threads()} threads"
        yield Finding("device", "note", found, "no GPU is used: training takes longer")
    else:
        yield Finding("device", "ok", str(device))


def _weights(workspace: Workspace) -> Iterator[Finding]:
    from mmcore.backbones import SPECS, locate_weights, read_weights, remedies

    for name in SPECS:
        path = locate_weights(name, workspace.weights)
        if path is None:
            advice = remedies(name, workspace.weights)
            yield Finding(f"weights of {name}", "note", "not on this machine", advice)
            continue
        try:
            read_weights(path)
            yield Finding(f"weights of {name}", "ok", str(path))
        except MmcoreError as error:
            yield Finding(f"weights of {name}", "problem", str(error))


def _folder(workspace: Workspace) -> Iterator[Finding]:
    home = workspace.home
    if not home.exists():
        advice = "it is made by the first import, or by `python -m mmcore demo`"
        yield Finding("workspace", "note", f"{home} doesn't exist yet", advice)
    elif not os.access(home, os.W_OK):
        yield Finding("workspace", "problem", f"{home} can't be written", "change its permissions")
    else:
        yield Finding("workspace", "ok", str(home))


def _disk(home: Path) -> Iterator[Finding]:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < LOW_DISK_GB:
        advice = f"free some: training wants {LOW_DISK_GB:.0f} GB; cache/ may be deleted"
        yield Finding("disk", "problem", f"{free_gb:.1f} GB free", advice)
    else:
        yield Finding("disk", "ok", f"{free_gb:.1f} GB free")


def _catalogue(workspace: Workspace, settings: Settings) -> Iterator[Finding]:
    from mmcore.photos import PhotoStore
    from mmcore.services.catalogue_frame import has_store, load_catalogue
    from mmcore.services.opening import opened_store
    from mmcore.store.products import read_facts

    advice = "python -m mmcore import csv FILE"
    if not has_store(workspace, settings):
        yield Finding("catalogue", "note", "none yet", advice)
        return
    try:
        with opened_store(workspace, settings) as store:
            with store.reading() as session:
                is_there = read_facts(session) is not None
            catalogue = load_catalogue(store) if is_there else None
    except MmcoreError as error:
        yield Finding("catalogue", "problem", str(error))
        return
    if catalogue is None:
        yield Finding("catalogue", "note", "none yet", advice)
        return
    products = catalogue.products
    drawn = ", drawn by code" if catalogue.source == "drawn" else ""
    labelled = int((products["label"] != "").sum())
    yield Finding(
        "catalogue",
        "ok",
        f"{len(products):,} products, {labelled:,} labelled, {len(catalogue.classes)} classes"
        f"{drawn}",
    )
    store = PhotoStore(workspace.photos)
    keys = {key for key in products["photo"] if key}
    lost = sum(key not in store for key in keys)
    if lost:
        advice = "import the catalogue again with --images"
        yield Finding("photos", "problem", f"{lost:,} of {len(keys):,} are missing", advice)
    else:
        yield Finding("photos", "ok", f"{len(keys):,}")


def _runs(workspace: Workspace) -> Iterator[Finding]:
    for path in sorted(workspace.runs.glob("*/run.json")):
        name = path.parent.name
        yield Finding("run", "note", f"{name} has not ended", f"mmcore train --resume {name}")


def _models(workspace: Workspace) -> Iterator[Finding]:
    from mmcore.manifest import verify

    folders = [p for p in sorted(workspace.models.glob("*")) if p.is_dir()]
    for folder in folders:
        if folder.name.startswith("."):
            advice = f"left by a crash: delete {folder}"
            yield Finding("models", "note", f"unfinished folder {folder.name}", advice)
            continue
        try:
            verify(folder)
            yield Finding("model", "ok", folder.name)
        except MmcoreError as error:
            yield Finding("model", "problem", str(error))
    if not folders:
        yield Finding("models", "note", "none yet", "python -m mmcore train")
