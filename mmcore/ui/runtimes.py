"""Models ready to predict, loaded once a process: the first one brings torch with it."""

from pathlib import Path

import streamlit as st

from mmcore.services.catalogue_numbers import catalogue_revision
from mmcore.services.neighbour_reading import LiveIndex
from mmcore.services.prediction import load_runtime
from mmcore.services.registry_view import VersionInfo, list_versions
from mmcore.settings import Settings, read_settings
from mmcore.store.engine import Store
from mmcore.ui.desk import Desk
from mmcore.workspace import Workspace

PRODUCTION = "production"


def usable_versions(desk: Desk) -> list[VersionInfo]:
    """Return the model versions whose folders are there, production first, then the newest."""
    found = [v for v in list_versions(desk.store, desk.workspace) if v.folder == "present"]
    return sorted(found, key=lambda version: version.stage != PRODUCTION)


def runtime_of(desk: Desk, name: str):
    """Return a model that predicts.

    Raises:
        MmcoreError: if its folder is damaged or gone.
    """
    return _runtime(desk.settings.home, name)


def live_index(desk: Desk, name: str) -> tuple[LiveIndex, int]:
    """Return what finds products that are alike as a model sees them, and the catalogue's revision.

    Raises:
        MmcoreError: if the model's folder is damaged or gone.
    """
    live = _live(desk.settings.home, name, runtime_of(desk, name), desk.store, desk.settings)
    return live, catalogue_revision(desk.store)


# three: production, and two to compare it with
@st.cache_resource(show_spinner="Loading the model…", max_entries=3)
def _runtime(home: Path, name: str):
    return load_runtime(Workspace(home), read_settings(home), name)


@st.cache_resource(show_spinner=False, max_entries=2)
def _live(home: Path, name: str, _runtime, _store: Store, _settings: Settings) -> LiveIndex:
    return LiveIndex(_runtime, _store, Workspace(home), _settings)
