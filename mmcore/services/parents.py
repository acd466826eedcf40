"""The model that a run starts from: whether it can, and what of it is taken over."""

from dataclasses import replace
from typing import TYPE_CHECKING

from mmcore.catalog.products import Catalogue
from mmcore.catalog.snapshot import load_snapshot, snapshot_path
from mmcore.config import RunChoices, RunConfig, run_config_from_json
from mmcore.errors import ArtifactError, ConfigError, WarmStartError, WorkspaceError
from mmcore.holding import using
from mmcore.manifest import read_json, read_manifest, verify
from mmcore.services.retrain_choices import REMEDY
from mmcore.services.training_data import OWN_COLUMNS
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    from mmcore.artifact import Artifact


def inherit(
    workspace: Workspace, choices: RunChoices, catalogue: Catalogue
) -> tuple[RunChoices, bool]:
    """Return the choices with what `choices.parent` decides: modalities, backbone, its weights;
    and whether that model has learnt from val, too.

    Raises:
        WarmStartError: if the model can't be used, is of another kind than was chosen, or has
            learnt from products that are to judge it now.
    """
    name = str(choices.parent)
    try:
        with using(workspace.models / name) as folder:
            verify(folder)
            manifest = read_manifest(folder)
            config = run_config_from_json(read_json(folder / "config.json")["run"])
            codes = {row["code"] for row in read_json(folder / "classes.json")}
    except (ArtifactError, ConfigError, KeyError, TypeError) as error:
        raise WarmStartError(f"no start from model {name!r}: {error}; {REMEDY}") from error
    _require_same_kind(name, choices, config)
    _require_known(name, config, codes, catalogue)
    _require_unseen(workspace, name, manifest.snapshot, catalogue)
    if config.refit and choices.epochs2:
        raise WarmStartError(
            f"no start from model {name!r}: it has learnt from val, which is to stop the "
            f"{choices.epochs2} epochs of fine-tuning that were asked for; leave --epochs2 out, or "
            f"{REMEDY}"
        )
    same = {
        "modalities": config.model.modalities,
        "backbone": config.model.backbone,
        "weights": config.model.weights,
        "epochs2": 0 if config.refit else choices.epochs2,
    }
    return replace(choices, **same), config.refit


def load_parent(workspace: Workspace, name: str) -> "Artifact":
    """Return the model that a run starts from.

    Raises:
        ArtifactError: if its folder is missing or damaged.
    """
    from mmcore.artifact import load_artifact

    with using(workspace.models / name) as folder:
        return load_artifact(folder)


def _require_same_kind(name: str, choices: RunChoices, config: RunConfig) -> None:
    """Refuse choices that the weights don't fit."""
    model = config.model
    wanted = {"preset": (choices.preset, config.preset)}
    if choices.backbone is not None and model.image_name:
        wanted["backbone"] = (choices.backbone, model.backbone)
    if choices.modalities is not None:
        both = (choices.modalities, model.modalities)
        if both[0] != both[1]:
            wanted["modalities"] = tuple("+".join(m.name for m in side) for side in both)
    for what, (asked, has) in wanted.items():
        if asked != has or what == "modalities":
            raise WarmStartError(
                f"no start from model {name!r}: its {what} is {has}, this run's is {asked}; choose "
                f"the same, or {REMEDY}"
            )


def _require_known(name: str, config: RunConfig, codes: set[str], catalogue: Catalogue) -> None:
    """Refuse a model that reads what the catalogue lacks, or knows none of its classes."""
    read = {column for m in config.model.modalities for column in m.columns}
    lacking = sorted(read - {*OWN_COLUMNS, *catalogue.products.columns})
    if lacking:
        raise WarmStartError(
            f"no start from model {name!r}: it reads column {lacking[0]!r}, which the catalogue "
            f"lacks; import again with --extra {lacking[0]}, or {REMEDY}"
        )
    if not codes & set(catalogue.products["label"]):
        raise WarmStartError(
            f"no start from model {name!r}: no product has any of its {len(codes)} classes; "
            f"{REMEDY}"
        )


def _require_unseen(workspace: Workspace, name: str, snapshot: str, catalogue: Catalogue) -> None:
    """Refuse a model that has learnt from products which stop or judge the new one.

    A train product becomes a test product when it turns out to be a near-copy of one.
    """
    try:
        learnt = load_snapshot(snapshot_path(workspace.snapshots, snapshot), snapshot).products
    except WorkspaceError as error:
        raise WarmStartError(
            f"no start from model {name!r}: whether it has learnt from test products can't be "
            f"told: {error}; {REMEDY}"
        ) from error
    now = dict(catalogue.products[["product_id", "split"]].itertuples(index=False))
    moves = [(split, now.get(product)) for product, split in learnt[["product_id", "split"]].values]
    for before, after in (("train", "test"), ("val", "test"), ("train", "val")):
        num_moved = moves.count((before, after))
        if num_moved:
            raise WarmStartError(
                f"no start from model {name!r}: {num_moved:,} of its {before} products are {after} "
                f"products now, which nothing may be learnt from before; {REMEDY}"
            )
