"""Is the workspace in order: folder, disk, catalogue, photos, models, runs, leftovers?"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mmcore.errors import MmcoreError
from mmcore.services.finding import NOTE, OK, PROBLEM, Finding, problem
from mmcore.services.models import model_folders, read_model
from mmcore.settings import Settings
from mmcore.workspace import Workspace

LOW_DISK_GB = 2.0  # a training of a few thousand products writes well below one
DRAWING_PREFIX = "rayon-demo-"  # folders of the drawn demo, in the system's temporary folder

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}")  # as `write_atomically` calls them
_NAMED_LEFTOVERS = 3


def folder(workspace: Workspace) -> Iterator[Finding]:
    home = workspace.home
    if not home.exists():
        advice = "it is made by the first import, or by `python -m mmcore demo`"
        yield Finding("workspace", NOTE, f"{home} doesn't exist yet", advice)
        return
    folders = (workspace.photos, workspace.cache, workspace.models, workspace.runs)
    blocked = [path for path in folders if path.exists() and not path.is_dir()]
    if blocked:
        found = f"{blocked[0]} is a file, it must be a folder"
        yield Finding("workspace", PROBLEM, found, "move the file away")
        return
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        found = f"{home} can't be written: {error.strerror or error}"
        yield Finding("workspace", PROBLEM, found, "free some space or change its permissions")
        return
    yield Finding("workspace", OK, str(home))


def disk(home: Path) -> Iterator[Finding]:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < LOW_DISK_GB:
        advice = f"free some: training wants {LOW_DISK_GB:.0f} GB; cache/ may be deleted"
        yield Finding("disk", PROBLEM, f"{free_gb:.1f} GB free", advice)
    else:
        yield Finding("disk", OK, f"{free_gb:.1f} GB free")


def catalogue(workspace: Workspace, settings: Settings) -> Iterator[Finding]:
    from mmcore.photos import PhotoStore
    from mmcore.services.catalogue_frame import has_store, load_catalogue
    from mmcore.services.opening import opened_store
    from mmcore.store.products import read_facts

    advice = "python -m mmcore import csv FILE"
    if not has_store(workspace, settings):
        yield Finding("catalogue", NOTE, "none yet", advice)
        return
    try:
        with opened_store(workspace, settings) as database:
            with database.reading() as session:
                is_there = read_facts(session) is not None
            loaded = load_catalogue(database) if is_there else None
    except MmcoreError as error:
        yield problem("catalogue", error)
        return
    if loaded is None:
        yield Finding("catalogue", NOTE, "none yet", advice)
        return
    products = loaded.products
    drawn = ", drawn by code" if loaded.source == "drawn" else ""
    labelled = int((products["label"] != "").sum())
    counts = f"{len(products):,} products, {labelled:,} labelled, {len(loaded.classes)} classes"
    yield Finding("catalogue", OK, counts + drawn)
    store = PhotoStore(workspace.photos)
    keys = {key for key in products["photo"] if key}
    lost = sum(key not in store for key in keys)
    if lost:
        advice = "import the catalogue again with --images"
        yield Finding("photos", PROBLEM, f"{lost:,} of {len(keys):,} are missing", advice)
    else:
        yield Finding("photos", OK, f"{len(keys):,}")


def models(workspace: Workspace) -> Iterator[Finding]:
    """Yield each model: are its files those that were saved, under the name they were saved by?"""
    from mmcore.manifest import verify

    folders = model_folders(workspace)
    for path in folders:
        try:
            read_model(path)
            verify(path)
            yield Finding("model", OK, path.name)
        except MmcoreError as error:
            yield problem("model", error)
    if not folders:
        yield Finding("models", NOTE, "none yet", "python -m mmcore train")


def runs(workspace: Workspace) -> Iterator[Finding]:
    """Yield the trainings that have not ended."""
    if not workspace.runs.is_dir():
        return
    for path in sorted(workspace.runs.iterdir()):
        if (path / "run.json").is_file():
            advice = f"python -m mmcore train --resume {path.name}, or delete {path}"
            yield Finding("run", NOTE, f"{path.name} has not ended", advice)
        elif path.is_dir():
            yield Finding("run", NOTE, f"{path.name} never began", f"delete {path}")


def leftovers(workspace: Workspace) -> Iterator[Finding]:
    """Yield what a crash may have left half-written; no command ever reads it."""
    home = workspace.home
    places = (home, workspace.models, workspace.photos, workspace.backups)
    found = [path for place in places for path in _unfinished(place)]
    for group in (workspace.photos, workspace.runs):
        for inner in sorted(p for p in group.iterdir() if p.is_dir()) if group.is_dir() else ():
            found += _unfinished(inner)
    found += sorted(Path(tempfile.gettempdir()).glob(f"{DRAWING_PREFIX}*"))
    if found:
        names = ", ".join(str(path) for path in found[:_NAMED_LEFTOVERS])
        more = f" and {len(found) - _NAMED_LEFTOVERS} more" if len(found) > _NAMED_LEFTOVERS else ""
        advice = "left by a crash: delete them, unless a command is running now"
        yield Finding("left over", NOTE, f"{len(found)} unfinished: {names}{more}", advice)


def _unfinished(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if _UNFINISHED.fullmatch(path.name))
