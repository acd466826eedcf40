"""The end of a run: the model it has become."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.config import run_config_from_json
from mmcore.errors import MmcoreError, WorkspaceError
from mmcore.manifest import Manifest, broken, read_json, read_manifest, verify
from mmcore.services.runs import Run

if TYPE_CHECKING:
    from mmcore.services.assembly import Assembly
    from mmcore.services.judging import Judged


@dataclass(frozen=True)
class Finished:
    """A run that has become a model."""

    name: str
    folder: Path
    scores: dict  # split -> view -> scores, as in metrics.json
    decided: dict[str, str]  # availability pattern -> how it is decided and why
    notes: tuple[str, ...]
    seconds: float


def finish(run: Run, parts: "Assembly", judged: "Judged", story: dict) -> Finished:
    """Save a trained and judged network as the run's model folder, and return the run's end.

    Args:
        story: how the training went: history, notes, seconds.

    Raises:
        ArtifactError: if the folder exists or can't be written.
    """
    from mmcore import __version__
    from mmcore.artifact import Artifact, save_artifact

    now = datetime.now(UTC).isoformat(timespec="microseconds")
    is_drawn, parent = parts.source == "drawn", parts.config.parent
    artifact = Artifact(
        Manifest(run.name, now, run.snapshot, __version__, parent, is_drawn),
        parts.config,
        parts.model,
        parts.encoders,
        parts.selection.classes,
        judged.combiner,
        {**judged.metrics, **story},
    )
    save_artifact(run.model_folder, artifact, judged.predictions)
    decided = {"+".join(p): rule.decided for p, rule in judged.combiner.rules.items()}
    told = (tuple(story["notes"]), story["seconds"])
    return Finished(run.name, run.model_folder, judged.metrics["scores"], decided, *told)


def finished_before(run: Run) -> Finished | None:
    """Return the end of a run whose model was saved before the run could be put away, else None.

    Raises:
        ArtifactError: if the model is damaged.
        WorkspaceError: if the model of that name is another run's.
    """
    folder = run.model_folder
    if not folder.exists():
        return None
    manifest = read_manifest(folder)
    verify(folder)
    metrics, combiner = read_json(folder / "metrics.json"), read_json(folder / "combiner.json")
    try:
        config = run_config_from_json(read_json(folder / "config.json")["run"])
        made_by = Run(run.name, config, manifest.snapshot, run.folder, folder)
        finished = Finished(
            manifest.name,
            folder,
            metrics["scores"],
            {"+".join(rule["of"]): rule["decided"] for rule in combiner["patterns"]},
            tuple(metrics["notes"]),
            metrics["seconds"],
        )
    except (KeyError, TypeError, MmcoreError) as error:
        raise broken(folder, f"its parts don't fit together: {error}") from error
    if made_by.checkpoint_hash != run.checkpoint_hash:
        raise WorkspaceError(
            f"run {run.name!r} can't go on: {folder} holds a model of other settings or other "
            f"labels; move that folder away, or delete {run.folder}"
        )
    return finished
