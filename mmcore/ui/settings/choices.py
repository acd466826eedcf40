"""What the lead chooses: how the queue is mixed and shared, and the limits of the gate."""

from dataclasses import fields

import streamlit as st

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

ORDER_WORDS = {
    "disagreement": "text and photo disagree",
    "margin": "two classes are close",
    "entropy": "many classes are possible",
    "suspicion": "the label is suspect",
    "newest": "newest",
    "random": "random",
}
GATE_WORDS = {
    "macro_drop": "Fused macro-F1 that may be lost",
    "class_drop": "F1 that one class may lose",
    "class_products": "Test products below which a class isn't looked at",
    "ece_rise": "Calibration error that may be added",
    "confidence": "Confidence of the intervals",
    "resamples": "Draws of the bootstrap",
}


def queue_choices(desk: Desk) -> None:
    """Draw the mix of the queue, the overlap, the hidden share and the lease."""
    now = queue_settings(desk.store)
    st.subheader("The mixed queue draws from")
    cells = st.columns(len(ORDERS))
    mix = {
        order: cell.number_input(
            ORDER_WORDS[order], 0.0, 1.0, float(now.mix.get(order, 0.0)), 0.05, key=f"s.mix.{order}"
        )
        for cell, order in zip(cells, ORDERS, strict=True)
    }
    st.caption("Shares; their sum is taken as the whole.")
    left, middle, right = st.columns(3)
    overlap = left.slider(
        "Products that two people get (overlap)",
        0.0,
        1.0,
        now.overlap_share,
        0.01,
        help="Agreement and conflicts are measured on these.",
    )
    hidden = middle.slider(
        "Products shown without the suggestion",
        0.0,
        1.0,
        now.hidden_share,
        0.01,
        help="The difference tells how much people follow the model (anchoring).",
    )
    low, high = LEASE_MINUTES
    minutes = right.number_input(
        "Minutes that a product is kept for whoever has it open",
        low,
        high,
        now.lease_minutes,
        1.0,
    )
    wanted = QueueSettings(overlap, hidden, minutes, {o: s for o, s in mix.items() if s})

    def act() -> str:
        put_queue_settings(desk.store, desk.actor, wanted)
        return "The queue works by the new choices."

    _save("s.queue", act, desk, wanted == now)


def gate_choices(desk: Desk) -> None:
    """Draw the limits of the quality gate."""
    now = read_limits(desk.store)
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
            help=knob.metadata["help"],
            key=f"s.gate.{knob.name}",
        )
    wanted = GateLimits(**values)

    def act() -> str:
        save_limits(desk.store, desk.actor, wanted)
        return "The gate judges by the new limits from now on; verdicts that were given stay."

    _save("s.gate", act, desk, wanted == now)


def _cells(count: int) -> list:
    rows = [st.columns(3) for _ in range(-(-count // 3))]
    return [cell for row in rows for cell in row][:count]


def _save(key: str, act, desk: Desk, is_same: bool) -> None:
    st.button(
        "Save",
        key=key,
        type="primary",
        disabled=is_same or needs(desk, "lead") is not None,
        help=needs(desk, "lead"),
        on_click=attempt,
        args=(key, act),
    )
