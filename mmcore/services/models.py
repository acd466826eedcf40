"""The models of a workspace: which there are, which is meant.

Quick on purpose: no migration is run and, in a workspace without a database, none is opened.
"""

from pathlib import Path

from mmcore.errors import ArtifactError, StoreError, WorkspaceError
from mmcore.manifest import Manifest, read_manifest
from mmcore.settings import Settings
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


def model_folder(workspace: Workspace, settings: Settings, name: str | None) -> Path:
    """Return the folder of a model: production's where no name is given, else the newest one's.

    Raises:
        WorkspaceError: if there is no such model.
        StoreError: if it can't be told which model is in production.
    """
    name = name or production_name(workspace, settings)
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


def production_name(workspace: Workspace, settings: Settings) -> str | None:
    """Return the name of the model in production, None where there is none.

    Raises:
        StoreError: if the database is there and can't be read; another model must not answer in
            silence.
    """
    if settings.database_url is None and not workspace.database_file.is_file():
        return None
    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    from mmcore.store.engine import Store, sqlite_url
    from mmcore.store.models import find_production

    store = Store(settings.database_url or sqlite_url(workspace.database_file))
    try:
        if not inspect(store.engine).has_table("model_version"):
            return None  # a database that no command has set up yet
        with store.reading() as session:
            found = find_production(session)
            return found and found.name
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise StoreError(
            f"the database doesn't say which model is in production: {reason}; "
            "name one with --model"
        ) from error
    finally:
        store.close()
