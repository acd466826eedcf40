"""Run choices: what is trained and how. Frozen, validated, kept inside the model folder.

Defaults, limits and help texts stand once, here; the command line, the pages and the README take
them from `knob`. A preset is nothing but other defaults.
"""

import dataclasses
import re
from dataclasses import dataclass, field, fields
from typing import Any

from mmcore.errors import ConfigError

PRESETS = ("strong", "seed")
BACKBONES = ("efficientnet_lite0", "mobilenet_v2", "efficientnet_b0")
WEIGHTS = ("imagenet", "random")
MODALITY_KINDS = ("text", "image", "tabular")
MINUTES = 15  # that a training may take where nobody says how long
MAX_MODALITIES = 6  # every choice of them gets a rule of its own: 63 at 6
FUSED = "fused"  # the view of all modalities together; no modality may be called so
_LINEAR = "linear:"  # no modality's name holds a colon
# columns of a table of predictions, in which each modality gets columns of its own
_RESULT_NAMES = ("product_id", "predicted", "name_fr", "probability", "problems")
_BOOKKEEPING = "is the catalogue's own bookkeeping and says nothing about new products"
# catalogue columns that no text or table may be read from, and why
CLOSED_COLUMNS = {
    "label": "is what is to be predicted",
    "photo": "is read by the modality called image",
    **dict.fromkeys(("product_id", "group_id", "split", "photo_hash"), _BOOKKEEPING),
}


def linear_source(modality: str) -> str:
    """Return the name under which a modality's linear head is a source of decisions."""
    return _LINEAR + modality


def modality_of(source: str) -> str:
    """Return the modality that a source other than the fusion looks at."""
    return source.removeprefix(_LINEAR)


def knob(default: Any, help: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a dataclass field with its help text and inclusive limits."""
    return field(default=default, metadata={"help": help, "low": low, "high": high})


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class Checked:
    """Mixin for frozen dataclasses: holds every field to its type and every `knob` to its limits.

    Types are checked because configurations are read from files, which a hand may have changed.
    """

    def __post_init__(self) -> None:
        for knob_field in fields(self):  # type: ignore[arg-type]
            low, high = knob_field.metadata.get("low"), knob_field.metadata.get("high")
            value, kind = getattr(self, knob_field.name), knob_field.type
            # a bool is an int to Python, and an int will do for a float
            if kind in _KINDS and type(value) is not kind and (kind, type(value)) != (float, int):
                raise ConfigError(f"{knob_field.name} is {value!r}; it must be {_KINDS[kind]}")
            if low is not None and not low <= value <= high:
                raise ConfigError(
                    f"{knob_field.name} is {value}; it must lie from {low} to {high} "
                    f"({knob_field.metadata['help']})"
                )


@dataclass(frozen=True)
class ModalityConfig:
    """One source of evidence about a product, and the catalogue columns it is read from."""

    name: str
    kind: str
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in MODALITY_KINDS:
            raise ConfigError(
                f"modality {self.name!r} is of kind {self.kind!r}; "
                f"use one of {', '.join(MODALITY_KINDS)}"
            )
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", self.name) or self.name.startswith(FUSED):
            raise ConfigError(
                f"modality name {self.name!r} can't be used; take up to 31 lower-case letters, "
                "digits and underscores, starting with a letter and not with the word 'fused', "
                "as NAME:KIND:COLUMN"
            )
        if self.name in _RESULT_NAMES or self.name.endswith("_probability"):
            raise ConfigError(
                f"modality name {self.name!r} is that of a column of the results; choose another, "
                "as NAME:KIND:COLUMN"
            )
        if not self.columns:
            raise ConfigError(
                f"modality {self.name!r} names no catalogue column; give at least one"
            )
        closed = [column for column in self.columns if column in CLOSED_COLUMNS]
        if closed and self.kind != "image":
            raise ConfigError(
                f"modality {self.name!r} can't be read from column {closed[0]!r}: it "
                f"{CLOSED_COLUMNS[closed[0]]}; name title, description or further columns"
            )


TEXT = ModalityConfig("text", "text", ("title", "description"))
IMAGE = ModalityConfig("image", "image", ("photo",))


def parse_modality(text: str) -> ModalityConfig:
    """Return the modality a command-line word stands for.

    `text` and `image` are the built-in ones; `price` is a tabular one from column price;
    `reviews:text` a second text; `facts:tabular:price+brand` has several columns.
    """
    if text in ("text", "image"):
        return TEXT if text == "text" else IMAGE
    name, kind, columns, *rest = [*text.split(":"), "", ""][: max(3, text.count(":") + 1)]
    if rest or kind == "image":
        raise ConfigError(
            f"modality {text!r} can't be read; write NAME, NAME:KIND or NAME:KIND:COLUMN+COLUMN "
            "with KIND text or tabular (there is one image modality, called image)"
        )
    picked = tuple(part for part in (columns or name).split("+") if part)
    # a modality's name becomes part of tensor names, a column's may hold anything
    safe = re.sub(r"[^a-z0-9_]+", "_", name.lower())
    return ModalityConfig(safe, kind or "tabular", picked)


@dataclass(frozen=True)
class ModelConfig(Checked):
    """The network: which towers, which backbone, how the missing is handled."""

    modalities: tuple[ModalityConfig, ...] = (TEXT, IMAGE)
    backbone: str = "efficientnet_lite0"
    weights: str = "imagenet"
    modality_dropout: float = knob(
        0.2, "share of products that lose one modality in a training step", 0.0, 0.9
    )
    head_weight: float = knob(1.0, "weight of each tower's own loss beside the fused loss", 0, 10)
    linear_heads: bool = knob(True, "a linear head over n-grams, photo features or columns, too")
    joint: bool = knob(True, "let the fused loss reach into the towers (else train them apart)")

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [modality.name for modality in self.modalities]
        if not names or len(set(names)) != len(names) or len(names) > MAX_MODALITIES:
            raise ConfigError(
                f"modalities are {names}; name 1 to {MAX_MODALITIES} of them, each once"
            )
        if sum(modality.kind == "image" for modality in self.modalities) > 1:
            raise ConfigError("two image modalities were asked for; one is the limit")
        if self.backbone not in BACKBONES:
            raise ConfigError(f"backbone {self.backbone!r}: use one of {', '.join(BACKBONES)}")
        if self.weights not in WEIGHTS:
            raise ConfigError(f"weights {self.weights!r}: use one of {', '.join(WEIGHTS)}")
        if not self.joint and not self.head_weight:
            raise ConfigError("joint is off and head_weight is 0: the towers would learn nothing")

    @property
    def image_name(self) -> str | None:
        """Return the name of the image modality, None where the model looks at no photo."""
        return next((m.name for m in self.modalities if m.kind == "image"), None)


@dataclass(frozen=True)
class PhaseConfig(Checked):
    """One phase of training; the phases are rows of data, the loop is one."""

    name: str
    epochs: int = knob(10, "passes over the train products", 0, 10_000)
    lr: float = knob(1e-3, "peak learning rate of AdamW", 1e-6, 1e-1)
    train_backbone: bool = knob(False, "unfreeze the image backbone")
    update_batchnorm: bool = knob(False, "let the backbone's BatchNorm statistics move")
    patience: int = knob(6, "epochs without a better val macro-F1 before the phase ends", 1, 10_000)


@dataclass(frozen=True)
class RunConfig(Checked):
    """Everything that decides a training run, so that it can be repeated."""

    preset: str = "strong"
    model: ModelConfig = ModelConfig()
    phases: tuple[PhaseConfig, ...] = ()
    batch_size: int = knob(32, "products a training step", 2, 4096)
    weight_decay: float = knob(0.01, "decoupled weight decay of AdamW", 0.0, 1.0)
    warmup_share: float = knob(0.1, "share of a phase's steps in which the rate rises", 0.0, 0.9)
    max_bad_steps: int = knob(5, "steps in a row with a non-finite loss before giving up", 1, 1000)
    use_combiner: bool = knob(True, "fuse the heads' decisions on val, and calibrate")
    refit: bool = knob(
        False, "weigh the network on folds, then let it learn from train and val together"
    )
    seed: int = knob(0, "seed of every random stream", 0, 2**31 - 1)
    parent: str | None = None  # name of the model whose weights it starts from

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.preset not in PRESETS:
            raise ConfigError(f"preset {self.preset!r}: use one of {', '.join(PRESETS)}")
        if not any(phase.epochs for phase in self.phases):
            raise ConfigError("no phase has an epoch to train; set --epochs1 to 1 or more")
        if self.refit and not can_refit(self):
            raise ConfigError(
                "refit is true, but there are epochs of fine-tuning, which val has to stop, or "
                "use_combiner is false, so that nothing is weighed; leave one of them out"
            )


@dataclass(frozen=True)
class RunChoices(Checked):
    """What a person chose for a run; None leaves it to the preset."""

    preset: str = "strong"
    backbone: str | None = None
    weights: str = "imagenet"
    modalities: tuple[ModalityConfig, ...] | None = None
    epochs1: int | None = None
    epochs2: int | None = None  # None: planned, see `services/fine_tuning.py`
    minutes: int = knob(MINUTES, "minutes a training may take", 1, 10_080)
    joint: bool = True
    seed: int = 0
    parent: str | None = None  # name of the model to start from; None: from random weights
    values: tuple[str, ...] = ()  # single values as NAME=VALUE, see `overrides.py`


# Products of train and val with which a network is weighed on folds: fewer can't be split five
# ways; beyond, val is large enough to weigh by, and six more networks are slow.
MIN_REFIT, MAX_REFIT = 100, 8_000
# backbone, epochs of phase 1, the drawing and nothing else: what the two presets differ in
_PRESET_ROWS = {
    "strong": {"backbone": "efficientnet_lite0", "epochs1": 30, "is_plain": False},
    "seed": {"backbone": "mobilenet_v2", "epochs1": 15, "is_plain": True},
}
# A run that starts from a trained network has little left to learn: on 1,000 products with two
# kinds of classes, 3, 5 and 8 epochs scored alike, and a third of the rate no better.
_WARM_EPOCHS1 = 5


def preset_defaults(choice: str) -> str:
    """Return what the presets choose where a person doesn't, for help texts."""
    return ", ".join(f"{row[choice]} with {preset}" for preset, row in _PRESET_ROWS.items())


def build_run_config(choices: RunChoices) -> RunConfig:
    """Return the full run configuration for a person's choices; phase 2 only where asked for.

    Raises:
        ConfigError: if a choice is unknown or out of its limits.
    """
    if choices.preset not in _PRESET_ROWS:
        raise ConfigError(f"preset {choices.preset!r}: use one of {', '.join(PRESETS)}")
    row = _PRESET_ROWS[choices.preset]
    modalities = choices.modalities or (TEXT, IMAGE)
    has_image = any(modality.kind == "image" for modality in modalities)
    usual = row["epochs1"] if choices.parent is None else _WARM_EPOCHS1
    epochs1 = usual if choices.epochs1 is None else choices.epochs1
    epochs2 = choices.epochs2 or 0
    phases = [PhaseConfig("frozen", epochs1, 1e-3)]
    if has_image:  # without a backbone there is nothing to unfreeze
        phases.append(PhaseConfig("fine-tuning", epochs2, 1e-4, train_backbone=True, patience=2))
    return RunConfig(
        preset=choices.preset,
        model=ModelConfig(
            modalities=modalities,
            backbone=row["backbone"] if choices.backbone is None else choices.backbone,
            weights=choices.weights,
            linear_heads=not row["is_plain"],
            joint=choices.joint,
        ),
        phases=tuple(phases),
        use_combiner=not row["is_plain"],
        seed=choices.seed,
        parent=choices.parent,
    )


def pays_to_refit(config: RunConfig, num_learnt: int) -> bool:
    """Return whether the network is to be weighed on folds, and then to learn from val as well.

    Args:
        num_learnt: products of train and val.
    """
    return can_refit(config) and MIN_REFIT <= num_learnt <= MAX_REFIT


def can_refit(config: RunConfig) -> bool:
    """Return whether there is something to weigh, and nothing that val is still needed for."""
    is_tuned = any(phase.epochs and phase.train_backbone for phase in config.phases)
    return config.use_combiner and not is_tuned


def to_json(config: Any) -> dict:
    """Return a configuration as plain JSON values."""
    return dataclasses.asdict(config)


def run_config_from_json(data: dict) -> RunConfig:
    """Return the RunConfig that `to_json` wrote.

    Raises:
        ConfigError: if a key is missing, unknown or out of its limits.
    """
    try:
        model = dict(data["model"])
        model["modalities"] = tuple(map(_modality_from_json, model["modalities"]))
        phases = tuple(PhaseConfig(**phase) for phase in data["phases"])
        return RunConfig(**{**data, "model": ModelConfig(**model), "phases": phases})
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the run configuration can't be read: {error}; train again") from error


def _modality_from_json(data: dict) -> ModalityConfig:
    columns = data["columns"]
    if not isinstance(columns, list | tuple) or not all(isinstance(c, str) for c in columns):
        raise ValueError(f"the columns of modality {data['name']!r} are {columns!r}")
    return ModalityConfig(data["name"], data["kind"], tuple(columns))
