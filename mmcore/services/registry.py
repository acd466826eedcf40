"""The model registry: which versions there are, which one answers, and the way back.

What is shown of it stands in `registry_view.py`, upkeep (folders copied in by hand, pruning) in
`registry_upkeep.py`.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from mmcore.errors import ArtifactError, RefusedError, StaleWriteError
from mmcore.holding import using
from mmcore.manifest import Manifest, broken, read_json, read_manifest, verify
from mmcore.services.opening import opened_store
from mmcore.services.people import Actor, require
from mmcore.settings import Settings
from mmcore.store import models
from mmcore.store.engine import Store
from mmcore.store.models import NewVersion
from mmcore.store.tables import ModelVersion
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class Switched:
    """What activate or rollback did.

    Attributes:
        before: the model that answered until now.
        has_changed: False where the model was in production already.
        notes: what the person should know, e.g. that the model was never compared.
    """

    version_id: int
    name: str
    before: str | None
    has_changed: bool
    notes: tuple[str, ...] = ()


def register_candidate(store: Store, *, now: float, **facts: object) -> int:
    """Return the id of the model version with these facts, registered as a candidate.

    Registering a name again changes nothing. With a `job_id` the job must still be this worker's:
    running, in this attempt; that is checked in the same transaction.

    Args:
        facts: the fields of `NewVersion`: name, snapshot, scores, parent, job_id, attempt.

    Raises:
        StaleWriteError: if the job isn't this worker's any more; nothing is written.
        RefusedError: if another model has this name.
    """
    new = NewVersion(**facts)  # type: ignore[arg-type]
    with store.writing() as session:
        return models.add_version(session, new, now).id


def register_folder(store: Store, workspace: Workspace, name: str, now: float) -> int:
    """Return the id of a model whose folder is in the workspace, registered as a candidate.

    Raises:
        ArtifactError: if the folder is missing or damaged.
        RefusedError: if another model has this name.
    """
    manifest = _checked(workspace, name)
    scores = read_json(workspace.models / name / "metrics.json").get("scores", {})
    return register_candidate(
        store,
        name=name,
        snapshot=manifest.snapshot,
        scores=scores.get("test", {}),
        parent=manifest.parent,
        now=now,
    )


def register_trained(workspace: Workspace, settings: Settings, name: str, now: float) -> int:
    """Return the id of a model that was just trained without a job, registered as a candidate."""
    with opened_store(workspace, settings) as store:
        return register_folder(store, workspace, name, now)


def activate(
    store: Store, actor: Actor, workspace: Workspace, name: str, now: float, reason: str = ""
) -> Switched:
    """Make a model the one that answers; the one before is archived, in the same act.

    Args:
        reason: needed, and kept, where the quality gate said no.

    Raises:
        RefusedError: if the person is no lead, or the gate said no and no reason is given.
        ArtifactError: if the folder is missing, damaged or pruned.
    """
    require(actor, "lead")
    with store.reading() as session:
        found = models.find_version(session, name)
        _check_allowed(found, reason)
    # reads every file: not while others wait for the database
    _checked(workspace, name, found.snapshot)
    with store.writing() as session:
        models.lock_versions(session)
        version = models.find_version(session, name)
        _check_allowed(version, reason)
        if version.stage == models.PRODUCTION:
            done = Switched(version.id, name, name, has_changed=False)
        else:
            before = models.put_in_production(session, version, "activate", actor.id, reason, now)
            before_name = before.name if before else None
            notes = _notes(version.verdict, before_name)
            done = Switched(version.id, name, before_name, has_changed=True, notes=notes)
    _refresh_queue(store, done.version_id)
    return done


def rollback(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    now: float,
    seen: str | None = None,
    reason: str = "",
) -> Switched:
    """Go back to the production model before this one, in one act.

    Once more goes back one further: after A, B, C the first gives B, the second A.

    Args:
        seen: the production model the person was shown; a second click finds another one and
            changes nothing.

    Raises:
        RefusedError: if the person is no lead, or there is nothing to go back to.
        StaleWriteError: if another model is in production than the one that was seen.
        ArtifactError: if the predecessor's folder is missing or damaged.
    """
    require(actor, "lead")
    with store.reading() as session:
        target = _predecessor(session, seen)
    _checked(workspace, target.name, target.snapshot)
    with store.writing() as session:
        models.lock_versions(session)
        version = _predecessor(session, seen)
        if version.id != target.id:
            raise StaleWriteError("another model was activated just now; look again")
        before = models.put_in_production(session, version, "rollback", actor.id, reason, now)
        done = Switched(version.id, version.name, before and before.name, has_changed=True)
    _refresh_queue(store, done.version_id)
    return done


def _predecessor(session: Session, seen: str | None) -> ModelVersion:
    production = models.find_production(session)
    if production is None:
        raise RefusedError("no model is in production; activate one: `models activate NAME`")
    if seen is not None and production.name != seen:
        raise StaleWriteError(
            f"{production.name} is in production by now, not {seen}; nothing was changed"
        )
    back = models.way_back(session)
    if not back:
        raise RefusedError(
            f"there is no model before {production.name} to go back to; activate another one"
        )
    return models.get_version(session, back[0])


def _check_allowed(version: ModelVersion, reason: str) -> None:
    name, verdict = version.name, version.verdict
    if version.is_pruned:
        raise ArtifactError(
            f"model {name} was pruned: its folder was deleted; activate another one, or put the "
            f"folder back from a backup and run `python -m mmcore models add {name}`"
        )
    if verdict.get("passed") is False and not reason.strip():
        failed = [c["sentence"] for c in verdict.get("checks", ()) if c.get("passed") is False]
        raise RefusedError(
            f"the quality gate said no to {name}: {'; '.join(failed) or 'see its verdict'}; "
            "give a reason to activate it all the same"
        )


def _notes(verdict: dict, before: str | None) -> tuple[str, ...]:
    if before is None:
        return ()
    if not verdict:
        return (f"it was never compared with {before}",)
    if verdict.get("against") != before:
        return (f"it was compared with {verdict.get('against')}, not with {before}",)
    return ()


def _checked(workspace: Workspace, name: str, snapshot: str | None = None) -> Manifest:
    """Return the manifest of a model whose every file is as it was saved, under this name."""
    with using(workspace.models / name) as folder:
        verify(folder)
        manifest = read_manifest(folder)
    if manifest.name != name or snapshot not in (None, manifest.snapshot):
        raise broken(folder, f"another model ({manifest.name}) lies in its folder")
    return manifest


def _refresh_queue(store: Store, version_id: int) -> None:
    from mmcore.services import queue

    queue.refresh(store, version_id)
