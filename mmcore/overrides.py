"""Single values of a run's configuration, set by name: for experiments, and for `benchmarks/`.

What may be set, its help and its limits are the `knob` fields of `config.py`; nothing is named
twice. Those of a phase carry its number: `lr1`, `patience2`.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from mmcore.config import Checked, ModelConfig, RunConfig
from mmcore.errors import ConfigError

_OWN_OPTIONS = ("seed", "epochs", "joint")  # of the command line
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def apply_overrides(config: RunConfig, given: Sequence[str]) -> RunConfig:
    """Return the configuration with values set by words such as "modality_dropout=0.3".

    Raises:
        ConfigError: if a word is no NAME=VALUE, the name is unknown, or the value out of limits.
    """
    for word in given:
        name, separator, text = word.partition("=")
        if not separator or not text.strip():
            raise ConfigError(f"--set {word!r} can't be read; write NAME=VALUE")
        config = _with_value(config, name.strip(), text.strip())
    return config


def knobs(config: RunConfig) -> Iterator[tuple[str, str, Any]]:
    """Yield (name, help, value) of everything that can be set."""
    for part, suffix in _parts(config):
        for field in _fields(part):
            yield field.name + suffix, field.metadata["help"], getattr(part, field.name)


def _parts(config: RunConfig) -> list[tuple[Checked, str]]:
    phases = [(phase, str(number)) for number, phase in enumerate(config.phases, start=1)]
    return [(config, ""), (config.model, ""), *phases]


def _fields(part: Checked) -> list[dataclasses.Field]:
    fields = dataclasses.fields(part)  # type: ignore[arg-type]
    return [f for f in fields if "help" in f.metadata and f.name not in _OWN_OPTIONS]


def _with_value(config: RunConfig, name: str, text: str) -> RunConfig:
    for part, suffix in _parts(config):
        for field in _fields(part):
            if field.name + suffix == name:
                changed = dataclasses.replace(part, **{field.name: _parsed(field, text)})
                return _with_part(config, part, changed)
    names = ", ".join(known for known, _, _ in knobs(config))
    raise ConfigError(f"--set {name!r}: there is no such value; it may be one of {names}")


def _with_part(config: RunConfig, part: Checked, changed: Checked) -> RunConfig:
    if isinstance(changed, RunConfig):
        return changed
    if isinstance(changed, ModelConfig):
        return dataclasses.replace(config, model=changed)
    phases = tuple(changed if phase is part else phase for phase in config.phases)
    return dataclasses.replace(config, phases=phases)


def _parsed(field: dataclasses.Field, text: str) -> Any:
    try:
        return _WORDS[text.lower()] if field.type is bool else field.type(text)
    except (KeyError, ValueError) as error:
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        raise ConfigError(
            f"--set {field.name}: {text!r} is not {kinds[field.type]} ({field.metadata['help']})"
        ) from error
