"""What was done to the classes, by whom, and the buttons that take it back."""

import streamlit as st

from mmcore.services.classes import ClassResult
from mmcore.services.history import ClassHistoryLine, class_history
from mmcore.ui.acts import caught_up, undo_button
from mmcore.ui.desk import Desk
from mmcore.ui.words import moment

LAST = "s.class.last"
FEW, MANY = 8, 100


def keep_last(result: ClassResult) -> str:
    """Remember a change of this session for its Undo button; returns what is told of it."""
    st.session_state[LAST] = result
    return f"{result.text[:1].upper()}{result.text[1:]}."


def last_change(desk: Desk) -> None:
    """Draw what this person changed last on this screen, with its Undo button."""
    last: ClassResult | None = st.session_state.get(LAST)
    if last is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"You {last.text}", width="content")
        _undo(desk, last.act_id, "Undo it", "s.undo.last")


def changes_list(desk: Desk) -> None:
    """Draw the last changes of all people, newest first."""
    st.subheader("Changes of classes")
    lines = class_history(desk.store, MANY)
    if not lines:
        st.caption("Nothing was changed since the classes came in.")
    with st.container(gap="xxsmall"):
        for line in lines[:FEW]:
            _draw(desk, line)
    if len(lines) > FEW:
        with st.expander("Older changes"), st.container(gap="xxsmall"):
            for line in lines[FEW:]:
                _draw(desk, line)


def _draw(desk: Desk, line: ClassHistoryLine) -> None:
    left, right = st.columns([8, 2], vertical_alignment="center")
    left.text(f"{moment(line.created_at)}  {line.annotator}: {line.text}")
    with right:
        if line.is_undone:
            st.text("undone")
        else:
            word = "Undo" if line.undoes_act is None else "Bring it back"
            _undo(desk, line.act_id, word, f"s.undo.{line.act_id}")


def _undo(desk: Desk, act_id: int, label: str, key: str) -> None:
    def after() -> str:
        last: ClassResult | None = st.session_state.get(LAST)
        if last is not None and last.act_id == act_id:
            del st.session_state[LAST]
        return caught_up(desk)

    undo_button(desk, act_id, label, key, "lead", after)
