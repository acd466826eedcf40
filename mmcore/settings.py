"""Machine facts, read from the environment: where the workspace is, which device to use.

Run choices (learning rate, preset, ...) are not here but in `config.py`: they belong to a model
and travel with it, these belong to a machine and don't.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from mmcore.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Settings:
    """What this machine offers.

    Attributes:
        home: the workspace folder (MMCORE_HOME; else the platform's user data folder).
        device: auto, cpu, cuda or mps (MMCORE_DEVICE).
        decode_threads: photos decoded side by side (MMCORE_DECODE_THREADS; else one a core).
        offline: nothing may be downloaded, weights neither (MMCORE_OFFLINE=1).
        database_url: where labels and jobs are kept (MMCORE_DATABASE_URL; else SQLite in home).
    """

    home: Path
    device: str
    decode_threads: int
    offline: bool = False
    database_url: str | None = None


def read_settings(home: Path | None = None) -> Settings:
    """Return the settings of this process; `home`, where given, wins over MMCORE_HOME.

    Raises:
        ConfigError: if a variable has no usable value, or the workspace can't be a folder.
    """
    device = os.environ.get("MMCORE_DEVICE", "auto")
    if device not in DEVICES:
        raise ConfigError(f"MMCORE_DEVICE is {device!r}; use one of {', '.join(DEVICES)}")
    return Settings(
        home=_home(home),
        device=device,
        decode_threads=_positive_int("MMCORE_DECODE_THREADS", os.cpu_count() or 1),
        offline=os.environ.get("MMCORE_OFFLINE", "0") not in ("", "0"),
        database_url=os.environ.get("MMCORE_DATABASE_URL") or None,
    )


def _home(given: Path | None) -> Path:
    """Return the workspace folder in full; it needn't be there yet."""
    name, chosen = "--home", given
    if given is None:
        name = "MMCORE_HOME"
        chosen = Path(os.environ.get(name) or user_data_path("rayon", appauthor=False))
    try:
        home = chosen.expanduser().resolve()
        os.fsencode(home).decode("utf-8")  # the library of the model files opens no other path
        nearest = next(path for path in (home, *home.parents) if path.exists())
        if nearest.is_dir():
            return home
        reason = f"{nearest} is a file"
    except UnicodeDecodeError:
        reason = "its name holds bytes that aren't UTF-8"
    except (OSError, RuntimeError, ValueError) as error:  # no such user, links in a circle, NUL
        reason = getattr(error, "strerror", None) or str(error)
    raise ConfigError(
        f"{name} {str(chosen)!r} can't be the workspace: {reason}; "
        "name another folder with --home DIR or MMCORE_HOME"
    )


def _positive_int(name: str, default: int) -> int:
    text = os.environ.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= 256:
        raise ConfigError(f"{name} is {text!r}; use a whole number from 1 to 256, or unset it")
    return int(text)
