"""What runs here: versions, places, packages with their licences, and what `doctor` finds."""

import importlib.metadata
import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mmcore import __version__
from mmcore.errors import WorkspaceError
from mmcore.jobs.local import environment_of
from mmcore.services.finding import Finding
from mmcore.services.health_machine import requirements
from mmcore.settings import Settings
from mmcore.store.engine import Store

DOCTOR_S = 180  # torch alone takes some seconds to load, on a busy machine a minute
NOT_HERE = "not installed"


@dataclass(frozen=True)
class About:
    """What runs, and where it keeps things; `database` never holds a password."""

    version: str
    python: str
    system: str
    home: Path
    database: str


@dataclass(frozen=True)
class Package:
    """One direct dependency as it is installed here."""

    name: str
    version: str
    licence: str


def about(store: Store, settings: Settings) -> About:
    """Return what runs here."""
    url = store.engine.url
    database = str(url.database) if store.is_sqlite else url.render_as_string(hide_password=True)
    system = f"{platform.system()} {platform.machine()}"
    return About(__version__, platform.python_version(), system, settings.home, database)


def packages_here() -> tuple[Package, ...]:
    """Return the direct dependencies, with the licences that they state themselves."""
    return tuple(_package(name) for name, *_ in requirements())


def _package(name: str) -> Package:
    try:
        data = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return Package(name, NOT_HERE, "")
    return Package(name, data["Version"], licence_of(data))


def licence_of(data) -> str:
    """Return the licence that a package's metadata name, in its own words.

    Args:
        data: its metadata; older packages put the whole text, or only a classifier there.
    """
    if named := data.get("License-Expression"):
        return named
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in data.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    lines = (data.get("License") or "").strip().splitlines()
    return ", ".join(classifiers) or (lines[0] if lines else "see its own page")


def examine_apart(settings: Settings) -> list[Finding]:
    """Return what `doctor` finds, in a process of its own: it loads torch, the app doesn't.

    Raises:
        WorkspaceError: if it didn't end in time, or said nothing that can be read.
    """
    command = [sys.executable, "-m", "mmcore", "doctor", "--json", "--home", str(settings.home)]
    try:
        done = subprocess.run(
            command,
            env=environment_of(settings),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=DOCTOR_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _not_examined(str(error)) from error
    try:
        # where something is to be mended it ends with 1, and has said all the same
        return [Finding(**row) for row in json.loads(done.stdout)["findings"]]
    except (ValueError, KeyError, TypeError) as error:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise _not_examined(lines[-1] if lines else f"it ended with {done.returncode}") from error


def _not_examined(reason: str) -> WorkspaceError:
    return WorkspaceError(
        f"doctor could not examine this machine: {reason}; run `python -m mmcore doctor` yourself"
    )
