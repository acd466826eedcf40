"""What nearly every command begins with: the workspace's store, and who asks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.cli.options import open_workspace

if TYPE_CHECKING:  # the database is opened by the command that needs it, not by --help
    from mmcore.services.people import Actor
    from mmcore.settings import Settings
    from mmcore.store.engine import Store
    from mmcore.workspace import Workspace


@contextmanager
def opened(home: Path | None) -> Iterator[tuple["Store", "Workspace", "Settings"]]:
    """Give the store, the workspace and this machine's settings."""
    workspace, settings = open_workspace(home)
    from mmcore.services.opening import opened_store

    with opened_store(workspace, settings) as store:
        yield store, workspace, settings


@contextmanager
def opened_for_me(home: Path | None) -> Iterator[tuple["Store", "Actor"]]:
    """Give the store, and the person at this machine, who may do everything."""
    with opened(home) as (store, _, _):
        yield store, local_actor(store)


def local_actor(store: "Store") -> "Actor":
    """Return the person at the command line: whoever can run it owns the files anyway."""
    from mmcore.services import people

    return people.local_actor(store, time.time())
