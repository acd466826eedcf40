"""From a person's choices and the catalogue as it is to the full configuration of a run."""

from dataclasses import replace

from mmcore.catalog.products import Catalogue
from mmcore.config import RunChoices, RunConfig, build_run_config
from mmcore.errors import WarmStartError
from mmcore.overrides import apply_overrides
from mmcore.services.parents import inherit
from mmcore.services.retrain_choices import RetrainChoices, no_production
from mmcore.services.training_data import Selection, fit_modalities, select
from mmcore.settings import Settings
from mmcore.workspace import Workspace

# Products of train and val with which the network is weighed on folds: fewer can't be split five
# ways; beyond, val is large enough to weigh by, and six more networks are slow.
MIN_REFIT, MAX_REFIT = 100, 8_000


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
    usual = build_run_config(choices, on_gpu=is_gpu(settings))
    if parent_is_refit is None:
        usual = replace(usual, refit=_pays_to_refit(usual, selection))
    else:
        usual = replace(usual, refit=parent_is_refit)
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


def _pays_to_refit(config: RunConfig, selection: Selection) -> bool:
    """Return whether the network is to be weighed on folds, and then to learn from val as well."""
    if not config.use_combiner or not len(selection.val):
        return False
    if any(phase.epochs and phase.train_backbone for phase in config.phases):
        return False  # val is what tells whether fine-tuning gains anything
    return MIN_REFIT <= len(selection.learnt) <= MAX_REFIT


def _notes(config: RunConfig, choices: RunChoices) -> list[str]:
    tuned = [p for p in config.phases if p.train_backbone]
    if tuned and not any(p.epochs for p in tuned) and choices.epochs2 is None:
        return [
            "phase 2 (fine-tuning of the backbone) is skipped: on a CPU it takes minutes an epoch; "
            "ask for it with --epochs2 N"
        ]
    return []
