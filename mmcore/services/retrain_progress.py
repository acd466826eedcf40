"""What a page shows of a running retrain: where it stands, how good it is, how long it may take.

Everything is derived from what the training yields and from the time at which it came.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmcore.services.training import Started
    from mmcore.trainer import EpochResult, StepResult

STAGES = (
    "starting",
    "reading photos",
    "training",
    "fitting linear heads",
    "judging",
    "comparing",
)
_REMEMBERED = 25  # newest durations that the estimate uses


class _Pace:
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


class RetrainProgress:
    """Turns the events of a training into one flat dictionary for the job's row."""

    def __init__(self, now: float, history: Sequence[dict] = ()) -> None:
        """Begin an attempt.

        Args:
            history: the epochs of the attempts before, as they stand in the job's row.
        """
        self.fields: dict[str, Any] = {"history": list(history)}
        self._pace, self._val_pace = _Pace(now), _Pace(now)
        self._done = 0
        self.enter("starting", now)

    def enter(self, stage: str, now: float) -> bool:
        """Return whether the stage is a new one."""
        if self.fields.get("stage") == stage:
            return False
        self._pace, self._val_pace, self._done = _Pace(now), _Pace(now), 0
        number = STAGES.index(stage) + 1
        self.fields |= {"stage": stage, "stage_number": number, "num_stages": len(STAGES)}
        self.fields |= {"done": None, "total": None, "eta_s": None}
        return True

    def started(self, event: "Started") -> None:
        """Take in what is going to be trained."""
        self.fields |= {
            "device": event.device,
            "num_train": event.num_train,
            "num_val": event.num_val,
            "num_test": event.num_test,
            "num_classes": event.num_classes,
            "num_phases": sum(1 for phase in event.config.phases if phase.epochs),
        }

    def counted(self, stage: str, done: int, total: int, now: float) -> None:
        """Take in how far reading photos or comparing has come."""
        if self.enter(stage, now):
            self._pace.restart(now)
        else:
            self._pace.tick(now, done - self._done)
        self._done = done
        self.fields |= {"done": done, "total": total}
        self._estimate(self._pace.seconds(total - done))

    def step(self, event: "StepResult", now: float) -> None:
        """Take in one step; the estimate reaches to the end of its phase."""
        is_new = self.enter("training", now)
        if is_new or event.phase != self.fields.get("phase"):
            self._pace, self._val_pace = _Pace(now), _Pace(now)
        elif event.step > 1:
            self._pace.tick(now)
        self._pace.restart(now)
        self._val_pace.restart(now)
        self.fields |= {
            "phase": event.phase,
            "num_phases": event.num_phases,
            "phase_name": event.phase_name,
            "epoch": event.epoch,
            "num_epochs": event.num_epochs,
            "step": event.step,
            "num_steps": event.num_steps,
            "loss": round(event.loss, 4),
            "skipped_steps": event.skipped_steps,
        }
        epochs_left = event.num_epochs - event.epoch
        steps_left = event.num_steps - event.step + epochs_left * event.num_steps
        self._estimate(self._pace.seconds(steps_left), self._val_pace.seconds(epochs_left + 1))

    def epoch(self, event: "EpochResult", now: float) -> None:
        """Take in the end of an epoch; early stopping may end the phase before the estimate."""
        self._val_pace.tick(now)
        scores = {view: round(f1, 4) for view, f1 in event.val_macro_f1.items()}
        fused = scores.get("fused")
        known = [f1 for f1 in (fused, self.fields.get("best_macro_f1")) if f1 is not None]
        self.fields |= {
            "train_loss": round(event.train_loss, 4),
            "val_macro_f1": scores,
            "macro_f1": fused,
            "best_macro_f1": max(known, default=None),
        }
        self._remember(event, scores)
        epochs_left = event.num_epochs - event.epoch
        steps = self._pace.seconds(epochs_left * self.fields.get("num_steps", 0))
        self._estimate(steps, self._val_pace.seconds(epochs_left))

    def _remember(self, event: "EpochResult", scores: dict[str, float]) -> None:
        """Add the epoch to the curves; one that is trained again replaces what it became before."""
        place = (event.phase, event.epoch)
        before = [e for e in self.fields["history"] if (e["phase"], e["epoch"]) < place]
        point = {
            "phase": event.phase,
            "phase_name": event.phase_name,
            "epoch": event.epoch,
            "train_loss": round(event.train_loss, 4),
            "val_macro_f1": scores,
        }
        self.fields["history"] = [*before, point]

    def _estimate(self, *seconds: float | None) -> None:
        known = [part for part in seconds if part is not None]
        self.fields["eta_s"] = round(sum(known), 1) if known else None
