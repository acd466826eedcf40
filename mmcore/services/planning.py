"""From a person's choices and the catalogue as it is to the full configuration of a run."""

from dataclasses import replace

from mmcore.catalog.products import Catalogue
from mmcore.config import RunChoices, RunConfig, build_run_config, pays_to_refit
from mmcore.errors import WarmStartError
from mmcore.overrides import apply_overrides
from mmcore.services.fine_tuning import Photos, plan_epochs
from mmcore.services.parents import inherit
from mmcore.services.retrain_choices import RetrainChoices, no_production
from mmcore.services.training_data import Selection, fit_modalities, select
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
    parent_is_refit = None
    if choices.parent is not None:
        choices, parent_is_refit = inherit(workspace, choices, catalogue)
    modalities, notes = fit_modalities(choices.modalities, selection.train)
    choices = replace(choices, modalities=modalities)
    usual, more = _with_fine_tuning(build_run_config(choices), choices, selection, settings)
    wished = apply_overrides(usual, choices.values)  # may leave no room for a refit
    is_refit = parent_is_refit
    if is_refit is None:
        is_refit = len(selection.val) > 0 and pays_to_refit(wished, len(selection.learnt))
    config = apply_overrides(replace(usual, refit=is_refit), choices.values)
    return config, (*selection.notes, *notes, *more)


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


def _with_fine_tuning(
    config: RunConfig, choices: RunChoices, selection: Selection, settings: Settings
) -> tuple[RunConfig, tuple[str, ...]]:
    """Return the configuration with as much of phase 2 as pays, where nobody has said how much."""
    tuned = [phase for phase in config.phases if phase.train_backbone]
    if choices.epochs2 is not None or not tuned:
        return config, ()
    from mmcore.build import resolve_device

    splits = (selection.train, selection.val)
    photos = Photos(*(int((part["photo"] != "").sum()) for part in splits))
    epochs, why = plan_epochs(config, photos, choices.minutes, resolve_device(settings.device))
    phases = tuple(replace(p, epochs=epochs) if p in tuned else p for p in config.phases)
    return replace(config, phases=phases), (why,)
