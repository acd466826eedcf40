"""One retrain job, from the labels as they are to a compared candidate.

Each step leaves something that the next attempt finds: the frozen labels, the photos' features, a
checkpoint, the saved model, the registered version. So an attempt that was killed costs the work
since its last checkpoint, never a second model. Production is not touched: a person activates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mmcore.catalog.products import Catalogue
from mmcore.errors import JobLostError, StaleWriteError, TrainingInterrupted
from mmcore.jobs.context import JobContext
from mmcore.manifest import read_json, read_manifest
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.job_runs import JobRuns, sweep
from mmcore.services.retrain_choices import choices_from_json
from mmcore.services.retrain_progress import RetrainProgress
from mmcore.services.runs import Run
from mmcore.store import models, new_labels
from mmcore.store.jobs import require_held
from mmcore.store.tables import ModelVersion


@dataclass(frozen=True)
class Parts:
    """What a retrain uses of other rooms.

    Attributes:
        load: returns the catalogue with its labels as they are now.
        register: makes a candidate of a model folder and returns its version's id.
        judge: predicts the whole catalogue, compares with production, writes the verdict.
    """

    load: Callable[[JobContext], Catalogue]
    register: Callable[..., int]
    judge: Callable[..., Any]


def usual_parts() -> Parts:
    """Return the parts that a worker runs with."""
    from mmcore.services.comparison import judge_candidate
    from mmcore.services.registry import register_candidate

    return Parts(usual_load, register_candidate, judge_candidate)


def usual_load(context: JobContext) -> Catalogue:
    """Return the catalogue of the store."""
    return load_catalogue(context.store)


def run_retrain(context: JobContext, parts: Parts | None = None) -> dict:
    """Return the result of a retrain job; going on from where an earlier attempt stopped.

    Raises:
        TrainingInterrupted: if the worker was asked to end; another attempt goes on.
        JobLostError: if another attempt has taken over.
        JobCancelledError: if a person cancelled; what was made for it is gone.
        MmcoreError: if it failed.
    """
    retrain = _Retrain(context, parts or usual_parts())
    try:
        return retrain.to_the_end()
    except (TrainingInterrupted, JobLostError):
        raise
    except Exception:
        retrain.clean_up()
        raise


class _Retrain:
    """One attempt; `run_retrain` is the only caller."""

    def __init__(self, context: JobContext, parts: Parts) -> None:
        self.context, self.parts = context, parts
        self.runs = JobRuns(context.workspace, context.job)
        history = context.job.progress.get("history", ())
        self.progress = RetrainProgress(context.clock(), history)
        self.result = dict(context.job.result)

    def to_the_end(self) -> dict:
        self.context.report(self.progress.fields, is_due=True)
        sweep(self.context.workspace, self.runs)
        version_id = self._registered()
        if version_id is None:
            if not self.runs.model_folder.exists():
                self.runs.publish(self.context.store, self.runs.staged_model() or self._train())
            version_id = self._register()
        self.runs.clear(self.context.store)
        self._judge(version_id)
        return {**self.result, "model": self.runs.name, "model_version_id": version_id}

    def clean_up(self) -> None:
        """Leave nothing of a job that failed or was cancelled but a candidate already made."""
        self.runs.clear(self.context.store)
        if self.runs.model_folder.exists() and self._registered() is None:
            self.runs.unpublish(self.context.store)

    # -- training ------------------------------------------------------------------------------

    def _train(self) -> Path:
        """Return the folder of the trained and saved, not yet shown, model."""
        from mmcore.services.finished import Finished
        from mmcore.services.training import go_on

        run, notes = self._run()
        for note in notes:
            self.context.log(f"note: {note}")
        events = go_on(
            self.context.workspace,
            self.context.settings,
            run,
            tuple(notes),
            self.context.should_stop,
        )
        for event in events:
            if isinstance(event, Finished):
                fused = event.scores.get("test", {}).get("fused") or {}
                self.context.log(
                    f"trained in {event.seconds:.0f} s; fused macro-F1 on test: "
                    f"{fused.get('macro_f1', float('nan')):.3f}"
                )
                return event.folder
            self._follow(event)
        raise AssertionError("a training run ends with Finished or an error")

    def _run(self) -> tuple[Run, list[str]]:
        """Return the run of an earlier attempt, or a new one on the labels as they are now."""
        run, notes = self.runs.take_over()
        if run is not None:
            self.context.log("going on where the attempt before stopped")
            return run, [*self.result.get("notes", ()), *notes]
        from mmcore.services.planning import plan_retrain

        facts = self._facts()  # before the labels: one that comes in between counts as new later
        catalogue = self.parts.load(self.context)
        choices = choices_from_json(self.context.job.choices)
        settings, workspace = self.context.settings, self.context.workspace
        config, more = plan_retrain(workspace, catalogue, choices, self._production(), settings)
        run = self.runs.begin(config, catalogue)
        kept = {"snapshot": run.snapshot, models.PARENT: config.parent, "notes": list(more)}
        self.result = {**facts, **kept}
        self.context.keep(self.result)
        return run, [*more, *notes]

    def _production(self) -> str | None:
        with self.context.store.reading() as session:
            version = models.find_production(session)
            return None if version is None else version.name

    def _facts(self) -> dict:
        with self.context.store.reading() as session:
            last = new_labels.last_annotation(session)
            counts = new_labels.count_new_labels(session, new_labels.learnt_up_to(session))
        return {new_labels.LAST_ANNOTATION: last, "num_new_labels": sum(counts.values())}

    def _follow(self, event: Any) -> None:
        from mmcore.features import FeatureResult
        from mmcore.services.fold_networks import FoldResult
        from mmcore.services.judging import Judging
        from mmcore.services.linear_heads import LinearResult
        from mmcore.services.training import Started
        from mmcore.trainer import EpochResult, StepResult

        now, progress, context = self.context.clock(), self.progress, self.context
        is_due = isinstance(event, Started | EpochResult)
        if isinstance(event, Started):
            progress.started(event)
            context.log(
                f"training {event.name} on {event.device}: {event.num_train} train, "
                f"{event.num_val} val, {event.num_test} test products, {event.num_classes} classes"
            )
        elif isinstance(event, FeatureResult):
            progress.counted("reading photos", event.done, event.total, now)
            is_due = event.done == event.total
        elif isinstance(event, StepResult):
            progress.step(event, now)
        elif isinstance(event, EpochResult):
            progress.epoch(event, now)
            context.log(_epoch_line(event))
        elif isinstance(event, FoldResult):
            progress.counted("training on folds", event.done, event.total, now)
        elif isinstance(event, LinearResult):
            progress.enter("fitting linear heads", now)
        elif isinstance(event, Judging):
            is_due = progress.enter("judging", now)
        context.report(progress.fields, is_due)

    # -- afterwards ----------------------------------------------------------------------------

    def _registered(self) -> int | None:
        """Return the version that an earlier attempt registered."""
        query = select(ModelVersion.id).where(ModelVersion.name == self.runs.name)
        with self.context.store.reading() as session:
            return session.scalar(query)

    def _register(self) -> int:
        manifest = read_manifest(self.runs.model_folder)
        metrics = read_json(self.runs.model_folder / "metrics.json")
        try:
            version_id = self.parts.register(
                self.context.store,
                name=self.runs.name,
                job_id=self.context.job.id,
                attempt=self.context.job.attempt,
                snapshot=manifest.snapshot,
                scores=metrics["scores"].get("test", {}),
                parent=manifest.parent,
                now=self.context.clock(),
            )
        except StaleWriteError as error:
            raise JobLostError(str(error)) from error
        self.context.log(f"registered as candidate {self.runs.name}")
        return version_id

    def _judge(self, version_id: int) -> None:
        context = self.context
        self.progress.enter("comparing", context.clock())
        context.report(self.progress.fields, is_due=True)

        from mmcore.services.watch import Watch

        def show(stage: str, done: int, total: int) -> None:
            self.progress.counted(stage, done, total, context.clock())
            context.report(self.progress.fields, is_due=done == total)

        watch = Watch(
            progress=lambda done, total: show("comparing", done, total),
            checking=lambda done, total: show("checking labels", done, total),
            should_stop=context.should_stop,
            guard=self._still_ours,
        )

        self.parts.judge(
            context.store,
            context.workspace,
            context.settings,
            version_id,
            context.clock(),
            watch,
        )
        if context.should_stop():
            raise TrainingInterrupted("stopped while comparing the candidate with production")

    def _still_ours(self, session: Session) -> None:
        require_held(session, self.context.job.claim)


def _epoch_line(event: Any) -> str:
    scores = "  ".join(f"{view} {f1:.3f}" for view, f1 in event.val_macro_f1.items())
    best = " (best)" if event.is_best else ""
    return (
        f"phase {event.phase} ({event.phase_name}) epoch {event.epoch}/{event.num_epochs}: "
        f"loss {event.train_loss:.3f}  val macro-F1: {scores}{best}  {event.seconds:.1f} s"
    )
