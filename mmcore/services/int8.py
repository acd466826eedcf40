"""A model with its backbone in 8-bit integers: what that costs in accuracy, and whether it pays.

The graph lies in the workspace's cache: it is made from the model and may be deleted. Whoever asks
for it gets it by name; no screen uses it unasked.
"""

import hashlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.config import FUSED
from mmcore.errors import ConfigError, ImageError, TrainingDataError, WorkspaceError
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.models import model_folder
from mmcore.settings import Settings
from mmcore.workspace import Workspace, write_atomically

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mmcore.artifact import Artifact
    from mmcore.batches import EncodedProducts
    from mmcore.runtime import Runtime
    from mmcore.views import View

MIN_PHOTOS = 16  # to find ranges on
_ROUNDS = 5
_TIMED = 64  # photos a round


@dataclass(frozen=True)
class Cost:
    """What one view of the answers loses."""

    macro_f1: float
    macro_f1_int8: float
    accuracy: float
    accuracy_int8: float


@dataclass(frozen=True)
class Int8Report:
    """What a model's answers to test products lose, and what is gained.

    Attributes:
        views: view -> its scores with both backbones.
        num_changed: fused answers that are another class.
        speed: photos a second in integers, as a multiple of those in floats; measured in turn.
    """

    model: str
    backbone: str
    num_calibrated: int
    num_judged: int
    views: dict[str, Cost]
    num_changed: int
    speed: float
    path: Path

    def to_json(self) -> dict:
        """Return the report as plain JSON values."""
        return asdict(self) | {"path": str(self.path)}

    def summary(self) -> list[str]:
        """Return the report in lines."""
        lines = [
            f"{self.backbone} of {self.model} in 8-bit integers, ranges from "
            f"{self.num_calibrated:,} photos: {self.path}",
            f"{self.speed:.2f} times as many photos a second on this machine",
        ]
        lines += [
            f"{view} on {self.num_judged:,} test products: macro-F1 {cost.macro_f1:.3f} -> "
            f"{cost.macro_f1_int8:.3f}, accuracy {cost.accuracy:.3f} -> {cost.accuracy_int8:.3f}"
            for view, cost in self.views.items()
        ]
        share = self.num_changed / self.num_judged
        lines.append(f"{self.num_changed:,} fused answers ({share:.1%}) are another class")
        if self.speed <= 1:
            lines.append("it does not pay here: leave --int8 away")
        return lines


def int8_path(workspace: Workspace, artifact: "Artifact") -> Path:
    """Return where the graph of a model's backbone lies, once it is made.

    Raises:
        ConfigError: if the model looks at no photo.
    """
    from mmcore.onnx_export import BACKBONE_FILE

    if BACKBONE_FILE not in artifact.graphs:
        raise ConfigError(
            f"model {artifact.manifest.name!r} has no graph of a backbone: it looks at no photo, "
            "or an earlier version of this package saved it; name another model"
        )
    digest = hashlib.sha256(artifact.graphs[BACKBONE_FILE]).hexdigest()[:16]
    return workspace.cache / "int8" / f"{digest}.onnx"


def with_int8(workspace: Workspace, artifact: "Artifact") -> "Artifact":
    """Return a model that answers with its backbone in integers.

    Raises:
        ConfigError: if it looks at no photo, or the graph wasn't made yet.
    """
    from mmcore.onnx_export import BACKBONE_FILE

    path = int8_path(workspace, artifact)
    if not path.is_file():
        name = artifact.manifest.name
        raise ConfigError(
            f"model {name!r} has no backbone in integers yet; make it, and see what it costs, "
            f"with: models int8 {name}"
        )
    return replace(artifact, graphs={**artifact.graphs, BACKBONE_FILE: path.read_bytes()})


def load_int8_runtime(workspace: Workspace, settings: Settings, model: str | None) -> "Runtime":
    """Return a model that answers in integers, on the CPU; its name as for `load_runtime`.

    Raises:
        ConfigError: if it looks at no photo, or the graph wasn't made yet.
        WorkspaceError: if there is no such model.
        ArtifactError: if its folder is damaged.
    """
    import torch

    from mmcore.artifact import load_artifact
    from mmcore.runtime import Runtime

    artifact = load_artifact(model_folder(workspace, settings, model), by_graphs=True)
    small = with_int8(workspace, artifact)
    return Runtime(small, torch.device("cpu"), settings.decode_threads)


def make_int8(
    workspace: Workspace,
    settings: Settings,
    model: str | None,
    num_photos: int,
    progress: Callable[[str], None] = lambda doing: None,
) -> Int8Report:
    """Make the graph of a model's backbone in integers and judge it on the test products.

    Args:
        model: its name; None: production, else the newest.
        num_photos: of train products, to find each layer's range on.
        progress: called with what is being done.

    Raises:
        ConfigError: if the model looks at no photo.
        TrainingDataError: without enough train photos, or labelled test products.
        WorkspaceError: if there is no such model, or the graph can't be kept.
        ArtifactError: if its folder is damaged.
    """
    from mmcore.artifact import load_artifact
    from mmcore.onnx_export import BACKBONE_FILE
    from mmcore.quantizing import quantize_backbone

    artifact = load_artifact(model_folder(workspace, settings, model))
    path = int8_path(workspace, artifact)
    products = read_catalogue(workspace, settings).products
    progress("reading photos")
    photos = _calibration_photos(workspace, products, num_photos)
    progress("finding ranges")
    graph = quantize_backbone(artifact.graphs[BACKBONE_FILE], photos)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(graph))
    except OSError as error:
        raise WorkspaceError(f"{path} can't be written: {error.strerror or error}") from error
    progress("judging")
    num_judged, views, num_changed = _judged(workspace, settings, artifact, products, path)
    return Int8Report(
        model=artifact.manifest.name,
        backbone=artifact.config.model.backbone,
        num_calibrated=len(photos),
        num_judged=num_judged,
        views=views,
        num_changed=num_changed,
        speed=_speed(artifact.graphs[BACKBONE_FILE], graph, photos),
        path=path,
    )


def _calibration_photos(
    workspace: Workspace, products: "pd.DataFrame", num_photos: int
) -> "list[np.ndarray]":
    from mmcore.images import decode_photo
    from mmcore.photos import PhotoStore

    store, found = PhotoStore(workspace.photos), []
    keys = products.loc[(products["split"] == "train") & (products["photo"] != ""), "photo"]
    for key in keys.drop_duplicates().sort_values():  # by content, that is by chance
        if len(found) == num_photos:
            break
        try:
            found.append(decode_photo(store.read(key)))
        except ImageError:
            continue
    if len(found) < MIN_PHOTOS:
        raise TrainingDataError(
            f"{len(found)} photos of train products can be read, {MIN_PHOTOS} are the least to "
            "find the ranges of integers on; import products with photos"
        )
    return found


def _judged(
    workspace: Workspace,
    settings: Settings,
    artifact: "Artifact",
    products: "pd.DataFrame",
    path: Path,
) -> tuple[int, dict[str, Cost], int]:
    """Return how many test products there were, what each view loses, and the changed answers."""
    from mmcore.batches import encode_products
    from mmcore.reports import scores_by_view

    codes = artifact.class_codes
    test = products[(products["split"] == "test") & products["label"].isin(codes)]
    if test.empty:
        raise TrainingDataError(
            f"no test product has a label that model {artifact.manifest.name!r} knows, so what "
            f"integers cost can't be told; the graph lies in {path} all the same; label some"
        )
    encoded = encode_products(test, artifact.config.model, artifact.encoders, codes)
    small = with_int8(workspace, artifact)
    found = [_views(workspace, settings, model, encoded) for model in (artifact, small)]
    scores = [scores_by_view(views, encoded.labels) for views in found]
    costs = {
        view: Cost(*(side[view][name] for name in ("macro_f1", "accuracy") for side in scores))
        for view in (artifact.config.model.image_name, FUSED)
        if all(side[view] is not None for side in scores)
    }
    before, after = (views[FUSED].probs.argmax(axis=1) for views in found)
    return len(test), costs, int((before != after).sum())


def _views(
    workspace: Workspace, settings: Settings, artifact: "Artifact", products: "EncodedProducts"
) -> "dict[str, View]":
    import torch

    from mmcore.batches import BatchReader, FreshFeatures
    from mmcore.engines import engine_of
    from mmcore.photos import PhotoStore
    from mmcore.pixels import PhotoReader
    from mmcore.views import decide, views

    cpu = torch.device("cpu")
    engine = engine_of(artifact.model, cpu, artifact.graphs)
    reader = PhotoReader(PhotoStore(workspace.photos).read, settings.decode_threads)
    try:
        images = FreshFeatures(engine.extractor, reader, cpu)
        name = artifact.config.model.image_name
        decisions = decide(engine, BatchReader(products, name, images, cpu))
    finally:
        reader.close()
    return views(decisions, artifact.combiner)


def _speed(exact: bytes, small: bytes, photos: "Sequence[np.ndarray]") -> float:
    """Return the ratio of photos a second, the median of pairs measured in turn."""
    from mmcore.extractors import OnnxExtractor

    extractors = [OnnxExtractor(graph) for graph in (exact, small)]

    def seconds(extractor: OnnxExtractor) -> float:
        started = time.perf_counter()
        for photo in photos[:_TIMED]:
            extractor.of_photo(photo)
        return time.perf_counter() - started

    ratios = []
    for _ in range(_ROUNDS + 1):
        before, after = (seconds(extractor) for extractor in extractors)
        ratios.append(before / after)
    return round(statistics.median(ratios[1:]), 2)  # the first pair allocates
