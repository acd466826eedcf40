"""What a page works with: the workspace, its store and the person in front of it."""

import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.jobs.local import LocalBackend
from mmcore.services.opening import open_store
from mmcore.services.people import LOCAL_NAME, Actor, actor_named, local_actor
from mmcore.settings import Settings, read_settings
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

PERSON = "person"  # query parameter and session key


@dataclass(frozen=True)
class Desk:
    """Everything a page may hand to the services.

    Attributes:
        actor: read anew on each run of the page, so that a changed role counts at once.
    """

    settings: Settings
    workspace: Workspace
    store: Store
    actor: Actor

    @property
    def backend(self) -> LocalBackend:
        """Where jobs are sent; made anew, as it holds nothing."""
        return LocalBackend(self.store, self.workspace, self.settings)


def open_desk() -> Desk:
    """Return the desk of this browser session.

    Raises:
        MmcoreError: if the workspace can't be used, or the person isn't known or was deactivated.
    """
    settings = read_settings()
    store = _open(settings.home, settings.database_url)
    return Desk(settings, Workspace(settings.home), store, _person(store))


@st.cache_resource(show_spinner="Opening the workspace…", max_entries=8)
def _open(home: Path, database_url: str | None) -> Store:
    """Return the store, opened once a process and shared by all sessions: it is thread-safe."""
    settings = read_settings(home)
    return open_store(Workspace(home), settings)


def _person(store: Store) -> Actor:
    """Return who is working: named in the address, chosen before, or the only local person."""
    asked = st.query_params.get(PERSON) or st.session_state.get(PERSON) or LOCAL_NAME
    if asked == LOCAL_NAME:
        actor = local_actor(store, time.time())
    else:
        try:
            actor = actor_named(store, asked)
        except MmcoreError:
            st.session_state.pop(PERSON, None)
            st.query_params.pop(PERSON, None)
            raise
        st.query_params[PERSON] = asked  # a page that is loaded again knows who works on it
    st.session_state[PERSON] = actor.name
    return actor


def sit_down(name: str) -> None:
    """Make somebody else the person of this session; the next run of the page knows."""
    st.session_state[PERSON] = name
    if name == LOCAL_NAME:
        st.query_params.pop(PERSON, None)
    else:
        st.query_params[PERSON] = name
