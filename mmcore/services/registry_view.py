"""What is shown of the model registry: versions, their folders and their history."""

from dataclasses import dataclass, replace

from mmcore.errors import ArtifactError
from mmcore.manifest import FILES, read_manifest, verify
from mmcore.store import models
from mmcore.store.engine import Store
from mmcore.store.tables import ModelVersion
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class StageEvent:
    """One change of stage: what, by whom, when and why."""

    act: str  # register, activate or rollback
    stage_before: str
    stage: str
    who: str | None  # None: the machine
    reason: str
    at: float


@dataclass(frozen=True)
class Turn:
    """One time at which a model became the one that answers.

    Attributes:
        act: activate or rollback.
        who: None: the machine.
    """

    name: str
    act: str
    who: str | None
    reason: str
    at: float


@dataclass(frozen=True)
class Production:
    """Which model answers, and which would after a rollback; None: there is none."""

    name: str | None
    back: str | None


@dataclass(frozen=True)
class VersionInfo:
    """One model version as it is shown.

    Attributes:
        made_by: who asked for its retrain, None where it came from the command line.
        folder: present, damaged, missing or pruned.
        changes: oldest first.
    """

    id: int
    name: str
    stage: str
    parent: str | None
    snapshot: str
    job_id: int | None
    made_by: str | None
    scores: dict
    verdict: dict
    created_at: float
    folder: str
    problem: str  # of a damaged folder, in words
    num_bytes: int
    changes: tuple[StageEvent, ...]


def list_versions(
    store: Store, workspace: Workspace, check_files: bool = False
) -> list[VersionInfo]:
    """Return every version, newest first.

    Args:
        check_files: read every file of every folder and hold it to its checksum; without it, only
            look whether the files are there.
    """
    with store.reading() as session:
        rows = models.list_versions(session)
        changes = models.stage_changes(session)
        makers = models.makers(session)
    events: dict[int, list[StageEvent]] = {}
    for row, who in changes:
        event = StageEvent(row.act, row.stage_before, row.stage, who, row.reason, row.created_at)
        events.setdefault(row.model_version_id, []).append(event)
    return [
        replace(
            _info(workspace, row, tuple(events.get(row.id, ())), check_files),
            parent=parent,
            made_by=makers.get(row.id),
        )
        for row, parent in rows
    ]


def production_now(store: Store) -> Production:
    """Return which model answers now, and to which one a rollback goes."""
    with store.reading() as session:
        found, back = models.find_production(session), models.way_back(session)
        target = models.get_version(session, back[0]).name if back and found else None
        return Production(found and found.name, target)


def list_turns(store: Store) -> list[Turn]:
    """Return who put which model into production, the newest turn first."""
    with store.reading() as session:
        names = {version.id: version.name for version, _ in models.list_versions(session)}
        return [
            Turn(names[row.model_version_id], row.act, who, row.reason, row.created_at)
            for row, who in reversed(models.stage_changes(session))
            if row.stage == models.PRODUCTION
        ]


def find_version(store: Store, workspace: Workspace, name: str) -> VersionInfo:
    """Return one version, its files held to their checksums.

    Raises:
        NotFoundError: if none is registered under this name.
    """
    with store.reading() as session:
        models.find_version(session, name)
    found = next(v for v in list_versions(store, workspace) if v.name == name)
    state, problem = folder_state(workspace, name, found.folder == "pruned")
    return replace(found, folder=state, problem=problem)


def _info(
    workspace: Workspace,
    row: ModelVersion,
    changes: tuple[StageEvent, ...],
    check_files: bool,
) -> VersionInfo:
    state, problem = folder_state(workspace, row.name, row.is_pruned, check_files)
    return VersionInfo(
        id=row.id,
        name=row.name,
        stage=row.stage,
        parent=None,
        snapshot=row.snapshot,
        job_id=row.job_id,
        made_by=None,
        scores=row.scores,
        verdict=row.verdict,
        created_at=row.created_at,
        folder=state,
        problem=problem,
        num_bytes=size_on_disk(workspace, row.name),
        changes=changes,
    )


def folder_state(
    workspace: Workspace, name: str, is_pruned: bool, check_files: bool = True
) -> tuple[str, str]:
    """Return (present, damaged, missing or pruned; what is wrong with a damaged one)."""
    folder = workspace.models / name
    if not folder.is_dir():
        return ("pruned", "") if is_pruned else ("missing", f"{folder} is not there")
    try:
        read_manifest(folder)
        if check_files:
            verify(folder)
        lost = [file for file in FILES if not (folder / file).is_file()]
        if lost:
            return "damaged", f"{lost[0]} is missing"
    except (ArtifactError, OSError) as error:
        return "damaged", str(error)
    return "present", ""


def size_on_disk(workspace: Workspace, name: str) -> int:
    """Return the bytes of a model folder, 0 where there is none."""
    return sum(p.stat().st_size for p in (workspace.models / name).glob("*") if p.is_file())
