"""Asking a model about one product: its answer, and why."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.config import run_config_from_json
from mmcore.errors import ConfigError, ProductError
from mmcore.images import read_photo
from mmcore.manifest import broken, read_json
from mmcore.services.models import model_folder
from mmcore.settings import Settings
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from mmcore.explain import Explanation
    from mmcore.runtime import Prediction, ProductInput, Runtime

WORDS_SHOWN = 5
USUAL_COLUMNS = ("title", "description", "photo")


def load_runtime(workspace: Workspace, settings: Settings, model: str | None) -> "Runtime":
    """Return a model ready to predict; without a name production, else the newest.

    Raises:
        WorkspaceError: if there is no such model.
        ArtifactError: if its folder is damaged.
    """
    from mmcore.artifact import load_artifact
    from mmcore.build import resolve_device
    from mmcore.runtime import Runtime

    folder, device = model_folder(workspace, settings, model), resolve_device(settings.device)
    artifact = load_artifact(folder, by_graphs=device.type == "cpu")
    return Runtime(artifact, device, settings.decode_threads)


def further_columns(workspace: Workspace, settings: Settings, model: str) -> list[str]:
    """Return the columns beside title, description and photo that a model reads.

    The model isn't loaded for it, so that fields are there while it is.

    Raises:
        WorkspaceError: if there is no such model.
        ArtifactError: if its folder is damaged.
    """
    folder = model_folder(workspace, settings, model)
    try:
        config = run_config_from_json(read_json(folder / "config.json")["run"])
    except (KeyError, TypeError, ConfigError) as error:
        raise broken(folder, f"config.json can't be read: {error}") from error
    return [c for m in config.model.modalities for c in m.columns if c not in USUAL_COLUMNS]


def product_input(
    title: str, description: str, photo: Path | None, extra: Mapping[str, str]
) -> "ProductInput":
    """Return a product as a person gave it.

    Raises:
        ProductError: if neither title, description, photo nor further columns are given.
        ImageError: if the photo file can't be read.
    """
    if not (title.strip() or description.strip() or photo or extra):
        raise ProductError(
            "nothing to predict from: give --title, --description or --image (any of them will do)"
        )
    return given_product(title, description, read_photo(photo) if photo else None, extra)


def given_product(
    title: str, description: str, photo: bytes | None, extra: Mapping[str, str]
) -> "ProductInput":
    """Return a product whose photo is at hand; whether it holds anything is asked later."""
    from mmcore.runtime import ProductInput

    values = {name: _whole(value) for name, value in extra.items()}
    return ProductInput(_whole(title), _whole(description), photo, extra=values)


def _whole(text: str) -> str:
    """Return text without halves of characters, which can't be stored, hashed or printed."""
    return text.encode("utf-8", "replace").decode()


def explain(runtime: "Runtime", product: "ProductInput", prediction: "Prediction") -> "Explanation":
    """Return why the fused answer is what it is."""
    from mmcore.explain import explain as explain_product

    return explain_product(runtime, product, prediction)


def answer_json(
    runtime: "Runtime",
    prediction: "Prediction",
    top: int,
    explanation: "Explanation | None",
) -> dict:
    """Return an answer as plain JSON values: the best classes of every view."""
    from mmcore.reports import USUAL_VIEWS

    names = [*USUAL_VIEWS, *(name for name in prediction.probs if name not in USUAL_VIEWS)]
    views = {name: [vars(r) for r in prediction.top(name, top)] or None for name in names}
    data = {
        "model": runtime.artifact.manifest.name,
        **views,
        "problems": list(prediction.problems),
    }
    return data | ({"why": _explanation_json(explanation)} if explanation else {})


def _explanation_json(explanation: "Explanation") -> dict:
    regions = explanation.regions
    return {
        "class": explanation.code,
        "probability": explanation.probability,
        "words": [vars(word) for word in explanation.words],
        "regions": None if regions is None else [[float(v) for v in row] for row in regions],
        "ablation": [vars(row) for row in explanation.ablation],
    }


def explanation_lines(explanation: "Explanation") -> list[str]:
    """Return an explanation in sentences."""
    lines = [f"why {explanation.code} ({explanation.probability:.1%}):"]
    spoke_for = [w for w in explanation.words if w.weight > 0][:WORDS_SHOWN]
    against = [w for w in reversed(explanation.words) if w.weight < 0][:WORDS_SHOWN]
    for label, found in (("words for it", spoke_for), ("words against it", against)):
        if found:
            lines.append(f"  {label}: " + ", ".join(f"{w.word} ({w.weight:+.2f})" for w in found))
    if explanation.regions is not None:
        row, column = divmod(int(explanation.regions.argmax()), explanation.regions.shape[1])
        lines.append(f"  photo: {_place(row, column)} speaks for it most")
    for row in explanation.ablation:
        left = "nothing left to decide by" if row.without_it is None else f"{row.without_it:.1%}"
        lines.append(f"  without {row.modality}: {left}")
    return lines


def _place(row: int, column: int) -> str:
    vertical = ("the top", "the middle", "the bottom")[row * 3 // 7]
    horizontal = ("left", "centre", "right")[column * 3 // 7]
    return f"{vertical} {horizontal}"
