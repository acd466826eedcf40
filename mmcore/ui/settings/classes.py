"""The classes: the table of all, the editor of the chosen one, and what was changed so far."""

import time
import zlib

import streamlit as st

from mmcore.services import classes as service
from mmcore.services.classes import MAX_CODE, MAX_NAME, ClassInfo, ClassNames
from mmcore.ui.acts import attempt, needs, token
from mmcore.ui.desk import Desk
from mmcore.ui.settings.class_changes import changes_list, keep_last, last_change
from mmcore.ui.settings.one_class import class_editor

CHOSEN = "class"  # query parameter: a class has its address
NEW = ("s.add.code", "s.add.fr", "s.add.en")


def class_settings(desk: Desk) -> None:
    """Draw the list of classes, the editor of one, and what was changed so far."""
    found = service.list_classes(desk.store, with_archived=True)
    new, last = st.columns([2, 8], vertical_alignment="center")
    with new:
        _add(desk)
    with last:
        last_change(desk)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chosen = _table(found)
    with right:
        if chosen is not None:
            class_editor(desk, chosen, found)
        else:
            st.caption("Choose a row to see and change a class.")
    changes_list(desk)


def _table(found: tuple[ClassInfo, ...]) -> ClassInfo | None:
    """Draw the classes; return the chosen one, which stays chosen when the order changes."""
    codes = [c.code for c in found]
    num_used = sum(not c.is_archived for c in found)
    rest = f", {len(found) - num_used} archived or merged" if len(found) > num_used else ""
    st.caption(f"{num_used} {'class' if num_used == 1 else 'classes'} in use{rest}.")
    wanted = st.query_params.get(CHOSEN)
    event = st.dataframe(
        {
            "code": codes,
            "French": [c.name_fr for c in found],
            "English": [c.name_en for c in found],
            "products": [c.count for c in found],
            "state": [_state(c) for c in found],
            "guideline": [c.guideline for c in found],
        },
        hide_index=True,
        height=560,
        on_select="rerun",
        selection_mode="single-row",
        # a selection is a row's number: another order needs a table of its own, or the next
        # press of a button would meet the class that took the row
        key=f"s.classes.{zlib.crc32('|'.join(codes).encode())}",
        selection_default={"selection": {"rows": [codes.index(wanted)] if wanted in codes else []}},
    )
    rows = event.selection.rows
    if not rows or rows[0] >= len(found):
        st.query_params.pop(CHOSEN, None)
        return None
    st.query_params[CHOSEN] = codes[rows[0]]
    return found[rows[0]]


def _state(info: ClassInfo) -> str:
    if info.merged_into:
        return f"merged into {info.merged_into}"
    return "archived" if info.is_archived else "in use"


def _add(desk: Desk) -> None:
    refusal = needs(desk, "lead")
    with st.popover("Add a class", icon=":material/add:"):
        code = st.text_input(
            "Code", key=NEW[0], max_chars=MAX_CODE, help="As files of labels name the class."
        )
        french = st.text_input("French name", key=NEW[1], max_chars=MAX_NAME)
        english = st.text_input("English name", key=NEW[2], max_chars=MAX_NAME)

        def act() -> str:
            names = ClassNames(code, french or None, english or None)
            made = service.add_class(desk.store, desk.actor, names, token("s.add"), time.time())
            st.session_state.update(dict.fromkeys(NEW, ""))
            return keep_last(made)

        st.button(
            "Add",
            key="s.add",
            type="primary",
            disabled=not code.strip() or refusal is not None,
            help=refusal or "It comes last; a model knows it after the next retrain.",
            on_click=attempt,
            args=("s.add", act),
        )
