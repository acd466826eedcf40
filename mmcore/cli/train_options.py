"""The options of `train`: what a person may choose for a run, in the words of the help."""

from typing import Annotated

import typer

from mmcore.cli.options import COUNT, FLAG, given_text
from mmcore.config import BACKBONES, PRESETS, WEIGHTS, preset_defaults
from mmcore.errors import ConfigError


def modality_words(text: str | None) -> tuple[str, ...] | None:
    """Return the words of `--modalities`, None where it wasn't given.

    Raises:
        ConfigError: if it names none.
    """
    if text is None:
        return None
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise ConfigError(f"--modalities {text!r} names none; write for example text,image")
    return words


Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"{' or '.join(PRESETS)}: what measures best, or the seed's drawing exactly.",
    ),
]
Backbone = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Image backbone: {', '.join(BACKBONES)}. Without: {preset_defaults('backbone')}.",
    ),
]
Weights = Annotated[
    str,
    typer.Option(metavar="NAME", help=f"Weights the backbone starts from: {' or '.join(WEIGHTS)}."),
]
Modalities = Annotated[
    str | None,
    typer.Option(
        parser=given_text,
        metavar="LIST",
        help="Comma-separated: text, image, further columns as NAME (numbers or categories), "
        "NAME:text, NAME:tabular:COLUMN+COLUMN. Without: text and image, where there are any.",
    ),
]
Epochs1 = Annotated[
    int | None,
    typer.Option(
        metavar=COUNT,
        min=0,
        help="Epochs of phase 1, backbone frozen; it ends early where val gains nothing. "
        f"Without: {preset_defaults('epochs1')}.",
    ),
]
Epochs2 = Annotated[
    int | None,
    typer.Option(
        metavar=COUNT,
        min=0,
        help="Epochs of phase 2, all unfrozen. Without: as many as pay and fit into --minutes, "
        "none for small catalogues.",
    ),
]
Minutes = Annotated[
    int,
    typer.Option(
        metavar=COUNT,
        min=1,
        help="Minutes the training may take; phase 2 is planned within them.",
    ),
]
Separate = Annotated[
    bool,
    typer.Option(
        "--separate",
        metavar=FLAG,
        help="Train each tower from its own loss alone. Without: jointly.",
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set one value of the configuration, for experiments; repeatable. "
        "An unknown name tells them all.",
    ),
]
Seed = Annotated[int, typer.Option(metavar=COUNT, min=0, help="Seed of every random stream.")]
Name = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Name of the new model. Without: the time of day."),
]
Resume = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Go on with a run that was stopped, with its own settings."),
]
