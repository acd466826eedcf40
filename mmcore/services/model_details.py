"""What a model folder tells of its model: how it was trained, its scores by class, its curves."""

from dataclasses import dataclass
from typing import Any

from mmcore.holding import using
from mmcore.manifest import Manifest, broken, read_json, read_manifest
from mmcore.services.jobs import EpochPoint
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class ClassScore:
    """One class in one view, on the test products that the training judged itself by."""

    code: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ModelDetails:
    """A model as its folder has it.

    Attributes:
        config: as it was trained.
        per_class: view -> scores of each class on test.
        epochs: the curves.
        decided: availability pattern ("text+image") -> how its answer is decided, and why.
        seconds: of the training.
    """

    manifest: Manifest
    config: dict[str, Any]
    per_class: dict[str, tuple[ClassScore, ...]]
    epochs: tuple[EpochPoint, ...]
    notes: tuple[str, ...]
    decided: dict[str, str]
    seconds: float | None


def model_details(workspace: Workspace, name: str) -> ModelDetails:
    """Return what the folder of a model says; its weights are not read.

    Raises:
        ArtifactError: if the folder is missing or damaged.
    """
    with using(workspace.models / name) as folder:
        manifest = read_manifest(folder)
        config = read_json(folder / "config.json")
        metrics = read_json(folder / "metrics.json")
        combiner = read_json(folder / "combiner.json")
    try:
        return ModelDetails(
            manifest=manifest,
            config=config["run"],
            per_class=_per_class(metrics),
            epochs=_epochs(metrics.get("history", ())),
            notes=tuple(metrics.get("notes", ())),
            decided={"+".join(rule["of"]): rule["decided"] for rule in combiner["patterns"]},
            seconds=metrics.get("seconds"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise broken(folder, f"its parts don't fit together: {error}") from error


def _per_class(metrics: dict) -> dict[str, tuple[ClassScore, ...]]:
    found = metrics.get("classes", {}).get("test", {})
    return {
        view: tuple(
            ClassScore(row["label"], row["n"], row["precision"], row["recall"], row["f1"])
            for row in details["per_class"]
        )
        for view, details in found.items()
    }


def _epochs(history: list[dict]) -> tuple[EpochPoint, ...]:
    names = ("phase", "phase_name", "epoch", "train_loss", "val_macro_f1")
    return tuple(
        EpochPoint(number, **{name: row[name] for name in names})
        for number, row in enumerate(history, start=1)
    )
