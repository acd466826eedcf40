"""Commands of the model registry: which models there are, which one answers, what each costs."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mmcore.cli import screen, tables
from mmcore.cli.confirm import Yes, confirm
from mmcore.cli.following import follow
from mmcore.cli.opening import local_actor, opened
from mmcore.cli.options import Home, Json, examples, given_text, open_workspace
from mmcore.cli.setting_commands import gate_app
from mmcore.times import local_time

if TYPE_CHECKING:  # the database is opened by the command that needs it, not by --help
    from mmcore.services.predictions import PredictionReport
    from mmcore.services.registry import Switched
    from mmcore.services.registry_view import VersionInfo
    from mmcore.settings import Settings
    from mmcore.store.engine import Store
    from mmcore.workspace import Workspace

Name = Annotated[
    str,
    typer.Argument(
        parser=given_text, metavar="NAME", help="Name of the model, as `models list` shows it."
    ),
]
Reason = Annotated[
    str,
    typer.Option(
        parser=given_text, metavar="TEXT", help="Why; needed where the quality gate said no."
    ),
]
KEPT = 3  # other models that pruning leaves

models = typer.Typer(no_args_is_help=True, help="Which models there are, and which one answers.")
models.add_typer(gate_app, name="gate")


@models.command("list", epilog=examples("models list --check"))
def list_models(
    home: Home = None,
    check: Annotated[
        bool, typer.Option("--check", help="Hold every file to its checksum, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List every model version, newest first: stage, scores, verdict, folder."""
    from mmcore.services.registry_upkeep import compare_folders
    from mmcore.services.registry_view import list_versions

    with opened(home) as (store, workspace, _):
        versions = list_versions(store, workspace, check)
        mismatches = compare_folders(store, workspace, check)
    if as_json:
        screen.print_json(
            {
                "models": [asdict(version) for version in versions],
                "mismatches": [asdict(mismatch) for mismatch in mismatches],
            }
        )
        return
    from mmcore.cli.model_tables import versions_table

    screen.out().print(versions_table(versions))
    for found in mismatches:
        screen.note(f"{found.name}: {found.problem} ({found.advice})")


@models.command("show", epilog=examples("models show with-price"))
def show(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Show one model: scores, verdict, who moved it to which stage and when."""
    with opened(home) as (store, workspace, _):
        version = _find(store, workspace, name)
    if as_json:
        screen.print_json(asdict(version))
        return
    console = screen.out()
    parent = f", from {version.parent}" if version.parent else ""
    screen.say(f"{version.name}: {version.stage}{parent}")
    console.print(f"labels {version.snapshot[:12]}, {version.num_bytes / 1e6:.1f} MB on disk")
    if version.folder != "present":
        screen.say(f"folder {version.folder} {version.problem}")
    if version.scores:
        console.print(tables.scores_table(version.scores, "on test, when it was made"))
    for event in version.changes:
        who = f" by {event.who}" if event.who else ""
        why = f": {event.reason}" if event.reason else ""
        screen.say(f"{local_time(event.at)}  {event.act}{who}, now {event.stage}{why}")
    _show_verdict(version.verdict)


@models.command(
    "activate", epilog=examples('models activate with-price --reason "better on books" --yes')
)
def activate(
    name: Name,
    home: Home = None,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let a model answer from now on; the one before is archived, and `rollback` goes back.

    Products that it hasn't seen are predicted by a job afterwards.
    """
    from mmcore.services import registry
    from mmcore.services.models import production_name

    with opened(home) as (store, workspace, settings):
        _find(store, workspace, name)
        seen = production_name(workspace, settings)
        confirm(f"let {name} answer from now on, instead of {seen or 'none'}?", yes)
        actor = local_actor(store)
        consent = registry.Consent(seen or "", reason)
        done = registry.activate(store, actor, workspace, name, time.time(), consent)
        job = follow(store, actor, workspace, settings)
    _show_switch(done, job, as_json)


@models.command("rollback", epilog=examples("models rollback --yes"))
def rollback(
    home: Home = None,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Go back to the model that answered before; once more goes back one further."""
    from mmcore.services import registry
    from mmcore.services.models import production_name

    with opened(home) as (store, workspace, settings):
        seen = production_name(workspace, settings)
        confirm(f"go back from {seen or 'nothing'} to the model before it?", yes)
        actor = local_actor(store)
        consent = registry.Consent(seen or "", reason)
        done = registry.rollback(store, actor, workspace, time.time(), consent)
        job = follow(store, actor, workspace, settings)  # for what came while another answered
    _show_switch(done, job, as_json)


@models.command("predict", epilog=examples("models predict"))
def predict(home: Home = None, as_json: Json = False) -> None:
    """Let the model that answers look at products that came or changed since, for the queue.

    What an import or activation submits as a job, done here and now.
    """
    with opened(home) as (store, workspace, settings):
        report = _catch_up(store, workspace, settings)
    if as_json:
        screen.print_json(asdict(report) if report else {})
        return
    if report is None:
        screen.note("no model is in production; activate one: models activate NAME")
        return
    silent = f", {report.num_silent:,} with nothing to go by" if report.num_silent else ""
    text = f"{report.version} predicted {report.num_predicted:,} products{silent}"
    screen.say(text)
    for note in report.notes:
        screen.note(note)


@models.command(
    "compare", epilog=examples("models compare", "models compare with-price --products 30")
)
def compare(
    name: Annotated[str | None, typer.Argument(help="The candidate; the newest without.")] = None,
    home: Home = None,
    products: Annotated[int, typer.Option(min=0, max=1000, help="Changed products to show.")] = 10,
    as_json: Json = False,
) -> None:
    """Compare a model with the one in production: scores, quality gate, changed products."""
    from mmcore.errors import NotFoundError
    from mmcore.services import comparison
    from mmcore.services.registry_view import list_versions
    from mmcore.services.watch import Watch
    from mmcore.store.comparison import ChangeFilter

    with opened(home) as (store, workspace, settings):
        waiting = [v for v in list_versions(store, workspace) if v.stage == "candidate"]
        if name is None and not waiting:
            raise NotFoundError("there is no candidate to compare; name a model")
        version = _find(store, workspace, name) if name else waiting[0]
        with screen.counting("predicting") as bar:
            watch = Watch(progress=bar)
            result = comparison.judge_candidate(
                store, workspace, settings, version.id, time.time(), watch
            )
        changed = []
        if result.against and products:
            wanted = ChangeFilter(outcomes=("fixed", "broken", "changed_wrong", "changed"))
            pair = (result.against, version.name)
            changed = comparison.list_changes(store, pair, wanted, limit=products)
    if as_json:
        rows = [asdict(product) for product in changed]
        screen.print_json({"model": version.name, **result.verdict, "products": rows})
        return
    from mmcore.cli.model_tables import changes_table

    for text in result.notes:
        screen.note(text)
    _show_verdict(result.verdict)
    if changed:
        screen.out().print(changes_table(changed))


@models.command("prune", epilog=examples("models prune --keep 5 --yes"))
def prune(
    home: Home = None,
    keep: Annotated[int, typer.Option(min=0, help="Newest other models to keep.")] = KEPT,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete old model folders; never production, nor what a rollback goes to."""
    from mmcore.services import registry_upkeep

    with opened(home) as (store, workspace, _):
        doomed = registry_upkeep.would_prune(store, keep)
        if doomed:
            confirm(f"delete the folders of {', '.join(doomed)}?", yes)
        done = registry_upkeep.prune(store, local_actor(store), workspace, keep)
    if as_json:
        screen.print_json(asdict(done))
        return
    freed = f"{done.num_bytes / 1e6:.1f} MB freed"
    screen.say(f"deleted: {', '.join(done.deleted) or 'none'}; {freed}")
    for kept, why in done.kept.items():
        screen.say(f"kept {kept}: {why}")


@models.command("int8", epilog=examples("models int8 with-price"))
def int8(
    name: Name,
    photos: Annotated[
        int, typer.Option(min=16, max=1024, help="Train photos to find the ranges on.")
    ] = 64,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a model's backbone in 8-bit integers, and tell what it costs and whether it pays.

    `predict-batch --int8` uses it; nothing else does.
    """
    from mmcore.services.int8 import make_int8

    workspace, settings = open_workspace(home)
    with screen.progress() as bars:
        report = make_int8(
            workspace, settings, name, photos, lambda doing: bars.show(doing, 0, None)
        )
    if as_json:
        screen.print_json(report.to_json())
        return
    for line in report.summary():
        screen.say(line)


@models.command("add", epilog=examples("models add with-price"))
def add(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Register a model whose folder was copied into the workspace, as a candidate."""
    from mmcore.services import registry_upkeep

    with opened(home) as (store, workspace, _):
        version_id = registry_upkeep.add(store, local_actor(store), workspace, name, time.time())
    if as_json:
        screen.print_json({"model": name, "id": version_id})
        return
    screen.say(f"{name} is registered as a candidate")


def _catch_up(
    store: "Store", workspace: "Workspace", settings: "Settings"
) -> "PredictionReport | None":
    from mmcore.services.predictions import catch_up
    from mmcore.services.watch import Watch

    with screen.progress() as bars:
        watch = Watch(
            progress=lambda done, total: bars.show("predicting", done, total),
            checking=lambda done, total: bars.show("checking labels", done, total),
        )
        return catch_up(store, local_actor(store), workspace, settings, watch)


def _find(store: "Store", workspace: "Workspace", name: str) -> "VersionInfo":
    from mmcore.services.registry_view import find_version

    return find_version(store, workspace, name)


def _show_switch(done: "Switched", job: dict | None, as_json: bool) -> None:
    if as_json:
        screen.print_json({**asdict(done), "predictions": job})
        return
    for text in done.notes:
        screen.note(text)
    before = f", no longer {done.before}" if done.before and done.has_changed else ""
    again = "" if done.has_changed else " (it did already)"
    screen.say(f"{done.name} answers{before}{again}")


def _show_verdict(verdict: dict) -> None:
    if not verdict:
        screen.out().print("not compared with production yet: python -m mmcore models compare")
        return
    from mmcore.cli.model_tables import verdict_lines

    for line in verdict_lines(verdict):
        screen.out().print(line)
