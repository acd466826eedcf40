"""The drawn demo, made ready for every screen of the app."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.cli import screen
from mmcore.cli.opening import local_actor
from mmcore.errors import MmcoreError

if TYPE_CHECKING:
    from mmcore.settings import Settings
    from mmcore.store.engine import Store
    from mmcore.workspace import Workspace

PRODUCTS = 44  # of each class


def prepare_demo(home: Path | None, workspace: "Workspace", settings: "Settings") -> None:
    """Draw the demo's catalogue, train, put the model in production, let a drawn team label, and
    retrain; what is there already is left alone, so that a demo that was stopped goes on."""
    from mmcore.services import demo
    from mmcore.services.opening import opened_store

    if demo.holds_real_catalogue(workspace, settings):
        return
    state = demo.find_or_draw(workspace, settings, PRODUCTS, screen.counting)
    if not state.model:
        from mmcore.cli.learn import run_training

        name = None if state.run else demo.run_name(workspace)
        run_training(home, demo.CHOICES, name, state.run)
    with opened_store(workspace, settings) as store:
        _put_in_production(store, workspace, settings)
        _plant_team(store)
        _retrain(store, workspace, settings)


def _put_in_production(store: "Store", workspace: "Workspace", settings: "Settings") -> None:
    from mmcore.services.models import list_models
    from mmcore.services.predictions import catch_up
    from mmcore.services.registry import activate
    from mmcore.services.registry_view import list_versions
    from mmcore.services.watch import Watch

    versions = list_versions(store, workspace)
    me = local_actor(store)
    if not any(version.stage == "production" for version in versions):
        name = list_models(workspace)[-1].name  # the oldest one: the demo's own
        activate(store, me, workspace, name, time.time())
    with screen.counting("predicting the catalogue") as show:
        catch_up(store, me, workspace, settings, Watch(progress=show))


def _plant_team(store: "Store") -> None:
    from mmcore.services.demo_team import has_team, plant_team

    if has_team(store):
        return
    with screen.counting("a drawn team labels") as show:
        plant_team(store, local_actor(store), time.time(), show)


def _retrain(store: "Store", workspace: "Workspace", settings: "Settings") -> None:
    """Run one retrain, so that there is something to compare and to activate."""
    from mmcore.cli.job_commands import watch
    from mmcore.jobs.local import LocalBackend
    from mmcore.services.jobs import list_jobs, submit_retrain
    from mmcore.services.retrain_choices import RetrainChoices

    now = time.time()
    jobs = [job for job in list_jobs(store, now) if job.kind == "retrain"]
    if any(job.state == "succeeded" for job in jobs):
        return
    backend = LocalBackend(store, workspace, settings)
    try:
        done = submit_retrain(store, local_actor(store), RetrainChoices(), now, backend)
        view = watch(store, workspace, backend, done.job_id)
    except MmcoreError as error:
        screen.note(f"the demo's retrain didn't come about: {error}")
        return
    if view.state != "succeeded":
        screen.note(f"the demo's retrain {view.state}: {view.error or 'see its log'}")
