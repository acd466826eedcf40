"""What binds a running job to the table: a thread that renews its lease and listens for cancel.

The job's own thread asks `check` between two steps. Where a step takes longer than a person waits
for a cancel, the listening thread ends the job in the table itself: the late step finds the fence
closed and can write nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from mmcore.errors import JobCancelledError
from mmcore.store import jobs
from mmcore.store.engine import Store
from mmcore.store.failures import AWAY
from mmcore.store.jobs import Claim, Signal


@dataclass(frozen=True)
class LeaseTimes:
    """How long a worker may be silent, and how quickly it listens (seconds)."""

    lease_s: float = 60.0
    renew_s: float = 10.0
    listen_s: float = 0.5
    cancel_patience_s: float = 2.0  # for the step that is going on when a cancel comes


class Leash:
    """Holds one claimed job while it runs; a context manager around the run."""

    def __init__(
        self,
        store: Store,
        held: Claim,
        times: LeaseTimes,
        clock: Callable[[], float],
        on_renew: Callable[[float], None] = lambda now: None,
    ) -> None:
        """Take over a claim made just now.

        Args:
            on_renew: called in the listening thread with each renewal.
        """
        self._store, self._held, self._times, self._clock = store, held, times, clock
        self._on_renew = on_renew
        self._renewed_at = clock()
        self._cancel_seen_at: float | None = None
        self._is_ended_in_table = False
        self._signal = Signal.GO_ON
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True, name="heartbeat")

    def __enter__(self) -> "Leash":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Return if the job may go on.

        Raises:
            JobCancelledError: if somebody asked for that.
            JobLostError: if the job is another worker's by now. A worker that slept past its
                lease asks the table before it says yes.
        """
        if self._clock() - self._renewed_at > self._times.lease_s:
            self._renew()
        if self._signal is Signal.CANCEL:
            raise JobCancelledError(f"job {self._held.job_id} was cancelled")
        if self._signal is Signal.LOST:
            raise jobs.lost(self._held)

    def heed(self, may_go_on: bool) -> None:
        """Ask the table at once where a fenced write was refused, and act on the answer."""
        if not may_go_on:
            self._look()
        self.check()

    # -- the listening thread --------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._ended.wait(self._times.listen_s):
            try:
                self._listen_once(self._clock())
            except AWAY:
                continue  # a database that is away may come back before the lease has passed

    def _listen_once(self, now: float) -> None:
        if now - self._renewed_at >= self._times.renew_s:
            self._renew()
        else:
            self._look()
        if self._signal is not Signal.CANCEL:
            return
        self._cancel_seen_at = self._cancel_seen_at or now
        is_overdue = now - self._cancel_seen_at >= self._times.cancel_patience_s
        if is_overdue and not self._is_ended_in_table:
            with self._store.writing() as session:
                jobs.cancelled(session, self._held, now)
            self._is_ended_in_table = True

    def _renew(self) -> None:
        now = self._clock()
        with self._store.writing() as session:
            self._note(jobs.renew(session, self._held, now, self._times.lease_s))
        self._renewed_at = now
        self._on_renew(now)

    def _look(self) -> None:
        with self._store.reading() as session:
            self._note(jobs.look(session, self._held))

    def _note(self, signal: Signal) -> None:
        # a job that this thread cancelled in the table is "lost" from then on: say what it was
        if self._signal is not Signal.CANCEL:
            self._signal = signal
