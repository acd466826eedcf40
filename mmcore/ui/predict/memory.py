"""What was worked out for the last products of this session: a click needn't do it again."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

KEPT = 24  # answers, reasons and neighbours together
_MEMORY = "p.memory"
Value = TypeVar("Value")


def remembered(key: Hashable, make: Callable[[], Value]) -> Value:
    """Return what belongs to the key, made now where it isn't kept."""
    memory = st.session_state.setdefault(_MEMORY, {})
    value = memory.pop(key) if key in memory else make()
    memory[key] = value  # the last one used stands last
    while len(memory) > KEPT:
        del memory[next(iter(memory))]
    return value


def is_remembered(key: Hashable) -> bool:
    """Return whether it was worked out already."""
    return key in st.session_state.get(_MEMORY, {})
