"""One training run, from the catalogue to a saved model folder.

Read after `app.py`; the loop it drives is in `trainer.py`. `train` yields what happens and stops
where its caller stops asking: the command line draws the results, a job stores them.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mmcore.catalog.products import Catalogue
from mmcore.catalog.snapshot import keep_snapshot, load_snapshot, snapshot_path
from mmcore.config import RunChoices, RunConfig, build_run_config
from mmcore.errors import TrainingDataError, TrainingInterrupted
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.finished import Finished, finished_before
from mmcore.services.run_lock import held
from mmcore.services.runs import Run, begin_run, check_name, find_run
from mmcore.services.training_data import fit_modalities, select
from mmcore.settings import Settings
from mmcore.workspace import Workspace


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


@dataclass(frozen=True)
class Judging:
    """How far the trained network has been judged."""

    split: str
    done: int
    total: int


Event = "Started | FeatureResult | StepResult | EpochResult | Judging | Finished"


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
    build_run_config(choices, on_gpu=True)
    if name is not None:
        check_name(workspace, name)
    build_run_config(choices, on_gpu=_is_gpu(settings))  # on a CPU phase 2 is by request
    catalogue = read_catalogue(workspace, settings)
    config, notes = plan(catalogue, choices, settings)
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


def plan(
    catalogue: Catalogue, choices: RunChoices, settings: Settings
) -> tuple[RunConfig, tuple[str, ...]]:
    """Return the full configuration for a person's choices, and notes on what it leaves out.

    Raises:
        MmcoreError: if a choice, or the catalogue, doesn't allow a training.
    """
    selection = select(catalogue)
    modalities, notes = fit_modalities(choices.modalities, selection.train)
    choices = replace(choices, modalities=modalities)
    config = build_run_config(choices, on_gpu=_is_gpu(settings))
    return config, (*selection.notes, *notes, *_plan_notes(config, choices))


def _is_gpu(settings: Settings) -> bool:
    from mmcore.build import resolve_device

    return resolve_device(settings.device).type != "cpu"


def _plan_notes(config: RunConfig, choices: RunChoices) -> list[str]:
    tuned = [p for p in config.phases if p.train_backbone]
    if tuned and not any(p.epochs for p in tuned) and choices.epochs2 is None:
        return [
            "phase 2 (fine-tuning of the backbone) is skipped: on a CPU it takes minutes an epoch; "
            "ask for it with --epochs2 N"
        ]
    return []


def stop_if_asked(should_stop: Callable[[], bool], where: str) -> None:
    """Return if a run may go on.

    Raises:
        TrainingInterrupted: if not; its last checkpoint is kept.
    """
    if should_stop():
        raise TrainingInterrupted(f"training was stopped {where}; its checkpoint is kept")


@dataclass(frozen=True)
class _Watch:
    """Since when a run goes on here, and who may stop it."""

    started: float
    should_stop: Callable[[], bool]


class _Training:
    """One run's network, products and readers; `train` and `resume` are the only callers."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        catalogue: Catalogue,
        config: RunConfig,
    ) -> None:
        from mmcore.batches import encode_products
        from mmcore.build import build_model, resolve_device
        from mmcore.encoders import fit_encoder, with_ngrams
        from mmcore.services.images import ImageInput, starting_backbone

        self.source, self.config = catalogue.source, config
        self.selection = selection = select(catalogue)
        self.device = resolve_device(settings.device)
        self.codes = [c.code for c in selection.classes]
        self.encoders = {
            m.name: fit_encoder(m, selection.train)
            for m in config.model.modalities
            if m.kind != "image"
        }
        if config.model.linear_heads:
            self.encoders |= with_ngrams(self.encoders, selection.learnt)
        self.linear = None
        backbone = starting_backbone(config, workspace.weights, settings)
        self.images = ImageInput(workspace, settings, config, backbone)
        self.products = {
            split: encode_products(frame, config.model, self.encoders, self.codes)
            for split, frame in (
                ("train", selection.train),
                ("val", selection.val),
                ("test", selection.test),
            )
        }
        self.model = build_model(
            config.model, self.encoders, len(self.codes), backbone, config.seed
        )

    def events(
        self, run: Run, notes: tuple[str, ...], should_stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """Yield the whole run, from `Started` to `Finished`."""
        from mmcore.checkpoint import CheckpointFile
        from mmcore.trainer import FitOptions, TrainData, fit

        started = time.perf_counter()
        yield self._started(run, notes)
        try:
            photos = [key for part in self.products.values() for key in part.photos]
            yield from self.images.prepare(photos, should_stop)
            self.images.require_readable(self.products["train"])
            data = TrainData(
                train=lambda phase: self.images.reader(self.products["train"], phase),
                val=lambda phase: self.images.reader(self.products["val"], phase),
            )
            checkpoint = CheckpointFile(run.checkpoint_path, run.checkpoint_hash)
            options = FitOptions(self.device, checkpoint, should_stop)
            yield from fit(self.model, data, self.config, options)
            state = checkpoint.load().state
            yield from self._fit_linear_heads(state.best_at[0], should_stop)
            watch = _Watch(started, should_stop)
            finished = yield from self._finish(run, notes, state.history, watch)
            run.remove()  # before the last yield: a caller may stop there
            yield finished
        except TrainingInterrupted as error:
            error.run = run.name
            raise
        except TrainingDataError:
            run.remove()  # nothing is learnt yet, and resumed it would end here again
            raise
        finally:
            self.images.close()

    def _fit_linear_heads(
        self, best_phase: int, should_stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """Fit the linear heads beside the trained network, where the configuration has them."""
        import numpy as np

        from mmcore.batches import concatenate
        from mmcore.services.linear_heads import LinearData, LinearHeads

        if not self.config.model.linear_heads:
            return
        learnt = concatenate([self.products["train"], self.products["val"]])
        dense = {
            m.name: (learnt.inputs[m.name], learnt.present[m.name])
            for m in self.config.model.modalities
            if m.kind == "tabular"
        }
        phases = self.config.phases[: best_phase + 1]
        if self.images.backbone and not any(p.train_backbone and p.epochs for p in phases):
            # features of a backbone tuned on train would flatter themselves there
            dense[self.config.model.image_name] = self.images.features(learnt)
        sides = [len(self.products["train"]), len(self.products["val"])]
        groups = list(self.selection.learnt["group_id"])
        data = LinearData(learnt, np.repeat([False, True], sides), groups, dense)
        self.linear = LinearHeads(data, len(self.codes), self.config.seed)
        yield from self.linear.fit(lambda: stop_if_asked(should_stop, "while it fitted heads"))
        self.linear.put_into(self.model, self.device)

    def _started(self, run: Run, notes: tuple[str, ...]) -> Started:
        counts = {split: len(part) for split, part in self.products.items()}
        return Started(
            run.name,
            self.config,
            self.device.type,
            counts["train"],
            counts["val"],
            counts["test"],
            len(self.codes),
            notes,
        )

    def _finish(
        self, run: Run, notes: tuple[str, ...], history: list[dict], watch: "_Watch"
    ) -> Generator[Judging, None, Finished]:
        from mmcore import __version__
        from mmcore.artifact import Artifact, save_artifact
        from mmcore.manifest import Manifest

        combiner, metrics, predictions = yield from self._judge(watch.should_stop)
        notes = (*notes, *self.images.notes())
        seconds = round(time.perf_counter() - watch.started, 1)
        metrics |= {"history": history, "notes": list(notes), "seconds": seconds}
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        is_drawn = self.source == "drawn"
        manifest = Manifest(run.name, now, run.snapshot, __version__, None, is_drawn)
        artifact = Artifact(
            manifest,
            self.config,
            self.model,
            self.encoders,
            self.selection.classes,
            combiner,
            metrics,
        )
        stop_if_asked(watch.should_stop, "before its model was saved")
        save_artifact(run.model_folder, artifact, predictions)
        decided = {"+".join(p): rule.decided for p, rule in combiner.rules.items()}
        return Finished(run.name, run.model_folder, metrics["scores"], decided, notes, seconds)

    def _judge(self, should_stop: Callable[[], bool]):
        """Return the fitted combiner, the metrics and the prediction rows of val and test.

        Yields how far it is.
        """
        import pandas as pd

        from mmcore.reports import class_details, predictions_table, scores_by_view
        from mmcore.views import views

        decisions = {}
        for split in ("val", "test"):
            decisions[split] = yield from self._deciding(split, should_stop)
        if self.linear:
            # the heads have learnt from val, too: let the folds that did not speak for them
            heads = {**decisions["val"].heads, **self.linear.of_val()}
            decisions["val"] = replace(decisions["val"], heads=heads)
        combiner = self._combiner(decisions["val"])
        scores, details, tables = {}, {}, []
        for split, found in decisions.items():
            split_views = views(found, combiner)
            scores[split] = scores_by_view(split_views, found.products.labels)
            details[split] = class_details(split_views, found.products.labels, self.codes)
            tables.append(predictions_table(found, split_views, self.codes, split))
        return combiner, {"scores": scores, "classes": details}, pd.concat(tables)

    def _deciding(self, split: str, should_stop: Callable[[], bool]):
        """Return the decisions on a split, yielding how far they are."""
        from mmcore.batches import InterruptibleReader
        from mmcore.views import deciding

        reader = self.images.final_reader(self.products[split])
        where = f"while it was judged on {split}"
        watched = InterruptibleReader(reader, lambda: stop_if_asked(should_stop, where))
        steps = deciding(self.model, watched)
        while True:
            try:
                yield Judging(split, next(steps), len(self.products[split]))
            except StopIteration as end:
                return end.value

    def _combiner(self, val):
        import numpy as np

        from mmcore.combiner import equal_shares, uncalibrated
        from mmcore.views import FoldDecisions, fit_combiner

        names = self.model.names
        if not self.config.use_combiner:
            return uncalibrated(names, "the feature fusion as it is (preset seed)")
        learnt = self.products["train"].labels
        is_known = np.isin(np.arange(len(self.codes)), learnt)
        why = "equal shares: too few val products to weigh by"
        fallback = equal_shares(names, why, self.model.linear.keys())
        spoken = self.linear.of_folds() if self.linear else FoldDecisions(np.zeros(0, int), {})
        return fit_combiner(val, is_known, fallback, spoken)
