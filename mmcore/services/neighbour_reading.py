"""Keeps the index of what is alike in step with the catalogue, beside the pages that ask it.

A page never waits for the whole catalogue to be read: it is given the index as it was, or, where
there was none, told how far the reading is.
"""

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from mmcore.errors import MmcoreError, WorkspaceError
from mmcore.services.neighbour_texts import SEGMENT, Plan, make_segments, text_encoder
from mmcore.services.neighbours import NeighbourIndex, plan_of
from mmcore.settings import Settings
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from mmcore.runtime import Runtime

PATIENCE_S = 8.0  # a page waits so long for a small catalogue, rather than tell that it waits
FEW = 2 * SEGMENT  # products that are read in this process: another one takes longer to start
LOG = "neighbours.log"


class LiveIndex:
    """The index of one model, read anew in a thread whenever the catalogue has another revision."""

    def __init__(
        self, runtime: "Runtime", store: Store, workspace: Workspace, settings: Settings
    ) -> None:
        """Bind the index to a model; nothing is read yet."""
        self._runtime, self._store = runtime, store
        self._workspace, self._settings = workspace, settings
        self._lock = threading.Lock()
        self._index: NeighbourIndex | None = None
        self._revision: int | None = None  # of the index
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        self._plan: Plan | None = None
        self._told = threading.Event()  # the reading has ended, or will take long

    def ask(self, revision: int, patience_s: float = PATIENCE_S) -> NeighbourIndex | None:
        """Return the index, perhaps of an earlier revision; None while the first one is made.

        Args:
            revision: of the catalogue now; another one than the index's has it made anew.
            patience_s: waited at most for the first one, where it won't take long.

        Raises:
            MmcoreError: why the reading failed; the next call tries again.
        """
        with self._lock:
            if self._revision != revision and self._thread is None and self._error is None:
                self._told.clear()
                self._thread = threading.Thread(
                    target=self._read, args=(revision,), daemon=True, name="neighbours"
                )
                self._thread.start()
            is_waiting = self._index is None and self._thread is not None
        if is_waiting:
            self._told.wait(patience_s)
        with self._lock:
            error, self._error = self._error, None
            if error is not None:
                raise error
            return self._index

    @property
    def progress(self) -> tuple[int, int]:
        """Return how many products' texts are ready, of how many; (0, 0) before that is known."""
        plan = self._plan
        if plan is None:
            return 0, 0
        left = sum(part.count for part in plan.missing())
        return len(plan.ids) - left, len(plan.ids)

    def _read(self, revision: int) -> None:
        try:
            index = self._made()
            with self._lock:
                self._index, self._revision = index, revision
        except (MmcoreError, OSError, ValueError) as error:
            known = isinstance(error, MmcoreError)
            with self._lock:
                self._error = error if known else _cant_be_read(str(error))
        finally:
            with self._lock:
                self._thread = self._plan = None
            self._told.set()

    def _made(self) -> NeighbourIndex:
        runtime = self._runtime
        plan = self._plan = plan_of(runtime, self._store, self._workspace)
        encoder = text_encoder(runtime.artifact)
        if encoder is not None:
            if sum(part.count for part in plan.missing()) <= FEW:
                make_segments(self._store, plan, encoder)
            else:
                self._read_elsewhere(runtime.artifact.manifest.name)
        return NeighbourIndex(runtime, self._store, self._workspace, plan)

    def _read_elsewhere(self, model: str) -> None:
        """Have another process read: a minute of Python here would make everybody's keys slow."""
        from mmcore.jobs.local import environment_of

        command = [sys.executable, "-m", "mmcore.services.neighbour_texts"]
        command += [str(self._workspace.home), model]
        log_file = self._workspace.logs / LOG
        self._told.set()
        with log_file.open("wb") as log:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment_of(self._settings),
                check=False,
            ).returncode
        if code:
            raise _cant_be_read(f"the process ended with {code}, see {log_file}")


def _cant_be_read(why: str) -> WorkspaceError:
    return WorkspaceError(
        f"the catalogue's texts can't be read to find what is alike: {why}; try again, or delete "
        "cache/neighbours in the workspace: it is made again"
    )
