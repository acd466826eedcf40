"""What a page shows of a running retrain: where it stands, how good it is, how long it may take.

Everything is derived from what the training yields and from the time at which it came.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmcore.services.job_pace import Pace, StageProgress

if TYPE_CHECKING:
    from mmcore.services.training import Started
    from mmcore.trainer import EpochResult, StepResult

STAGES = (
    "starting",
    "reading photos",
    "training",
    "training on folds",
    "fitting linear heads",
    "judging",
    "comparing",
    "checking labels",
)


class RetrainProgress(StageProgress):
    """Turns the events of a training into one flat dictionary for the job's row."""

    def __init__(self, now: float, history: Sequence[dict] = ()) -> None:
        """Begin an attempt.

        Args:
            history: the epochs of the attempts before, as they stand in the job's row.
        """
        self._val_pace = Pace(now)
        super().__init__(STAGES, now)
        self.fields["history"] = list(history)

    def enter(self, stage: str, now: float) -> bool:
        """Return whether the stage is a new one."""
        if not super().enter(stage, now):
            return False
        self._val_pace = Pace(now)
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

    def step(self, event: "StepResult", now: float) -> None:
        """Take in one step; the estimate reaches to the end of its phase."""
        is_new = self.enter("training", now)
        if is_new or event.phase != self.fields.get("phase"):
            self._pace, self._val_pace = Pace(now), Pace(now)
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
