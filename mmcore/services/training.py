"""One training run, from the catalogue to a saved model folder.

Read after `app.py`; the loop it drives is in `trainer.py`. `train` yields what happens and stops
where its caller stops asking: the command line draws the results, a job stores them.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcore.catalog.products import Catalogue
from mmcore.catalog.snapshot import keep_snapshot, load_snapshot, snapshot_path
from mmcore.config import RunChoices, RunConfig, build_run_config
from mmcore.errors import TrainingDataError, TrainingInterrupted
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.fine_tuning import gain_note
from mmcore.services.finished import finish, finished_before
from mmcore.services.planning import plan
from mmcore.services.run_lock import held
from mmcore.services.runs import Run, begin_run, check_name, find_run
from mmcore.services.stopping import stop_if_asked
from mmcore.settings import Settings
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from mmcore.checkpoint import TrainState
    from mmcore.services.judging import Judged


@dataclass(frozen=True)
class Started:
    """A run that is about to train."""

    name: str
    config: RunConfig
    device: str
    num_train: int
    num_val: int
    num_test: int
    num_classes: int
    notes: tuple[str, ...]


Event = (
    "Started | FeatureResult | StepResult | EpochResult | FoldResult | LinearResult | Judging"
    " | Finished"
)


def train(
    workspace: Workspace,
    settings: Settings,
    choices: RunChoices,
    name: str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train a new model on the workspace's catalogue, yielding progress, a `Finished` last.

    Raises:
        MmcoreError: of the kind that fits; a run that had begun can be resumed.
    """
    # what can't be is told before anything is loaded
    build_run_config(choices)
    if name is not None:
        check_name(workspace, name)
    catalogue = read_catalogue(workspace, settings)
    config, notes = plan(workspace, catalogue, choices, settings)
    training = _Training(workspace, settings, catalogue, config)
    snapshot = keep_snapshot(catalogue, workspace.create().snapshots)
    run = begin_run(workspace, name, config, snapshot)
    with held(run):
        yield from training.events(run, notes, should_stop)


def resume(
    workspace: Workspace,
    settings: Settings,
    name: str,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Go on with a run that was stopped or killed, from its last checkpoint.

    It learns from the labels it began with, whatever was labelled since.

    Raises:
        WorkspaceError: if there is no such run, or it is going on elsewhere.
    """
    run = find_run(workspace, name)
    with held(run):
        finished = finished_before(run)
        if finished is None:
            yield from go_on(workspace, settings, run, (), should_stop)
            return
        run.remove()
        yield finished


def go_on(
    workspace: Workspace,
    settings: Settings,
    run: Run,
    notes: tuple[str, ...],
    should_stop: Callable[[], bool],
) -> Iterator[Event]:
    """Train a recorded run from where it stands to its end, yielding as `train` does.

    Raises:
        MmcoreError: of the kind that fits.
    """
    catalogue = load_snapshot(snapshot_path(workspace.snapshots, run.snapshot), run.snapshot)
    training = _Training(workspace, settings, catalogue, run.config)
    yield from training.events(run, notes, should_stop)


class _Training:
    """One run from its parts to its end; `train` and `go_on` are the only callers."""

    def __init__(
        self, workspace: Workspace, settings: Settings, catalogue: Catalogue, config: RunConfig
    ) -> None:
        from mmcore.services.assembly import assemble

        self.parts = assemble(workspace, settings, catalogue, config)

    def events(
        self, run: Run, notes: tuple[str, ...], should_stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """Yield the whole run, from `Started` to `Finished`."""
        began = time.perf_counter()
        yield self._started(run, notes)
        try:
            yield from self.parts.read_photos(should_stop)
            state = yield from self._fit(run, should_stop)
            judged = yield from self._judge(run, state.best_at[0], should_stop)
            gained = gain_note(state.history, self.parts.config)
            notes = (*notes, *self.parts.images.notes(), *gained, *judged.notes)
            seconds = round(time.perf_counter() - began, 1)
            story = {"history": state.history, "notes": list(notes), "seconds": seconds}
            stop_if_asked(should_stop, "before its model was saved")
            finished = finish(run, self.parts, judged, story)
            run.remove()  # before the last yield: a caller may stop there
            yield finished
        except TrainingInterrupted as error:
            error.run = run.name
            raise
        except TrainingDataError:
            run.remove()  # nothing is learnt yet, and resumed it would end here again
            raise
        finally:
            self.parts.images.close()

    def _started(self, run: Run, notes: tuple[str, ...]) -> Started:
        counts = [len(self.parts.products[split]) for split in ("train", "val", "test")]
        parts = self.parts
        return Started(run.name, parts.config, parts.device.type, *counts, len(parts.codes), notes)

    def _fit(
        self, run: Run, should_stop: Callable[[], bool]
    ) -> "Generator[Event, None, TrainState]":
        """Train the network, from its checkpoint where there is one; returns where it ended."""
        from mmcore.checkpoint import CheckpointFile
        from mmcore.trainer import FitOptions, fit

        checkpoint = CheckpointFile(run.checkpoint_path, run.checkpoint_hash)
        options = FitOptions(self.parts.device, checkpoint, should_stop)
        yield from fit(self.parts.model, self.parts.train_data(), self.parts.config, options)
        return checkpoint.load().state

    def _judge(
        self, run: Run, best_phase: int, should_stop: Callable[[], bool]
    ) -> "Generator[Event, None, Judged]":
        """Fit the linear heads beside the trained network, then weigh and judge all of them.

        Args:
            best_phase: the phase, from 0, whose weights the network ended with.
        """
        from mmcore.services.fold_networks import refit
        from mmcore.services.judging import judge
        from mmcore.services.linear_heads import fit_linear_heads

        held_out = None
        if self.parts.config.refit and not self.parts.inherited.combiner:
            held_out = yield from refit(self.parts, run, should_stop)
        linear = yield from fit_linear_heads(self.parts, best_phase, should_stop)
        return (yield from judge(self.parts, linear, held_out, should_stop))
