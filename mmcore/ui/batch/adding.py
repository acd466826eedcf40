"""Products of a batch on their way into the catalogue, and into the queue behind it."""

import time

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.batch_adding import BatchPart, add_to_catalogue
from mmcore.services.batches import Batch
from mmcore.services.people import may
from mmcore.ui.acts import caught_up, needs
from mmcore.ui.desk import Desk
from mmcore.ui.notices import show_error, tell
from mmcore.ui.screens import screen_named
from mmcore.ui.words import counted, moment

WANTED = "x.adding"


def add_buttons(desk: Desk, batch: Batch, num: int, doubtful: frozenset[str]) -> None:
    """Draw the buttons that add all products, or those that a person should look at."""
    left, right = st.columns(2)
    role = needs(desk, "lead")
    left.button(
        f"Add all {num:,} to the catalogue",
        icon=":material/library_add:",
        width="stretch",
        disabled=role is not None,
        help=role or "Classes of the file count as labels; predictions never do.",
        on_click=_want,
        args=(BatchPart(batch),),
    )
    right.button(
        f"Send {counted(len(doubtful), 'doubtful product')} to the queue",
        icon=":material/label:",
        width="stretch",
        disabled=role is not None or not doubtful,
        help=role
        or "Unsure, without an answer, or text and photo differ. They are added to the catalogue, "
        "and labellers get them in the queue; by disagreement, these come first.",
        on_click=_want,
        args=(BatchPart(batch, doubtful),),
    )


def added_note(desk: Desk, batch: Batch) -> None:
    """Draw what was added so far, and where it is now."""
    if not batch.num_added:
        return
    left, *links = st.columns([6, 2, 2], vertical_alignment="center")
    left.text(
        f"{counted(batch.num_added, 'product')} went to the catalogue, {moment(batch.added_at)}."
    )
    for place, key in zip(links, ("catalogue_page", "label_page"), strict=True):
        screen = screen_named(key)
        if may(desk.actor, screen.role):
            place.page_link(screen.file, label=f"Open {screen.title}", icon=screen.icon)


def add_wanted(desk: Desk, batch: Batch) -> None:
    """Add what a button asked for, if one did, with a bar that shows how far it is."""
    part = st.session_state.pop(WANTED, None)
    if part is None or part.batch.id != batch.id:
        return
    bar = st.progress(0.0, text="adding to the catalogue")

    def show(stage: str, done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        bar.progress(share, text=f"{stage}: {done:,} of {total:,}")

    try:
        report = add_to_catalogue(desk.store, desk.actor, desk.workspace, part, time.time(), show)
    except MmcoreError as error:
        show_error(error)
        return
    finally:
        bar.empty()
    tell(f"{report.summary()[0]}.{caught_up(desk)}", ":material/library_add_check:")
    st.rerun()


def _want(part: BatchPart) -> None:
    st.session_state[WANTED] = part
