"""Open a workspace's database, brought to this version's tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmcore.services.restore_swap import undo_interrupted
from mmcore.settings import Settings
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.workspace import Workspace


def open_store(workspace: Workspace, settings: Settings) -> Store:
    """Return the store of a workspace, made where there is none; the caller closes it.

    A restore that was killed half-way is taken back first.

    Raises:
        WorkspaceError: if the workspace can't be written.
        StoreError: if the database can't be opened or is newer than this version.
    """
    workspace.create()
    undo_interrupted(workspace)
    store = Store(settings.database_url or sqlite_url(workspace.database_file))
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return store


@contextmanager
def opened_store(workspace: Workspace, settings: Settings) -> Iterator[Store]:
    """Give the store of a workspace for the length of a block."""
    store = open_store(workspace, settings)
    try:
        yield store
    finally:
        store.close()
