"""Where a job stands, stage by stage, and how long the stage may take."""

from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Any

_REMEMBERED = 25  # newest durations that the estimate uses


class Pace:
    """Seconds a unit: the median of the newest, so that one slow step doesn't frighten anyone."""

    def __init__(self, now: float) -> None:
        self._last_at = now
        self._newest: deque[float] = deque(maxlen=_REMEMBERED)

    def restart(self, now: float) -> None:
        """Count from now on; what was between belongs to something else."""
        self._last_at = now

    def tick(self, now: float, units: int = 1) -> None:
        """Count units done by now."""
        if units > 0:
            self._newest.append(max(0.0, now - self._last_at) / units)
            self._last_at = now

    def seconds(self, units: int) -> float | None:
        """Return how long so many units will take, None before the first one is known."""
        return median(self._newest) * units if self._newest else None


class StageProgress:
    """Turns what a job does into one flat dictionary for its row."""

    def __init__(self, stages: Sequence[str], now: float) -> None:
        """Begin with the first of the stages."""
        self.fields: dict[str, Any] = {}
        self._stages = tuple(stages)
        self._pace, self._done = Pace(now), 0
        self.enter(self._stages[0], now)

    def enter(self, stage: str, now: float) -> bool:
        """Return whether the stage is a new one."""
        if self.fields.get("stage") == stage:
            return False
        self._pace, self._done = Pace(now), 0
        number = self._stages.index(stage) + 1
        self.fields |= {"stage": stage, "stage_number": number, "num_stages": len(self._stages)}
        self.fields |= {"done": None, "total": None, "eta_s": None}
        return True

    def counted(self, stage: str, done: int, total: int, now: float) -> None:
        """Take in how far a stage has come, in its own unit."""
        if self.enter(stage, now):
            self._pace.restart(now)
        else:
            self._pace.tick(now, done - self._done)
        self._done = done
        self.fields |= {"done": done, "total": total}
        self._estimate(self._pace.seconds(total - done))

    def _estimate(self, *seconds: float | None) -> None:
        known = [part for part in seconds if part is not None]
        self.fields["eta_s"] = round(sum(known), 1) if known else None
