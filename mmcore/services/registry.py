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


@dataclass(frozen=True)
class Consent:
    """What the person was shown when they said yes, and why they did.

    Attributes:
        seen: the model that answered by what they saw, "" for none; None for scripts, which
            saw nothing. Where another one answers by now, nothing is changed.
        reason: kept with the change; needed where the quality gate said no.
    """

    seen: str | None = None
    reason: str = ""


def register_candidate(store: Store, *, now: float, **facts: object) -> int:
    """Return the id of the model version with these facts, registered as a candidate.

    Registering a name again changes nothing. With a `job_id` the job must still be this worker's:
    running, in this attempt; that is checked in the same transaction. A part of trainings and of
    jobs that were authorised when they were submitted; a candidate changes no answer.

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

    A part of `registry_upkeep.add`, which checks who asks, and of trainings.

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
    """Return the id of a model that was just trained without a job, registered as a candidate.

    Only for the command line, whose person owns the workspace's files.
    """
    with opened_store(workspace, settings) as store:
        return register_folder(store, workspace, name, now)


def activate(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    name: str,
    now: float,
    consent: Consent = Consent(),  # noqa: B008 - frozen
) -> Switched:
    """Make a model the one that answers; the one before is archived, in the same act.

    A second click finds the model in production and changes nothing. `catching_up.follow_up`
    afterwards lets it look at products that it hasn't seen.

    Raises:
        RefusedError: if the person is no lead, or the gate said no and no reason is given.
        StaleWriteError: if another model is in production than the one that was seen.
        ArtifactError: if the folder is missing, damaged or pruned.
    """
    require(actor, "lead")
    with store.reading() as session:
        found = models.find_version(session, name)
        _check_allowed(found, consent.reason)
    # reads every file: not while others wait for the database
    _checked(workspace, name, found.snapshot)
    with store.writing() as session:
        models.lock_versions(session)
        version = models.find_version(session, name)
        _check_allowed(version, consent.reason)
        if version.stage == models.PRODUCTION:
            done = Switched(version.id, name, name, has_changed=False)
        else:
            _check_seen(models.find_production(session), consent)
            before = models.put_in_production(
                session, version, "activate", actor.id, consent.reason, now
            )
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
    consent: Consent = Consent(),  # noqa: B008 - frozen
) -> Switched:
    """Go back to the production model before this one, in one act.

    Once more goes back one further: after A, B, C the first gives B, the second A. So pages name
    what was seen: a second click finds another model and changes nothing.

    Raises:
        RefusedError: if the person is no lead, or there is nothing to go back to.
        StaleWriteError: if another model is in production than the one that was seen.
        ArtifactError: if the predecessor's folder is missing or damaged.
    """
    require(actor, "lead")
    with store.reading() as session:
        target = _predecessor(session, consent)
    _checked(workspace, target.name, target.snapshot)
    with store.writing() as session:
        models.lock_versions(session)
        version = _predecessor(session, consent)
        if version.id != target.id:
            raise StaleWriteError("another model was activated just now; look again")
        before = models.put_in_production(
            session, version, "rollback", actor.id, consent.reason, now
        )
        done = Switched(version.id, version.name, before and before.name, has_changed=True)
    _refresh_queue(store, done.version_id)
    return done


def _check_seen(production: ModelVersion | None, consent: Consent) -> None:
    now = production.name if production else ""
    if consent.seen is not None and consent.seen != now:
        raise StaleWriteError(
            f"{now or 'no model'} is in production by now, not {consent.seen or 'none'}, which was "
            "on your screen; nothing was changed: look again"
        )


def _predecessor(session: Session, consent: Consent) -> ModelVersion:
    production = models.find_production(session)
    if production is None:
        raise RefusedError("no model is in production; activate one: `models activate NAME`")
    _check_seen(production, consent)
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
    if manifest.name != name:
        raise broken(folder, f"another model ({manifest.name}) lies in its folder")
    if snapshot not in (None, manifest.snapshot):
        found, wanted = manifest.snapshot[:12], snapshot[:12] or "none"
        raise broken(
            folder,
            f"another training lies in its folder, of labels with hash {found}, not {wanted}",
        )
    return manifest


def _refresh_queue(store: Store, version_id: int) -> None:
    from mmcore.services import queue

    queue.refresh(store, version_id)
