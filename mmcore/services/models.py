"""The models of a workspace: which there are, which is meant.

A model is called as its folder is. A manifest that says otherwise is a copied or renamed folder:
two models of one name could not be told apart, so it counts as damaged until it is put right.

Quick on purpose: no migration is run and, in a workspace without a database, none is opened.
"""

from pathlib import Path

from mmcore.errors import ArtifactError, StoreError, WorkspaceError
from mmcore.manifest import Manifest, broken, read_manifest
from mmcore.settings import Settings
from mmcore.workspace import Workspace


def model_folders(workspace: Workspace) -> list[Path]:
    """Return the folders of models by name, damaged ones included, unfinished ones not.

    Raises:
        WorkspaceError: if the folder of all models can't be looked at.
    """
    try:
        found = sorted(workspace.models.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise WorkspaceError(
            f"{workspace.models} can't be read: {error.strerror or error}; it must be a folder "
            "that you may read: put it right, or choose another workspace with --home DIR"
        ) from error
    # a name that begins with a dot is a folder being written, or left by a crash
    return [path for path in found if path.is_dir() and not path.name.startswith(".")]


def read_model(folder: Path) -> Manifest:
    """Return what a model folder says it is.

    Raises:
        ArtifactError: if it can't be read, or says it is another model.
    """
    manifest = read_manifest(folder)
    if manifest.name != folder.name:
        raise broken(
            folder,
            f"its MANIFEST.json belongs to model {manifest.name!r}: the folder was copied or "
            "renamed; give the folder that name again, or delete it",
        )
    return manifest


def list_models(workspace: Workspace) -> list[Manifest]:
    """Return the readable models, newest first.

    Raises:
        WorkspaceError: if the folder of all models can't be looked at.
    """
    found = []
    for folder in model_folders(workspace):
        try:
            found.append(read_model(folder))
        except ArtifactError:
            continue  # `doctor` names the broken ones; the others stay usable
    return sorted(found, key=lambda manifest: manifest.created_at, reverse=True)


def model_folder(workspace: Workspace, settings: Settings, name: str | None) -> Path:
    """Return the folder of a model: production's where no name is given, else the newest one's.

    Raises:
        WorkspaceError: if there is no such model.
        ArtifactError: if it says it is another one.
        StoreError: if it can't be told which model is in production.
    """
    if name is None:
        name = production_name(workspace, settings)
    folders = {folder.name: folder for folder in model_folders(workspace)}
    known = [manifest.name for manifest in list_models(workspace)]
    if name is None:
        if not known:
            found = f"no readable model ({len(folders)} damaged)" if folders else "no model yet"
            remedy = "doctor` to see why" if folders else "train`"
            raise WorkspaceError(
                f"workspace {workspace.home} has {found}; run `python -m mmcore {remedy}"
            )
        return folders[known[0]]
    if name not in folders:  # looked up, never joined to a path: a name can lead nowhere else
        listed = ", ".join(known[:10]) or "none"
        raise WorkspaceError(f"no model is named {name[:100]!r}; there are: {listed}")
    read_model(folders[name])
    return folders[name]


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
    except (SQLAlchemyError, StoreError) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(
            f"the database doesn't say which model is in production: {reason}; "
            "name one with --model"
        ) from error
    finally:
        store.close()
