"""How good a saved model is on one split of the catalogue, as it is labelled now."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.catalog.issues import harmless_name
from mmcore.catalog.products import SPLITS
from mmcore.errors import ConfigError, TrainingDataError, WorkspaceError
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.models import model_folder
from mmcore.settings import Settings
from mmcore.workspace import Workspace, check_target, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from mmcore.artifact import Artifact
    from mmcore.batches import EncodedProducts
    from mmcore.views import Decisions

TABLE_FORMATS = (".csv", ".parquet")


@dataclass(frozen=True)
class Evaluation:
    """Scores, per-class details and single predictions of a model on a split."""

    model: str
    split: str
    n: int
    scores: dict  # view -> scores or None
    details: dict  # view -> {"per_class": rows, "confusion": (K, K) counts}
    class_codes: list[str]
    predictions: "pd.DataFrame"
    notes: tuple[str, ...]

    def to_json(self) -> dict:
        """Return the scores as DESIGN gives them: model, split, n and one object a view."""
        return {"model": self.model, "split": self.split, "n": self.n, **self.scores}


def _silent(done: int, total: int) -> None:
    pass


def evaluate(
    workspace: Workspace,
    settings: Settings,
    split: str = "test",
    model: str | None = None,
    progress: Callable[[int, int], None] = _silent,
) -> Evaluation:
    """Return the evaluation of a model (production, else the newest, without a name) on a split.

    Raises:
        ConfigError: if the split is unknown.
        TrainingDataError: if the split has no labelled product, or none that the model can read.
        ArtifactError: if the model folder is damaged.
    """
    from mmcore.artifact import load_artifact
    from mmcore.batches import UNLABELLED, encode_products
    from mmcore.reports import class_details, predictions_table, scores_by_view
    from mmcore.views import views

    if split not in SPLITS:
        raise ConfigError(f"split {split!r}: use one of {', '.join(SPLITS)}")
    artifact = load_artifact(model_folder(workspace, settings, model))
    frame = read_catalogue(workspace, settings).products
    frame = frame[(frame["split"] == split) & (frame["label"] != "")]
    codes = artifact.class_codes
    products = encode_products(frame, artifact.config.model, artifact.encoders, codes)
    num_unknown = int((products.labels == UNLABELLED).sum())
    if len(products) == num_unknown:
        raise TrainingDataError(
            f"split {split!r} has no labelled product of a class that model "
            f"{artifact.manifest.name!r} knows; import or label some"
        )
    notes = [*_learnt_notes(artifact, split), *_lacking_notes(artifact, frame)]
    if num_unknown:
        notes.append(f"{num_unknown} products have a class the model doesn't know: left out")
    decisions, photo_notes = _decided(workspace, settings, artifact, products, progress)
    notes += photo_notes
    if not any(has.any() for has in decisions.available.values()):
        raise _nothing_to_read(artifact, split, notes)
    found = views(decisions, artifact.combiner)
    return Evaluation(
        model=artifact.manifest.name,
        split=split,
        n=len(products) - num_unknown,
        scores=scores_by_view(found, products.labels),
        details=class_details(found, products.labels, codes),
        class_codes=codes,
        predictions=predictions_table(decisions, found, codes, split),
        notes=tuple(notes),
    )


def _nothing_to_read(artifact: "Artifact", split: str, notes: list[str]) -> TrainingDataError:
    read = ", ".join(column for m in artifact.config.model.modalities for column in m.columns)
    return TrainingDataError(
        f"no product of split {split!r} has anything that model {artifact.manifest.name!r} reads "
        f"({read}); {'; '.join(notes) or 'import these columns'}"
    )


def _learnt_notes(artifact: "Artifact", split: str) -> list[str]:
    has_learnt = split == "train" or (split == "val" and len(artifact.model.linear) > 0)
    if not has_learnt:
        return []
    return [f"the model has learnt from {split}: these scores flatter it; --split test judges it"]


def _lacking_notes(artifact: "Artifact", products: "pd.DataFrame") -> list[str]:
    from mmcore.batches import lacking_columns

    return [
        f"the model reads column {column!r}, which the catalogue lacks: it counts as missing for "
        f"every product; import again with --extra {column!r}"
        for column in lacking_columns(products, artifact.config.model)
    ]


def _decided(
    workspace: Workspace,
    settings: Settings,
    artifact: "Artifact",
    products: "EncodedProducts",
    progress: Callable[[int, int], None],
) -> tuple["Decisions", list[str]]:
    """Return the decisions on the products, and notes on their photos."""
    from mmcore.engines import engine_of
    from mmcore.services.images import ImageInput
    from mmcore.views import decide

    tower = artifact.model.image_tower
    images = ImageInput(workspace, settings, artifact.config, tower and tower.backbone)
    try:
        artifact.model.to(images.device)
        if images.stays_frozen:  # the photos are the work, and their features are kept
            for result in images.prepare(products.photos, lambda: False):
                progress(result.done, result.total)
            progress = _silent
        engine = engine_of(artifact.model, images.device, artifact.graphs)
        reader = images.final_reader(products, engine.extractor)
        return decide(engine, reader, progress), images.notes()
    finally:
        images.close()


def check_table_path(path: Path) -> None:
    """Refuse a path that `write_table` couldn't write, before the work is done.

    Raises:
        ConfigError: if the ending is neither .csv nor .parquet.
        WorkspaceError: if the folder doesn't exist or can't be written to.
    """
    if path.suffix not in TABLE_FORMATS:
        raise ConfigError(f"{path.name} ends in {path.suffix!r}: use {' or '.join(TABLE_FORMATS)}")
    check_target(path)


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's ending, whole or not at all.

    In the CSV file an id or a class that a spreadsheet would run as a formula is made harmless.

    Raises:
        ConfigError: if the ending is neither.
        WorkspaceError: if the file can't be written.
    """
    check_table_path(path)
    try:
        if path.suffix == ".csv":
            named = table.select_dtypes(exclude="number").astype("str")
            data = table.assign(**named.map(harmless_name)).to_csv(index=False).encode()
            write_atomically(path, lambda file: file.write(data))
        else:
            write_atomically(path, lambda file: table.to_parquet(file, index=False))
    except OSError as error:
        raise WorkspaceError(
            f"{path} can't be written: {error.strerror or error}; choose another place"
        ) from error
