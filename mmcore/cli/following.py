"""After a command that moved the catalogue on: let production catch up in a job, and say so."""

import time
from typing import TYPE_CHECKING

from mmcore.cli import screen
from mmcore.errors import WorkspaceError

if TYPE_CHECKING:
    from mmcore.services.people import Actor
    from mmcore.settings import Settings
    from mmcore.store.engine import Store
    from mmcore.workspace import Workspace


def follow(
    store: "Store", actor: "Actor", workspace: "Workspace", settings: "Settings"
) -> dict | None:
    """Return the job that was submitted, as plain JSON values; None where nothing is due.

    What the command did is done: that no worker can be started is said, and no error of it.
    """
    from dataclasses import asdict

    from mmcore.jobs.local import LocalBackend
    from mmcore.services.catching_up import follow_up

    backend = LocalBackend(store, workspace, settings)
    try:
        found = follow_up(store, actor, time.time(), backend)
    except WorkspaceError as error:
        screen.note(str(error))
        return None
    if found is None:
        return None
    screen.note(found.sentence)
    return asdict(found)
