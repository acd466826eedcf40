"""The models of a workspace: which there are, which is meant."""

from pathlib import Path

from mmcore.errors import ArtifactError, WorkspaceError
from mmcore.manifest import Manifest, read_manifest
from mmcore.workspace import Workspace


def list_models(workspace: Workspace) -> list[Manifest]:
    """Return the readable models, newest first."""
    found = []
    for path in sorted(workspace.models.glob("*/MANIFEST.json")):
        if path.parent.name.startswith("."):
            continue  # a folder being written, or left by a crash
        try:
            found.append(read_manifest(path.parent))
        except ArtifactError:
            continue  # `doctor` names the broken ones; the others stay usable
    return sorted(found, key=lambda manifest: manifest.created_at, reverse=True)


def model_folder(workspace: Workspace, name: str | None) -> Path:
    """Return the folder of a model; the newest one where no name is given.

    Raises:
        WorkspaceError: if there is no such model.
    """
    known = [manifest.name for manifest in list_models(workspace)]
    if name is None:
        if not known:
            damaged = [p for p in workspace.models.glob("*") if not p.name.startswith(".")]
            found = f"no readable model ({len(damaged)} damaged)" if damaged else "no model yet"
            remedy = "doctor` to see why" if damaged else "train`"
            raise WorkspaceError(
                f"workspace {workspace.home} has {found}; run `python -m mmcore {remedy}"
            )
        return workspace.models / known[0]
    if Path(name).name != name or not (workspace.models / name).is_dir():
        listed = ", ".join(known[:10]) or "none"
        raise WorkspaceError(f"no model is named {name!r}; there are: {listed}")
    return workspace.models / name
