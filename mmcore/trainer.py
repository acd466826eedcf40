"""The training loop: phases as data, one loop, results yielded to whoever shows or stores them.

Called by `services/training.py`; the network it trains is in `fusion.py`. It stores nothing but
its checkpoint, prints nothing and may be closed after any result.

Resuming is exact: the order of products, dropout and modality dropout are drawn from streams
named by (phase, epoch, step), so the position is all the random state there is. On the CPU an
interrupted and resumed run ends bitwise equal to an uninterrupted one.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcore.batches import Batch, BatchReader
from mmcore.checkpoint import Checkpoint, CheckpointFile, TrainState, contradiction
from mmcore.config import PhaseConfig, RunConfig
from mmcore.errors import NonFiniteLossError, TrainingInterrupted
from mmcore.folding import FoldedNorms
from mmcore.fusion import MIN_BATCHNORM_ROWS, FusionClassifier
from mmcore.losses import drop_modalities, total_loss
from mmcore.optim import RunningStatistics, SavedStep, StepOutcome, Stepper
from mmcore.results import EpochResult, StepResult, history_row
from mmcore.seeds import stream, stream_seed
from mmcore.threads import on_one_core
from mmcore.used_words import only_used_words
from mmcore.validation import Validation, selection_score, validate
from mmcore.weights import backbone_names, unfit


@dataclass(frozen=True)
class TrainData:
    """Products to learn from and to stop by; the reader of a phase depends on its backbone."""

    train: Callable[[PhaseConfig], BatchReader]
    val: Callable[[PhaseConfig], BatchReader]


@dataclass(frozen=True)
class FitOptions:
    """Where and under whose eyes a run trains."""

    device: torch.device
    checkpoint: CheckpointFile | None = None
    should_stop: Callable[[], bool] = lambda: False
    # an epoch of a small catalogue takes less time than writing its checkpoint durably
    checkpoint_every_s: float = 10.0


def fit(
    model: FusionClassifier, data: TrainData, config: RunConfig, options: FitOptions
) -> Iterator[StepResult | EpochResult]:
    """Train the model in place, yielding every step and epoch; ends with the best weights in it.

    Goes on from the checkpoint where there is one. A checkpoint is written after each epoch (but
    not more often than every `checkpoint_every_s` seconds), after each phase and before stopping.
    Between results the text towers hold the vectors of the words in use alone (`used_words.py`).

    Raises:
        NonFiniteLossError: after `max_bad_steps` steps in a row without a finite loss, or where
            no epoch of the first phase had a finite val loss.
        TrainingInterrupted: when `should_stop` says so; the checkpoint is written before.
        CheckpointError: if a checkpoint can't be written, is damaged or belongs to another run.
    """
    readers = [of(config.phases[0]) for of in (data.train, data.val)]
    with only_used_words(model, [reader.products.inputs for reader in readers]):
        run = _Run(model, data, config, options)
        run.resume()
        while run.state.phase < len(config.phases):
            yield from run.train_phase()
        run.load(run.best)


def _is_small(phase: PhaseConfig, device: torch.device) -> bool:
    """Return whether what a phase trains is computed quickest on one core.

    Without the backbone ten epochs of 2,000 products took 6.6 s on one core and 11.5 s on two.
    """
    return device.type == "cpu" and not phase.train_backbone


class _Run:
    """The parts of one run and its verbs; `fit` is the only caller."""

    def __init__(
        self, model: FusionClassifier, data: TrainData, config: RunConfig, options: FitOptions
    ) -> None:
        self.model = model.to(options.device, memory_format=torch.channels_last)
        self.data = data
        self.config = config
        self.options = options
        self.state = TrainState()
        self.best: dict[str, Tensor] = {}
        self.saved_at = time.monotonic()
        self.stepper: Stepper | None = None
        self.folded: FoldedNorms | None = None  # of a backbone trained with still statistics
        self.saved_step: SavedStep | None = None  # of a checkpoint, until its phase goes on

    # -- the loop ------------------------------------------------------------------------------

    def train_phase(self) -> Iterator[StepResult | EpochResult]:
        """Train the phase the state points to, from where it stands, to its end."""
        phase = self.config.phases[self.state.phase]
        if phase.epochs:
            self.model.set_backbone_trainable(phase.train_backbone)
            if self.best and not (self.state.epoch or self.state.step):
                # the model holds the best weights now; from here on the backbone is part of them
                self.best = self._weights()
            reader = self.data.train(phase)
            self._begin_steps(phase)
            with on_one_core(_is_small(phase, self.options.device)):
                while self.state.epoch < phase.epochs and self.state.stale_epochs < phase.patience:
                    yield from self._train_epoch(phase, reader)
            self._require_best(phase)
            self.load(self.best)
        self.stepper = None
        self.state.phase += 1
        self.state.epoch = self.state.step = self.state.stale_epochs = 0
        self._save()

    def _train_epoch(
        self, phase: PhaseConfig, reader: BatchReader
    ) -> Iterator[StepResult | EpochResult]:
        started = time.perf_counter()
        batches = self._shuffled(reader)
        # validation has switched to the other mode; walking all modules is too dear for each step
        self.model.set_training_mode(phase.train_backbone, phase.update_batchnorm)
        statistics = RunningStatistics(self.model)
        for batch in reader.stream(batches[self.state.step :]):
            self._stop_if_asked()
            statistics.remember()
            loss, outcome = self._train_step(phase, batch, len(batches))
            if outcome is not StepOutcome.TAKEN:
                statistics.restore()
            self._count(loss, outcome)
            yield self._step_result(phase, loss, len(batches))
        result = self._end_epoch(phase, started)
        if time.monotonic() - self.saved_at >= self.options.checkpoint_every_s:
            self._save()
        yield result

    def _train_step(
        self, phase: PhaseConfig, batch: Batch, num_steps: int
    ) -> tuple[float, StepOutcome]:
        state = self.state
        position = (state.phase, state.epoch, state.step)
        _seed(self.options.device, stream_seed(self.config.seed, "dropout", *position))
        draw = stream(self.config.seed, "modality dropout", *position)
        kept = drop_modalities(batch.present, self.config.model.modality_dropout, draw)
        progress = (state.epoch * num_steps + state.step) / (phase.epochs * num_steps)
        folded = self.folded.active() if self.folded else nullcontext()
        with self.stepper.autocast(), folded:
            logits = self.model(batch.inputs, batch.present, kept)
            loss = total_loss(logits, batch, self.config.model.head_weight)
        outcome = self.stepper.step(loss, progress)
        return float(loss.detach()), outcome

    def _count(self, loss: float, outcome: StepOutcome) -> None:
        state = self.state
        state.step += 1
        if outcome is StepOutcome.TAKEN:
            state.loss_sum += loss
            state.loss_steps += 1
            state.bad_steps_in_row = 0
            return
        state.skipped_steps += 1
        if outcome is StepOutcome.RESCALED:
            return  # fp16 finds its scale by overflowing: several times in a row at the start
        state.bad_steps_in_row += 1
        if state.bad_steps_in_row >= self.config.max_bad_steps:
            raise NonFiniteLossError(
                f"the loss was {loss} or its gradient not finite {state.bad_steps_in_row} steps "
                f"in a row (limit {self.config.max_bad_steps}) in phase {state.phase + 1}, epoch "
                f"{state.epoch + 1}; lower the learning rate of that phase or check the input"
            )

    def _end_epoch(self, phase: PhaseConfig, started: float) -> EpochResult:
        state = self.state
        reader, weight = self.data.val(phase), self.config.model.head_weight
        found = validate(self.model, reader, weight, self._stop_if_asked)
        is_best = self._is_best(found)
        if is_best:
            state.best_at = (state.phase, state.epoch)
            self.best = self._weights()
        state.stale_epochs = 0 if is_best else state.stale_epochs + 1
        result = EpochResult(
            phase=state.phase + 1,
            phase_name=phase.name,
            epoch=state.epoch + 1,
            num_epochs=phase.epochs,
            train_loss=state.loss_sum / state.loss_steps if state.loss_steps else math.nan,
            val_loss=found.loss,
            val_macro_f1=found.macro_f1,
            is_best=is_best,
            skipped_steps=state.skipped_steps,
            seconds=time.perf_counter() - started,
        )
        state.history.append(history_row(result))
        state.epoch += 1
        state.step, state.loss_sum, state.loss_steps = 0, 0.0, 0
        return result

    def _is_best(self, found: Validation) -> bool:
        """Return whether this epoch is the best yet, and if so keep its score."""
        state = self.state
        if not found.macro_f1:
            return True  # without val products the last weights are kept, in every phase
        if not found.is_usable:
            return False
        score = selection_score(found.macro_f1, self.config)
        if self.best and (score, -found.loss) <= (state.best_score, -state.best_loss):
            return False
        state.best_score, state.best_loss = score, found.loss
        return True

    def _require_best(self, phase: PhaseConfig) -> None:
        if not self.best:
            raise NonFiniteLossError(
                f"the val loss was not finite after any of the {self.state.epoch} epochs of phase "
                f"{self.state.phase + 1} ({phase.name}), so no weights are worth keeping; lower "
                "the learning rate of that phase or check the input, and train anew"
            )

    # -- small parts ---------------------------------------------------------------------------

    def _begin_steps(self, phase: PhaseConfig) -> None:
        """Make the phase's optimiser; after resuming it goes on where it was."""
        self.stepper = Stepper(self.model, phase, self.config)
        tower = self.model.image_tower
        is_still = tower is not None and phase.train_backbone and not phase.update_batchnorm
        self.folded = FoldedNorms(tower.backbone) if is_still else None
        try:
            self.stepper.restore(self.saved_step)
        except ValueError as error:
            raise self.options.checkpoint.unusable(str(error)) from error
        self.saved_step = None

    def _shuffled(self, reader: BatchReader) -> list[np.ndarray]:
        name = ("shuffle", self.state.phase, self.state.epoch)
        order = stream(self.config.seed, *name).permutation(len(reader.products))
        size = self.config.batch_size
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        # one product alone has no deviation for BatchNorm; it comes in another epoch's batch
        return [rows for rows in batches if len(rows) >= MIN_BATCHNORM_ROWS]

    def _step_result(self, phase: PhaseConfig, loss: float, num_steps: int) -> StepResult:
        return StepResult(
            phase=self.state.phase + 1,
            num_phases=sum(1 for p in self.config.phases if p.epochs),
            phase_name=phase.name,
            epoch=self.state.epoch + 1,
            num_epochs=phase.epochs,
            step=self.state.step,
            num_steps=num_steps,
            loss=loss,
            skipped_steps=self.state.skipped_steps,
        )

    def _stop_if_asked(self) -> None:
        if not self.options.should_stop():
            return
        self._save()
        where = f"phase {self.state.phase + 1}, epoch {self.state.epoch + 1}"
        kept = "its checkpoint is kept" if self.options.checkpoint else "nothing was kept"
        raise TrainingInterrupted(f"training was stopped in {where}; {kept}")

    # -- state ---------------------------------------------------------------------------------

    def _weights(self) -> dict[str, Tensor]:
        """Return copies of all tensors that a phase up to now may have changed."""
        state = self.model.state_dict()
        return {key: state[key].detach().to("cpu", copy=True) for key in self._moved_names()}

    def _moved_names(self) -> list[str]:
        """Return the names of all tensors but those of a backbone that no phase has trained."""
        phases = self.config.phases[: self.state.phase + 1]
        has_moved = any(p.train_backbone and p.epochs for p in phases)
        frozen = frozenset() if has_moved else backbone_names(self.model)
        return [key for key in self.model.state_dict() if key not in frozen]

    def load(self, weights: dict[str, Tensor]) -> None:
        """Put weights into the model; a frozen backbone's are there already."""
        self.model.load_state_dict(weights, strict=False)

    def _save(self) -> None:
        if self.options.checkpoint is None:
            return
        tensors, scaler = self.stepper.state() if self.stepper else ({}, {})
        self.options.checkpoint.save(
            Checkpoint(self.state, self._weights(), self.best, tensors, scaler)
        )
        self.saved_at = time.monotonic()

    def resume(self) -> None:
        """Take over model, optimiser and position from the checkpoint, where there is one."""
        found = self.options.checkpoint.load() if self.options.checkpoint else None
        if found is None:
            return
        self.state, self.best = found.state, found.best
        num_phases = len(self.config.phases)
        problem = contradiction(found, num_phases) or unfit(found, self.model, self._moved_names())
        if problem:
            raise self.options.checkpoint.unusable(problem)
        self.load(found.model)
        if found.optimizer or found.scaler:
            self.saved_step = SavedStep(found.optimizer, found.scaler)


def _seed(device: torch.device, seed: int) -> None:
    """Seed what is drawn on a device, and on the CPU.

    `torch.manual_seed` would also leave a note for each GPU that was never used, with a trace of
    the stack that takes longer than the seeding.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        getattr(torch, device.type).manual_seed(seed)
