"""What a person may choose for a retrain, as it is kept in the job's row."""

from dataclasses import asdict, dataclass

from mmcore.config import MINUTES, RunChoices, build_run_config, parse_modality
from mmcore.errors import ConfigError, WarmStartError

REMEDY = "train fresh (retrain --fresh)"  # where a start from production can't be


@dataclass(frozen=True)
class RetrainChoices:
    """None leaves a choice to the preset.

    Attributes:
        modalities: words as `train --modalities` takes them; None: text and image, as far as
            the catalogue has them.
        minutes: that it may take; fine-tuning is planned within them.
        fresh: True: from the start; False: from the production model's weights, or not at all;
            None: from production's where that can be, else from the start.
    """

    preset: str = "strong"
    backbone: str | None = None
    weights: str = "imagenet"
    modalities: tuple[str, ...] | None = None
    epochs1: int | None = None
    epochs2: int | None = None
    joint: bool = True
    seed: int = 0
    fresh: bool | None = None
    minutes: int = MINUTES

    def run_choices(self) -> RunChoices:
        """Return the choices as a training from the start takes them.

        Raises:
            ConfigError: if one is unknown or out of its limits.
        """
        given = asdict(self)
        given.pop("fresh")
        words = given.pop("modalities")
        modalities = None if words is None else tuple(parse_modality(word) for word in words)
        return RunChoices(**given, modalities=modalities)

    def to_json(self) -> dict:
        """Return plain JSON values, after holding them to their limits.

        Raises:
            ConfigError: as `run_choices`; a job that can't train isn't submitted.
        """
        build_run_config(self.run_choices())
        data = asdict(self)
        return data | {"modalities": self.modalities and list(self.modalities)}


def no_production() -> WarmStartError:
    """Return the error for a retrain that was to start from a model that isn't there."""
    return WarmStartError(
        "no model is in production, so there is none to start from; activate one "
        f"(models activate NAME), or {REMEDY}"
    )


def choices_from_json(data: dict) -> RetrainChoices:
    """Return the choices of a job's row.

    Raises:
        ConfigError: if another version wrote what this one doesn't know.
    """
    words = data.get("modalities")
    try:
        return RetrainChoices(**{**data, "modalities": words and tuple(words)})
    except TypeError as error:
        raise ConfigError(
            f"the job's choices can't be read: {error}; submit the retrain again"
        ) from error
