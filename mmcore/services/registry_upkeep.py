"""Keeping registry and model folders in step: look, add what was copied in, prune the old."""

import secrets
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mmcore.errors import ConfigError, NotFoundError
from mmcore.holding import deleting
from mmcore.services.people import Actor, require
from mmcore.services.registry import register_folder
from mmcore.services.registry_view import folder_state, size_on_disk
from mmcore.services.runs import NAME_PATTERN
from mmcore.store import models
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

ROLLBACK_DEPTH = 2  # predecessors of production that pruning never touches
FORGET_ROWS = 5_000  # predictions deleted in one transaction: annotators wait for none of them
TRASH = ".pruned-"


@dataclass(frozen=True)
class Mismatch:
    """One thing in which registry and folders differ, and what to do about it."""

    name: str
    problem: str
    advice: str


@dataclass(frozen=True)
class Pruned:
    """What pruning did: which models it deleted, which it left and why."""

    deleted: tuple[str, ...]
    kept: dict[str, str]
    num_bytes: int


def compare_folders(store: Store, workspace: Workspace, check_files: bool = True) -> list[Mismatch]:
    """Return where registry and folders differ, both ways; none if all is well."""
    with store.reading() as session:
        known = {v.name: v.is_pruned for v, _ in models.list_versions(session)}
    folders = {p.name for p in workspace.models.glob("*") if p.is_dir()}
    found = []
    for name, is_pruned in known.items():
        state, problem = folder_state(workspace, name, is_pruned, check_files)
        if state in ("missing", "damaged") and not is_pruned:
            found.append(Mismatch(name, problem, "put the folder back from a backup"))
        elif is_pruned and name in folders:
            found.append(Mismatch(name, "pruned, but its folder is there", "models prune"))
    for name in sorted(folders - set(known)):
        if name.startswith("."):
            advice = f"left by a crash: delete {workspace.models / name}"
            found.append(Mismatch(name, "unfinished or half deleted", advice))
        else:
            found.append(Mismatch(name, "not registered", f"models add {name}"))
    return found


def add(store: Store, actor: Actor, workspace: Workspace, name: str, now: float) -> int:
    """Return the id of a model whose folder was copied into the workspace, now registered.

    Raises:
        RefusedError: if the person is no lead, or another model has this name.
        NotFoundError: if there is no such folder.
        ArtifactError: if it is damaged.
    """
    require(actor, "lead")
    is_plain = NAME_PATTERN.fullmatch(name) is not None
    if not is_plain or not (workspace.models / name).is_dir():
        raise NotFoundError(f"there is no folder {name!r} in {workspace.models}; copy it there")
    version_id = register_folder(store, workspace, name, now)
    with store.writing() as session:
        models.get_version(session, version_id).is_pruned = False  # its folder is back
    return version_id


def prune(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    keep: int,
    only: Collection[str] | None = None,
) -> Pruned:
    """Delete old model folders and their predictions; rows, scores and history stay.

    Never touched: production, the models a rollback goes to, those whose job has not ended, those
    that a retrain starts from or anybody is reading, and the `keep` newest of the others.

    Args:
        only: the models that a person was shown before agreeing; no other one is deleted.

    Raises:
        RefusedError: if the person is no lead.
        ConfigError: if `keep` is negative.
    """
    require(actor, "lead")
    _check_keep(keep)
    with store.reading() as session:
        kept, doomed = _sorted_out(session, keep)
    deleted, freed = [], 0
    if only is not None:
        kept |= {name: "it was not in the preview" for name in doomed if name not in only}
        doomed = [name for name in doomed if name in only]
    for name in doomed:
        num_bytes = size_on_disk(workspace, name)
        refusal = _delete(store, workspace, name, keep)
        if refusal:
            kept[name] = refusal
            continue
        deleted.append(name)
        freed += num_bytes
    _finish_earlier(store, workspace)
    return Pruned(tuple(deleted), kept, freed)


def would_prune(store: Store, keep: int) -> list[str]:
    """Return the models that `prune` would delete if nobody is reading them."""
    with store.reading() as session:
        return _sorted_out(session, keep)[1]


def preview_prune(store: Store, workspace: Workspace, keep: int) -> Pruned:
    """Return what `prune` would do now, with reasons and bytes; nothing is deleted.

    Raises:
        ConfigError: if `keep` is negative.
    """
    _check_keep(keep)
    with store.reading() as session:
        kept, doomed = _sorted_out(session, keep)
    return Pruned(tuple(doomed), kept, sum(size_on_disk(workspace, name) for name in doomed))


def _check_keep(keep: int) -> None:
    if keep < 0:
        raise ConfigError(f"keep is {keep}; it must be 0 or more")


def _sorted_out(session: Session, keep: int) -> tuple[dict[str, str], list[str]]:
    """Return (name -> why it stays, names to delete)."""
    way_back = models.way_back(session)[:ROLLBACK_DEPTH]
    busy, parents = models.running_models(session), models.needed_parents(session)
    kept: dict[str, str] = {}
    doomed, num_kept = [], 0
    for version, _ in models.list_versions(session):
        if version.is_pruned:
            continue
        if version.stage == models.PRODUCTION:
            kept[version.name] = "in production"
        elif version.id in way_back:
            kept[version.name] = "a rollback goes to it"
        elif version.id in busy:
            kept[version.name] = "its job has not ended"
        elif version.name in parents:
            kept[version.name] = "a retrain that has not ended starts from it"
        elif num_kept < keep:
            kept[version.name] = f"one of the {keep} newest"
            num_kept += 1
        else:
            doomed.append(version.name)
    return kept, doomed


def _delete(store: Store, workspace: Workspace, name: str, keep: int) -> str:
    """Delete one model; returns why not, "" where it is gone."""
    folder = workspace.models / name
    with deleting(folder) as is_free:
        if not is_free:
            return "somebody is reading it"
        # marked first: a crash leaves a folder too many, never a version without its folder
        with store.writing() as session:
            models.lock_versions(session)
            if name not in _sorted_out(session, keep)[1]:
                return "it came into use meanwhile"
            version = models.find_version(session, name)
            version.is_pruned = True
            version_id = version.id
        trash = workspace.models / f"{TRASH}{name}-{secrets.token_hex(4)}"
        if folder.exists():
            folder.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)
    _forget(store, [version_id])
    return ""


def _finish_earlier(store: Store, workspace: Workspace) -> None:
    """Delete what a pruning that was killed has left."""
    with store.reading() as session:
        pruned = {v.id: v.name for v, _ in models.list_versions(session) if v.is_pruned}
    for trash in workspace.models.glob(f"{TRASH}*"):
        shutil.rmtree(trash, ignore_errors=True)
    for name in pruned.values():
        shutil.rmtree(workspace.models / name, ignore_errors=True)
    _forget(store, pruned)


def _forget(store: Store, version_ids: Iterable[int]) -> None:
    for version_id in version_ids:
        num = FORGET_ROWS
        while num:
            with store.writing() as session:
                num = models.forget_predictions(session, version_id, FORGET_ROWS)
