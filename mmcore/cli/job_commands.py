"""Commands around jobs: worker, retrain, jobs list, show, cancel, logs."""

import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen
from mmcore.cli import train_options as how
from mmcore.cli.opening import local_actor, opened
from mmcore.cli.options import Home, Json, examples
from mmcore.cli.signals import stop_on_signal
from mmcore.config import MINUTES
from mmcore.errors import MmcoreError

if TYPE_CHECKING:
    from mmcore.jobs.local import LocalBackend
    from mmcore.services.jobs import JobView
    from mmcore.store.engine import Store
    from mmcore.workspace import Workspace

WATCH_EVERY_S = 0.5

jobs_app = typer.Typer(no_args_is_help=True, help="Look at jobs (retrains, predictions), cancel.")
JobId = Annotated[int, typer.Argument(metavar="JOB", help="Number of the job.")]


class JobEndedBadly(MmcoreError):
    """The job that was waited for failed or was cancelled."""


def worker(
    home: Home = None,
    once: Annotated[
        bool, typer.Option("--once", help="Run the job that waits, if one does, and exit.")
    ] = False,
    idle_exit: Annotated[
        float | None,
        typer.Option("--idle-exit", min=0, metavar="MIN", help="Exit after so long without work."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name in the table of workers.")] = None,
    nice: Annotated[
        int, typer.Option(min=0, max=19, help="Leave the processor to others, 19 the most.")
    ] = 0,
) -> None:
    """Run jobs until told to end (Ctrl-C or SIGTERM: the job goes back to the queue)."""
    if nice and hasattr(os, "nice"):
        os.nice(nice)
    with opened(home) as (store, workspace, settings), stop_on_signal() as is_stopping:
        from mmcore.jobs.context import Surroundings
        from mmcore.jobs.worker import Shift, Worker, WorkerOptions, work
        from mmcore.services.catching_up import PREDICT, run_predict
        from mmcore.services.jobs import RETRAIN
        from mmcore.services.retraining import run_retrain

        around = Surroundings(store, workspace, settings, time.time)
        runners = {RETRAIN: run_retrain, PREDICT: run_predict}
        found = Worker(around, runners, WorkerOptions(name), is_stopping)
        shift = Shift(once, None if idle_exit is None else idle_exit * 60)
        screen.err().print(f"worker {found.name} on {workspace.home}")
        num_jobs = work(found, shift, time.time, is_stopping, screen.note)
        screen.err().print(f"worker {found.name} ends after {num_jobs} jobs")


def retrain(
    home: Home = None,
    preset: how.Preset = "strong",
    backbone: how.Backbone = None,
    weights: how.Weights = "imagenet",
    modalities: how.Modalities = None,
    epochs1: how.Epochs1 = None,
    epochs2: how.Epochs2 = None,
    minutes: how.Minutes = MINUTES,
    seed: how.Seed = 0,
    warm: Annotated[
        bool | None,
        typer.Option(
            "--warm/--fresh",
            help="Start from the production model's weights, or from the start. Without: from "
            "production's where they fit.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch the job until it ends.")] = False,
    as_json: Json = False,
) -> None:
    """Submit a retrain on the labels as they are; a worker is started where none is running."""
    with opened(home) as (store, workspace, settings):
        from mmcore.jobs.local import LocalBackend
        from mmcore.services import jobs
        from mmcore.services.retrain_choices import RetrainChoices

        choices = RetrainChoices(
            preset=preset,
            backbone=backbone,
            weights=weights,
            modalities=how.modality_words(modalities),
            epochs1=epochs1,
            epochs2=epochs2,
            minutes=minutes,
            seed=seed,
            fresh=None if warm is None else not warm,
        )
        backend = LocalBackend(store, workspace, settings)
        done = jobs.submit_retrain(store, local_actor(store), choices, time.time(), backend)
        said = "submitted" if done.is_new else "is active already; nothing was submitted"
        screen.err().print(f"job {done.job_id} {said}")
        view = jobs.view_job(store, workspace, done.job_id, time.time(), 0)
        if wait:
            view = watch(store, workspace, backend, done.job_id)
        _show(view, as_json)
        if wait and view.state != "succeeded":
            raise JobEndedBadly(f"job {view.id} {view.state}: {view.error or 'by request'}")


@jobs_app.command("list", epilog=examples("jobs list"))
def list_all(
    home: Home = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Jobs to show.")] = 20,
    as_json: Json = False,
) -> None:
    """List jobs, newest first."""
    with opened(home) as (store, _, _):
        from mmcore.services import jobs

        found = jobs.list_jobs(store, time.time(), limit)
    if as_json:
        screen.print_json({"jobs": [_as_json(view) for view in found]})
        return
    screen.out().print(_table(found))


@jobs_app.command("show", epilog=examples("jobs show 3"))
def show(job: JobId, home: Home = None, as_json: Json = False) -> None:
    """Show one job and the end of its log."""
    with opened(home) as (store, workspace, _):
        from mmcore.services import jobs

        view = jobs.view_job(store, workspace, job, time.time())
    _show(view, as_json)
    if not as_json:
        print(screen.plain("\n".join(view.log.splitlines()[-20:])))


@jobs_app.command("cancel", epilog=examples("jobs cancel 3"))
def cancel(job: JobId, home: Home = None, as_json: Json = False) -> None:
    """Cancel a job; production stays as it is."""
    with opened(home) as (store, _, _):
        from mmcore.services import jobs

        view = jobs.cancel_job(store, local_actor(store), job, time.time())
    _show(view, as_json)


@jobs_app.command("logs", epilog=examples("jobs logs 3 --follow"))
def logs(
    job: JobId,
    home: Home = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job ends.")
    ] = False,
) -> None:
    """Print the log of a job."""
    with opened(home) as (store, workspace, _):
        from mmcore.jobs.logs import log_path, read_from
        from mmcore.services import jobs

        offset = 0
        while True:
            view = jobs.view_job(store, workspace, job, time.time(), 0)
            text, offset = read_from(log_path(workspace, job), offset)
            print(screen.plain(text), end="", flush=True)
            if not (follow and view.is_active):
                return
            time.sleep(WATCH_EVERY_S)


def watch(
    store: "Store", workspace: "Workspace", backend: "LocalBackend", job_id: int
) -> "JobView":
    """Return the job when it has ended; meanwhile show it, and see to it that a worker lives."""
    from mmcore.services import jobs

    with screen.progress() as bars:
        while True:
            now = time.time()
            view = jobs.view_job(store, workspace, job_id, now, 0)
            if not view.is_active:
                return view
            backend.wake(now)
            done, total = _units(view)
            text = view.stage or "waiting for a worker"
            bars.show(text, done, total, _note(view))
            time.sleep(WATCH_EVERY_S)


def _units(view: "JobView") -> tuple[int, int | None]:
    """Return how far the stage has come, in its own unit."""
    if view.stage == "training" and view.num_steps:
        done = (view.epoch - 1) * view.num_steps + view.step
        return done, view.num_epochs * view.num_steps
    return view.done or 0, view.total


def _note(view: "JobView") -> str:
    """Return where the stage stands, in few words."""
    parts = []
    if view.stage == "training" and view.phase and view.loss is not None:
        parts.append(f"phase {view.phase}/{view.num_phases} epoch {view.epoch}/{view.num_epochs}")
        parts.append(f"loss {view.loss:.3f}")
    if view.macro_f1 is not None:
        parts.append(f"val macro-F1 {view.macro_f1:.3f}")
    if view.eta_s is not None:
        parts.append(f"about {view.eta_s:.0f} s left")
    return ", ".join(parts)


def _show(view: "JobView", as_json: bool) -> None:
    if as_json:
        screen.print_json(_as_json(view))
        return
    said = {
        "job": f"{view.id} {view.kind}, {_state(view)}, attempt {view.attempt}",
        "by": view.who,
        "stage": ": ".join(filter(None, (view.stage, _note(view)))) if view.is_active else "",
        "labels": "" if view.num_labels is None else f"{view.num_labels:,}",
        "new labels": "" if view.num_new_labels is None else f"{view.num_new_labels:,}",
        "best val macro-F1": "" if view.best_macro_f1 is None else f"{view.best_macro_f1:.3f}",
        "model": view.model,
        "error": view.error,
    }
    for name, text in said.items():
        if text:
            screen.out().print(screen.plain(f"{name}: {text}"))


def _state(view: "JobView") -> str:
    if view.is_silent:
        return "running, but its worker is silent (another one will go on)"
    return "being cancelled" if view.cancel_requested and view.is_active else view.state


def _as_json(view: "JobView") -> dict:
    return asdict(view)


def _table(found: list["JobView"]):
    from rich.table import Table

    table = Table()
    for column in ("job", "state", "stage", "labels", "macro-F1", "model", "by"):
        table.add_column(column, no_wrap=column in ("model", "stage", "state", "made"))
    for view in found:
        f1 = "" if view.best_macro_f1 is None else f"{view.best_macro_f1:.3f}"
        labels = "" if view.num_labels is None else f"{view.num_labels:,}"
        stage = view.stage if view.is_active else ""
        state = "silent" if view.is_silent else view.state
        row = [str(view.id), state, stage, labels, f1, view.model, view.who]
        table.add_row(*map(screen.plain, row))
    return table
