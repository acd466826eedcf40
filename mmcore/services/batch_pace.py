"""How fast a file is being predicted, and how long it will still take."""

from collections import deque
from dataclasses import dataclass

WINDOW_S = 30.0  # the pace of the last half minute: one slow piece frightens nobody


@dataclass(frozen=True)
class BatchProgress:
    """Where a prediction stands.

    Attributes:
        done: rows dealt with, of `total`.
        kept: those of them that an earlier run had dealt with.
        rate: products a second of late, None before it is known.
    """

    done: int
    total: int
    kept: int = 0
    rate: float | None = None

    @property
    def left_s(self) -> float | None:
        """Return the seconds that are left, None before they can be told."""
        return (self.total - self.done) / self.rate if self.rate else None


class Speed:
    """Products a second over the last WINDOW_S."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def at(self, now: float, done: int) -> float | None:
        """Take in how much is done; returns the speed, None at the first call.

        Args:
            now: seconds of a clock that never goes back.
        """
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[1][0] >= WINDOW_S:
            self._marks.popleft()
        began, first = self._marks[0]
        return (done - first) / (now - began) if done > first and now > began else None
