"""The board of Label and Review: photo, words, suggestion, classes and keys, drawn in the browser.

A component of its own because a labeller's keys must act at once, on every product alike: Streamlit
redraws widgets, and gives neither type-to-search nor a photo that is there before it is needed.

What goes in (`data`, JSON):
    item: the product on the screen or None: id, product_id, title, description, facts (pairs),
        photo (key or ""), token, version, label (code), is_flagged, is_second_opinion, is_hidden,
        candidates ([{code, p}], best first; none while hidden), model (its number),
        views ({text|image: {code, p}}). In a review candidates also have `told`, who holds the
        class to be right, and the item has `told`, what happened so far: both in words.
    next: {photo} of the product after it, so that its photo is there already; or None.
    photos: key -> data URL, of photos that the browser hasn't got yet.
    classes: [{code, fr, en, guideline}] in their fixed order.
    recent: [{act_id, verb, photo, label, title, is_undone}], newest first.
    progress: {done, waiting}; pace: words; saved_at: words; done: lines for an empty queue.
    answer: {token, error, stale_version} to the last decision, or None.

What comes out: the trigger `act`: {kind: label|accept|skip|flag|undo|renew|photos, ...}.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from mmcore.ui.components import component

_mount = component(Path(__file__).parent, "board")
KEY = "label_board"


def act_of() -> dict[str, Any]:
    """Return what the person just did; call it in the `on_act` callback."""
    return st.session_state[KEY].act


def draw(data: dict[str, Any], on_act: Callable[[], None]) -> None:
    """Show the board; `on_act` runs before the page is drawn again."""
    _mount(key=KEY, data=data, on_act_change=on_act)
