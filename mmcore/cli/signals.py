"""Ctrl-C and SIGTERM: every command ends cleanly, a training after its checkpoint.

Both raise Interrupted, so that half-written files are removed on the way out; a training
is asked to stop instead.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_received: set[int] = set()  # by the command that runs


class Interrupted(KeyboardInterrupt):
    """The command was asked to end.

    A class of its own: where KeyboardInterrupt itself passes through `exec`, CPython kills the
    process by SIGINT at its exit, whatever exit code was given.
    """


def received(number: int | None = None) -> bool:
    """Return whether the running command was asked to end, by a certain signal or by any."""
    return number in _received if number is not None else bool(_received)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and a closing terminal do what Ctrl-C does."""
    _received.clear()

    def handle(number: int, frame: object) -> None:
        _received.add(number)
        raise Interrupted

    with _handled(_ENDING, handle):
        yield


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first signal into a request; yields the function that tells of it.

    A second Ctrl-C interrupts at once.
    """
    asked = threading.Event()

    def handle(number: int, frame: object) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise Interrupted
        _received.add(number)
        asked.set()

    with _handled(_ENDING, handle):
        yield asked.is_set


@contextmanager
def _handled(numbers: tuple[int, ...], handle: Callable[[int, object], None]) -> Iterator[None]:
    """Have signals handled, but for those that whoever started us wants ignored (nohup, &)."""
    before = {number: signal.getsignal(number) for number in numbers}
    heard = [number for number, old in before.items() if old not in (signal.SIG_IGN, None)]
    if threading.current_thread() is not threading.main_thread():
        heard = []  # Python delivers signals to the main thread alone
    for number in heard:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
