"""What a training run yields while it goes on."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class StepResult:
    """One optimiser step."""

    phase: int  # from 1
    num_phases: int
    phase_name: str
    epoch: int  # from 1
    num_epochs: int
    step: int  # from 1
    num_steps: int
    loss: float
    skipped_steps: int


@dataclass(frozen=True)
class EpochResult:
    """One pass over the train products, and what val says after it."""

    phase: int  # from 1
    phase_name: str
    epoch: int  # from 1
    num_epochs: int
    train_loss: float  # mean over the steps taken, NaN where none was
    val_loss: float | None  # None where there are no val products
    val_macro_f1: dict[str, float]  # view -> score; empty where there are no val products
    is_best: bool
    skipped_steps: int
    seconds: float


def history_row(result: EpochResult) -> dict:
    """Return an epoch as plain JSON values, which know no NaN."""
    row = {**vars(result), "seconds": round(result.seconds, 3)}
    is_number = {k: not isinstance(v, float) or math.isfinite(v) for k, v in row.items()}
    return {k: v if is_number[k] else None for k, v in row.items()}
