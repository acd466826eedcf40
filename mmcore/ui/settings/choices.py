"""What the lead chooses: how the queue is mixed and shared, and the limits of the gate."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import streamlit as st

from mmcore.errors import StaleWriteError
from mmcore.gate import GateLimits
from mmcore.services.comparison import read_limits, save_limits
from mmcore.services.queue_settings import (
    LEASE_MINUTES,
    QueueSettings,
    put_queue_settings,
    queue_settings,
)
from mmcore.store.queue_next import ORDERS
from mmcore.ui.acts import attempt, needs
from mmcore.ui.desk import Desk
from mmcore.ui.words import percent

ORDER_WORDS = {
    "disagreement": "text and photo disagree",
    "margin": "two classes are close",
    "entropy": "many classes are possible",
    "suspicion": "the label is suspect",
    "newest": "newest",
    "random": "random",
}
ORDER_HELP = {
    "disagreement": "Text and image answer different classes: one of them has to learn.",
    "margin": "The first two classes are close (margin).",
    "entropy": "Many classes are possible (entropy).",
    "suspicion": "Text and image both oppose the label that is stored.",
    "newest": "Products that came in last.",
    "random": "Whatever the model says: keeps what is learnt typical of the shop.",
}
GATE_WORDS = {
    "macro_drop": "Fused macro-F1 that may be lost",
    "class_drop": "F1 that one class may lose",
    "class_products": "Test products a class needs",
    "ece_rise": "Calibration error that may be added",
    "confidence": "Confidence of the intervals",
    "resamples": "Draws of the bootstrap",
}


def queue_choices(desk: Desk) -> None:
    """Draw the mix of the queue, the overlap, the hidden share and the lease."""
    turn = _turn("s.queue")
    now = queue_settings(desk.store)
    st.subheader("What the mixed queue draws from")
    mix = _mix(now, turn)
    st.subheader("How products are shared out")
    overlap, hidden, minutes = _sharing(now, turn)
    wanted = QueueSettings(overlap, hidden, minutes, {o: s for o, s in mix.items() if s})
    if not wanted.drawn:
        st.warning("The mix draws from nothing: give one order more than 0.")
    stored = _Stored(
        "s.queue",
        lambda: queue_settings(desk.store),
        lambda choices: put_queue_settings(desk.store, desk.actor, choices),
    )
    _save(desk, stored, (now, wanted), "The queue works by the new choices.")


def _mix(now: QueueSettings, turn: int) -> dict[str, float]:
    values = {}
    for cell, order in zip(_cells(len(ORDERS)), ORDERS, strict=True):
        values[order] = cell.number_input(
            ORDER_WORDS[order],
            0.0,
            1.0,
            float(now.mix.get(order, 0.0)),
            0.05,
            key=f"s.mix.{order}.{turn}",
            help=f"{ORDER_HELP[order]} From 0 to 1; 0: never.",
        )
    drawn = QueueSettings(mix=values).drawn
    told = ", ".join(f"{percent(share)} {ORDER_WORDS[order]}" for order, share in drawn.items())
    if told:
        st.caption(f"The sum is taken as the whole: {told}.")
    return values


def _sharing(now: QueueSettings, turn: int) -> tuple[float, float, float]:
    left, middle, right = st.columns(3)
    overlap = left.slider(
        "Given to two people (overlap)",
        0.0,
        1.0,
        now.overlap_share,
        0.01,
        format="percent",
        key=f"s.queue.overlap.{turn}",
        help="Agreement and conflicts are measured on these products. More asks for second "
        "opinions on what is decided from now on; less lets go of those that are waited for. "
        "From 0% to 100%.",
    )
    hidden = middle.slider(
        "Shown without the suggestion",
        0.0,
        1.0,
        now.hidden_share,
        0.01,
        format="percent",
        key=f"s.queue.hidden.{turn}",
        help="The difference tells how much people follow the model (anchoring). "
        "From 0% to 100%; Team shows what came of it.",
    )
    low, high = LEASE_MINUTES
    minutes = right.number_input(
        "Minutes kept for whoever opened it",
        low,
        high,
        now.lease_minutes,
        1.0,
        format="%.1f",
        key=f"s.queue.lease.{turn}",
        help="Nobody else gets the product meanwhile; working on it renews the time. "
        f"From {low:.0f} to {high:.0f}.",
    )
    return overlap, hidden, minutes


def gate_choices(desk: Desk) -> None:
    """Draw the limits of the quality gate."""
    turn = _turn("s.gate")
    now = read_limits(desk.store)
    st.caption(
        "Each retrain is held to these limits beside the model in production, on the same test "
        "products. A candidate that breaks one is refused; a lead may still activate it, with a "
        "reason that is kept."
    )
    values = {}
    for cell, knob in zip(_cells(len(fields(GateLimits))), fields(GateLimits), strict=True):
        low, high = knob.metadata["low"], knob.metadata["high"]
        value = getattr(now, knob.name)
        kind = type(value)
        values[knob.name] = cell.number_input(
            GATE_WORDS[knob.name],
            kind(low),
            kind(high),
            value,
            1 if kind is int else 0.01,
            format="%d" if kind is int else "%.3f",
            help=f"{knob.metadata['help']}. From {low:,} to {high:,}.",
            key=f"s.gate.{knob.name}.{turn}",
        )
    stored = _Stored(
        "s.gate",
        lambda: read_limits(desk.store),
        lambda limits: save_limits(desk.store, desk.actor, limits),
    )
    told = "The gate judges by the new limits from now on; verdicts that were given stay."
    _save(desk, stored, (now, GateLimits(**values)), told)


@dataclass(frozen=True)
class _Stored:
    """Choices that are kept in the store as a whole."""

    key: str
    read: Callable[[], Any]
    write: Callable[[Any], None]

    @property
    def saved(self) -> str:
        """Return the session's key of (what was before, what this person saved)."""
        return f"{self.key}|saved"


def _turn(key: str) -> int:
    """Return how often these choices were put back; part of the keys of their widgets.

    A browser keeps what was typed into a widget as long as its key is the same.
    """
    return st.session_state.setdefault(f"{key}|turn", 0)


def _cells(count: int) -> list:
    rows = [st.columns(3) for _ in range(-(-count // 3))]
    return [cell for row in rows for cell in row][:count]


def _save(desk: Desk, stored: _Stored, choices: tuple[Any, Any], told: str) -> None:
    """Draw the button that saves, and after it the one that takes this back.

    Args:
        choices: those in force, and those that the widgets show.
    """
    now, wanted = choices
    refusal = needs(desk, "lead")

    def save() -> str:
        stored.write(wanted)
        st.session_state[stored.saved] = (now, stored.read())
        return told

    st.button(
        "Save",
        key=f"{stored.key}|save",
        type="primary",
        disabled=wanted == now or refusal is not None,
        help=refusal,
        on_click=attempt,
        args=(stored.key, save),
    )
    if stored.saved in st.session_state:
        st.button(
            "Undo: back to the choices before",
            key=f"{stored.key}|undo",
            icon=":material/undo:",
            type="tertiary",
            disabled=refusal is not None,
            help=refusal,
            on_click=attempt,
            args=(f"{stored.key}|undo", lambda: _take_back(stored)),
        )


def _take_back(stored: _Stored) -> str:
    before, saved = st.session_state.pop(stored.saved)
    st.session_state[f"{stored.key}|turn"] += 1
    if stored.read() != saved:
        raise StaleWriteError(
            "somebody changed these choices after you had saved yours: nothing was put back; look "
            "at what is in force now"
        )
    stored.write(before)
    return "The choices before are in force again."
