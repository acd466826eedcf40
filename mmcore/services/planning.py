"""From a person's choices and the catalogue as it is to the full configuration of a run."""

from dataclasses import replace

from mmcore.catalog.products import Catalogue
from mmcore.config import RunChoices, RunConfig, build_run_config
from mmcore.errors import WarmStartError
from mmcore.overrides import apply_overrides
from mmcore.services.parents import inherit
from mmcore.services.retrain_choices import RetrainChoices, no_production
from mmcore.services.training_data import fit_modalities, select
from mmcore.settings import Settings
from mmcore.workspace import Workspace


def plan(
    workspace: Workspace, catalogue: Catalogue, choices: RunChoices, settings: Settings
) -> tuple[RunConfig, tuple[str, ...]]:
    """Return the full configuration for a person's choices, and notes on what it leaves out.

    Raises:
        MmcoreError: if a choice, or the catalogue, doesn't allow a training.
    """
    selection = select(catalogue)
    if choices.parent is not None:
        choices = inherit(workspace, choices, catalogue)
    modalities, notes = fit_modalities(choices.modalities, selection.train)
    choices = replace(choices, modalities=modalities)
    usual = build_run_config(choices, on_gpu=is_gpu(settings))
    config = apply_overrides(usual, choices.values)
    return config, (*selection.notes, *notes, *_notes(config, choices))


def plan_retrain(
    workspace: Workspace,
    catalogue: Catalogue,
    choices: RetrainChoices,
    production: str | None,
    settings: Settings,
) -> tuple[RunConfig, tuple[str, ...]]:
    """Return as `plan` does, from the production model's weights where that was chosen or can be.

    Args:
        production: name of the model in production.

    Raises:
        WarmStartError: if it is to start from production's weights and can't.
        MmcoreError: as `plan`.
    """
    fresh, notes = choices.run_choices(), ()
    if not choices.fresh:
        try:
            if production is None:
                raise no_production()
            return plan(workspace, catalogue, replace(fresh, parent=production), settings)
        except WarmStartError as error:
            if choices.fresh is False:
                raise
            notes = (f"trained from the start: {error}",) if production else ()
    config, more = plan(workspace, catalogue, fresh, settings)
    return config, (*notes, *more)


def is_gpu(settings: Settings) -> bool:
    """Return whether a run would train on a GPU here."""
    from mmcore.build import resolve_device

    return resolve_device(settings.device).type != "cpu"


def _notes(config: RunConfig, choices: RunChoices) -> list[str]:
    tuned = [p for p in config.phases if p.train_backbone]
    if tuned and not any(p.epochs for p in tuned) and choices.epochs2 is None:
        return [
            "phase 2 (fine-tuning of the backbone) is skipped: on a CPU it takes minutes an epoch; "
            "ask for it with --epochs2 N"
        ]
    return []
