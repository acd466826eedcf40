"""Cards with photos, to choose from or to open: Bulk, Catalogue, Review, results of a batch.

Keys: arrows walk, Space selects, A selects all or none, Enter opens; Shift-click selects a range.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from mmcore.ui.components import component

_mount = component(Path(__file__).parent, "grid")


@dataclass(frozen=True)
class Line:
    """One line of a card; `view` (text, image or fused) puts the modality's dot before it."""

    text: str
    view: str = ""


@dataclass(frozen=True)
class Card:
    """One product.

    Attributes:
        id: what comes back when it is opened or selected.
        photo: data URL (mmcore.ui.photos), "" without one.
        badge: a word in its corner, e.g. a probability.
        tone: of the badge: sure, fair or doubtful; "" for a plain one. Its words say the same.
    """

    id: str
    title: str
    photo: str
    lines: tuple[Line, ...] = ()
    badge: str = ""
    tone: str = ""


def opened(key: str) -> str | None:
    """Return the id of the card that was just opened; call it in the `on_open` callback."""
    act = st.session_state[key].open
    return act["id"] if act else None


def photo_grid(
    cards: Sequence[Card],
    key: str,
    on_open: Callable[[], None],
    selected: Sequence[str] | None = None,
    page: str = "",
) -> list[str]:
    """Draw the cards; return the ids of those that are selected.

    Args:
        key: of the component; the page's own.
        on_open: runs before the page is drawn again; ask `opened(key)` what was opened.
        selected: None where nothing can be selected; else what is selected at the beginning.
        page: whenever it changes, the selection begins anew with `selected`.
    """
    is_selectable = selected is not None
    data = {
        "cards": [asdict(card) for card in cards],
        "is_selectable": is_selectable,
        "selected": list(selected or ()),
        "round": page,
    }
    result = _mount(key=key, data=data, on_open_change=on_open, on_selected_change=lambda: None)
    shown = {card.id for card in cards}
    return [name for name in result.get("selected") or () if name in shown]
