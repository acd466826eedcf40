"""Writers of one SQLite file take turns: first come, first served, and woken at once.

SQLite lets one writer in at a time, but whoever waits for it sleeps and looks again, up to 100 ms
later: slow, and a matter of luck. So writers queue here before they begin a transaction. Threads of
one process queue in memory; the first of each process queues with those of other processes for a
lock on a file beside the database, which the kernel takes back from a process that dies.

Correctness doesn't rest on this queue (BEGIN IMMEDIATE sees to that), only speed and fairness: a
program that doesn't know it, or a system without file locks, waits as SQLite would have it.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmcore.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NO_LOCK = -1  # in place of a descriptor
IDLE_S = 10.0  # a thread that waits for other processes ends when nobody has needed it so long


class Turns:
    """The queue of those who write to one database, as this process sees it."""

    def __init__(self, database: Path | None) -> None:
        """Prepare a queue; nothing is created before somebody writes.

        Args:
            database: its file; None for one that no other process can see.
        """
        self._threads = _Line()
        self._processes = _FileLine(database) if database and fcntl else None
        self._writer: int | None = None

    @contextmanager
    def turn(self, patience_s: float) -> Iterator[None]:
        """Give the right to write for the length of a block.

        Raises:
            StoreError: if the turn doesn't come within the patience.
            RuntimeError: if this thread has the turn already: it would wait for itself.
        """
        if self._writer == threading.get_ident():
            raise RuntimeError("a writing transaction inside another one of the same thread")
        deadline = time.monotonic() + patience_s
        if not self._threads.enter(patience_s):
            raise StoreError(_too_long(patience_s, "another part of this program"))
        try:
            with self._between_processes(deadline, patience_s):
                self._writer = threading.get_ident()
                yield
        finally:
            self._writer = None
            self._threads.leave()

    @contextmanager
    def _between_processes(self, deadline: float, patience_s: float) -> Iterator[None]:
        if self._processes is None:
            yield
            return
        held = self._processes.enter(deadline - time.monotonic())
        if held is None:
            raise StoreError(_too_long(patience_s, self._processes.holder()))
        try:
            yield
        finally:
            _release(held)


def _too_long(patience_s: float, holder: str) -> str:
    return (
        f"the database was busy for {patience_s:.0f} s: {holder} is writing to it; nothing was "
        "saved. Wait for it to end (an import may take minutes), or stop it, and try again"
    )


class _Line:
    """A lock that goes to whoever has waited longest; Python's own may starve a thread."""

    def __init__(self) -> None:
        # reentrant: an abandoned transaction may be collected, and leave, at any line below
        self._guard = threading.RLock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False

    def enter(self, patience_s: float) -> bool:
        """Return whether the turn came within the patience."""
        gate = threading.Lock()
        gate.acquire()
        with self._guard:
            self._waiting.append(gate)
            if not self._is_taken:
                self._is_taken = True
                self._waiting.remove(gate)
                return True
        has_turn = False
        try:
            has_turn = gate.acquire(timeout=max(patience_s, 0.0))
        finally:
            if not has_turn:
                has_turn = self._give_up(gate)
        return has_turn

    def _give_up(self, gate: threading.Lock) -> bool:
        """Return whether the turn came in the very last moment."""
        with self._guard:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return False
        return True

    def leave(self) -> None:
        """Hand the turn to the next."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


class _FileLine:
    """A lock between processes. Only one thread of this process uses it at a time.

    Two files: who holds the second writes, who holds the first is next. Without the first, the
    process that has just written would be quicker than those it has woken, time and again.
    """

    def __init__(self, database: Path) -> None:
        self._next = Path(f"{database}.writers-next")
        self._now = Path(f"{database}.writers")
        # a wait for flock can't be cut short, so another thread waits, and this can give up on it
        self._change = threading.Condition()
        self._is_wanted = False
        self._has_waiter = False
        self._found: int | OSError | None = None

    def enter(self, patience_s: float) -> int | None:
        """Return the descriptor that holds the lock, None if it didn't come in time."""
        try:
            held = self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
            if held is None:
                held = self._wait(patience_s)
        except OSError:
            return NO_LOCK  # no file locks here, or no right to make the file: SQLite's own must do
        if held is not None:
            _sign(held)
        return held

    def holder(self) -> str:
        """Return who writes, in words."""
        with contextlib.suppress(OSError, ValueError):
            pid, since = self._now.read_text().split()
            return f"process {pid} (since {max(time.time() - float(since), 0):.0f} s)"
        return "another process"

    def _lock(self, how: int) -> int | None:
        """Return the descriptor that holds the lock, None if others have it."""
        first = _opened(self._next)
        try:
            fcntl.flock(first, how)
            held = _opened(self._now)
            try:
                fcntl.flock(held, how)
            except BaseException:
                os.close(held)
                raise
            return held
        except BlockingIOError:
            return None
        finally:
            _release(first)

    def _wait(self, patience_s: float) -> int | None:
        with self._change:
            self._is_wanted = True
            if not self._has_waiter:
                self._has_waiter = True
                threading.Thread(target=self._wait_for_others, daemon=True).start()
            self._change.notify_all()
            try:
                self._change.wait_for(lambda: self._found is not None, max(patience_s, 0.0))
            except BaseException:
                if isinstance(self._found, int):
                    _release(self._found)
                self._found = None
                raise
            finally:
                self._is_wanted = False
            found, self._found = self._found, None
        if isinstance(found, OSError):
            raise found
        return found

    def _wait_for_others(self) -> None:
        """Fetch the lock whenever it is wanted, until nobody has wanted it for a while."""
        while True:
            with self._change:
                if not self._change.wait_for(lambda: self._is_wanted and not self._found, IDLE_S):
                    self._has_waiter = False
                    return
            try:
                found = self._lock(fcntl.LOCK_EX)
            except OSError as error:
                found = error
            with self._change:
                if self._is_wanted:
                    self._found = found
                    self._change.notify_all()
                elif isinstance(found, int):
                    _release(found)  # whoever wanted it has given up


def _opened(file: Path) -> int:
    flags = os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(file, os.O_RDWR | flags, 0o666)
    except PermissionError:
        return os.open(file, os.O_RDONLY | flags, 0o666)  # another user's file can be locked, too


def _sign(descriptor: int) -> None:
    """Write down who holds the lock, for those who wait too long."""
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, f"{os.getpid():>10} {time.time():>16.1f}\n".encode(), 0)


def _release(descriptor: int) -> None:
    if descriptor == NO_LOCK:
        return
    try:
        # not by closing alone: a process forked meanwhile has a copy of the descriptor
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
