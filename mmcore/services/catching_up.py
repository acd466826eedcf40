"""Predictions that catch up by themselves: a job, submitted wherever the catalogue moved on.

After an import, an activation or rollback, and whatever changes labels of many products (a merge,
a bulk act, an undo of one), pages and commands call `follow_up`: production looks at products that
it hasn't seen, labels that nobody checked are checked, and the queue is brought in line. What is
due is read from the tables, so that a call that was never made is made up for by the next.
"""

from dataclasses import dataclass

from mmcore.jobs.backend import JobBackend
from mmcore.jobs.context import JobContext
from mmcore.services.job_pace import StageProgress
from mmcore.services.jobs import Submitted
from mmcore.services.people import Actor, require
from mmcore.services.predictions import bring_up_to_date, unpredicted
from mmcore.services.watch import Watch
from mmcore.store import jobs
from mmcore.store.engine import Store

PREDICT = "predict"
STAGES = ("starting", "predicting", "checking labels")


@dataclass(frozen=True)
class FollowUp:
    """The job that production catches up in, and what it will do.

    Attributes:
        is_new: False where one was active already; it looks once more before it ends.
        num_products: products that production has said nothing about yet.
        checks_labels: labels came or changed since labels were checked.
    """

    job_id: int
    is_new: bool
    num_products: int
    checks_labels: bool

    @property
    def sentence(self) -> str:
        """Return what is going on, for people."""
        if not self.num_products:
            return f"labels that changed are being checked (job {self.job_id})"
        num = self.num_products
        noun = "product" if num == 1 else "products"
        return f"predictions of {num:,} {noun} are being made for the queue (job {self.job_id})"


def submit_predictions(
    store: Store, actor: Actor, now: float, backend: JobBackend | None = None
) -> Submitted:
    """Return the active job that predicts, made where there was none.

    One that is running already looks once more before it ends: what came meanwhile isn't missed.

    Args:
        backend: sees to it that somebody runs the job; None leaves that to a worker that is
            running anyway.

    Raises:
        RefusedError: below the role of lead.
        WorkspaceError: if no worker can be started; the job waits.
    """
    require(actor, "lead")
    with store.writing() as session:
        job, is_new = jobs.submit_again(session, PREDICT, actor.id, now)
        done = Submitted(job.id, is_new)
    if backend is not None:
        backend.wake(now)
    return done


def follow_up(
    store: Store, actor: Actor, now: float, backend: JobBackend | None = None
) -> FollowUp | None:
    """Return the job in which production catches up; None where there is nothing to do.

    Where no model is in production there is nothing to do.

    Raises:
        RefusedError, WorkspaceError: as `submit_predictions`.
    """
    require(actor, "lead")
    due = unpredicted(store)
    if not due:
        return None
    done = submit_predictions(store, actor, now, backend)
    return FollowUp(done.job_id, done.is_new, due.num_products, due.is_check_due)


def run_predict(context: JobContext) -> dict:
    """Return the result of a job that predicts; what an earlier attempt stored is passed over.

    Raises:
        TrainingInterrupted: if the worker was asked to end; another attempt goes on.
        JobCancelledError, JobLostError: as `JobContext.should_stop`; what is stored stays.
        MmcoreError: if it failed, e.g. because production's folder is damaged.
    """
    progress = StageProgress(STAGES, context.clock())
    context.report(progress.fields, is_due=True)

    def show(stage: str, done: int, total: int) -> None:
        is_due = progress.fields["stage"] != stage or done == total
        progress.counted(stage, done, total, context.clock())
        context.report(progress.fields, is_due)

    watch = Watch(
        progress=lambda done, total: show("predicting", done, total),
        checking=lambda done, total: show("checking labels", done, total),
        should_stop=context.should_stop,
    )
    report = bring_up_to_date(context.store, context.workspace, context.settings, watch)
    if report is None:
        context.log("no model is in production: there is nothing to predict with")
        return {"model": "", "num_predicted": 0}
    for note in report.notes:
        context.log(f"note: {note}")
    context.log(
        f"{report.version} predicted {report.num_predicted:,} products in {report.seconds:.0f} s, "
        f"{report.num_silent:,} had nothing to go by; the queue is in line"
    )
    return {
        "model": report.version,
        "num_predicted": report.num_predicted,
        "num_silent": report.num_silent,
    }
