"""The classes: names, guidelines, order; added, archived, merged; every change can be undone."""

import time

import streamlit as st

from mmcore.services import classes as service
from mmcore.services.catching_up import follow_up
from mmcore.services.class_merge import merge_classes, preview_merge
from mmcore.services.classes import ClassInfo, ClassNames
from mmcore.services.history import class_history
from mmcore.ui.acts import attempt, done, needs, token, undo_button
from mmcore.ui.desk import Desk
from mmcore.ui.notices import errors_shown
from mmcore.ui.words import moment

SHOWN_CHANGES = 20


def class_settings(desk: Desk) -> None:
    """Draw the list of classes, the editor of one, and what was changed so far."""
    found = service.list_classes(desk.store, with_archived=True)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chosen = _table(found)
    with right:
        if chosen is not None:
            _editor(desk, chosen, found)
        _add(desk)
    _changes(desk)


def _table(found: tuple[ClassInfo, ...]) -> ClassInfo | None:
    event = st.dataframe(
        {
            "code": [c.code for c in found],
            "French": [c.name_fr for c in found],
            "English": [c.name_en for c in found],
            "products": [c.count for c in found],
            "guideline": [c.guideline for c in found],
            "state": [_state(c) for c in found],
        },
        hide_index=True,
        height=560,
        on_select="rerun",
        selection_mode="single-row",
        key="s.classes",
    )
    st.caption("Choose a row to change the class.")
    rows = event.selection.rows
    return found[rows[0]] if rows and rows[0] < len(found) else None


def _state(info: ClassInfo) -> str:
    if info.merged_into:
        return f"merged into {info.merged_into}"
    return "archived" if info.is_archived else "in use"


def _editor(desk: Desk, info: ClassInfo, found: tuple[ClassInfo, ...]) -> None:
    refusal = needs(desk, "lead")
    key = f"s.class.{info.id}"
    with st.container(border=True):
        st.subheader(f"Class {info.code}")
        french = st.text_input("French name", info.name_fr, key=f"{key}.fr", max_chars=120)
        english = st.text_input("English name", info.name_en, key=f"{key}.en", max_chars=120)
        guideline = st.text_area("Guideline: when to give it", info.guideline, key=f"{key}.guide")
        is_new = (french, english, guideline) != (info.name_fr, info.name_en, info.guideline)
        st.button(
            "Save",
            type="primary",
            key=f"{key}.save",
            disabled=not is_new or refusal is not None,
            help=refusal,
            on_click=attempt,
            args=(key, lambda: _save(desk, info, (french, english, guideline), key)),
        )
        _archive(desk, info, key)
        if not info.is_archived:
            _order(desk, info, found, key)
            _merge(desk, info, found, key)


def _save(desk: Desk, info: ClassInfo, wanted: tuple[str, str, str], key: str) -> str:
    french, english, guideline = wanted
    now, told = time.time(), []
    if (french, english) != (info.name_fr, info.name_en):
        names = ClassNames(name_fr=french, name_en=english)
        act = token(f"{key}.names")
        told.append(service.rename_class(desk.store, desk.actor, info.code, names, act, now).text)
        done(f"{key}.names")
    if guideline != info.guideline:
        act = token(f"{key}.guideline")
        found = service.set_guideline(desk.store, desk.actor, info.code, guideline, act, now)
        done(f"{key}.guideline")
        told.append(found.text)
    return "; ".join(told)


def _archive(desk: Desk, info: ClassInfo, key: str) -> None:
    if info.merged_into:
        return
    verb = service.unarchive_class if info.is_archived else service.archive_class

    def act() -> str:
        return verb(desk.store, desk.actor, info.code, token(f"{key}.archive"), time.time()).text

    st.button(
        "Take it into use again" if info.is_archived else "Archive: nobody may give it any more",
        key=f"{key}.archive",
        disabled=needs(desk, "lead") is not None,
        help=needs(desk, "lead"),
        on_click=attempt,
        args=(f"{key}.archive", act),
    )


def _order(desk: Desk, info: ClassInfo, found: tuple[ClassInfo, ...], key: str) -> None:
    codes = [c.code for c in found if not c.is_archived]
    at = codes.index(info.code)

    def move(step: int) -> str:
        moved = [*codes]
        moved[at], moved[at + step] = moved[at + step], moved[at]
        act = token(f"{key}.move")
        return service.reorder_classes(desk.store, desk.actor, moved, act, time.time()).text

    up, down = st.columns(2)
    for column, name, step, is_end in (
        (up, "Up on the Label screen", -1, at == 0),
        (down, "Down", 1, at == len(codes) - 1),
    ):
        column.button(
            name,
            key=f"{key}.move.{step}",
            width="stretch",
            disabled=is_end or needs(desk, "lead") is not None,
            on_click=attempt,
            args=(f"{key}.move", lambda step=step: move(step)),
        )


def _merge(desk: Desk, info: ClassInfo, found: tuple[ClassInfo, ...], key: str) -> None:
    names = {c.code: f"{c.code}  {c.name_fr}" for c in found if not c.is_archived}
    others = [None, *(code for code in names if code != info.code)]
    into = st.selectbox(
        "Merge it into",
        others,
        format_func=lambda code: names.get(code, "no other class"),
        key=f"{key}.into",
    )
    if into is None:
        return
    with errors_shown():
        seen = preview_merge(desk.store, info.code, into, time.time())
        splits = ", ".join(f"{num:,} {split}" for split, num in seen.products.items() if num)
        st.text(
            f"{seen.count:,} products become {names[into]} ({splits or 'none'}); it has "
            f"{seen.into_count:,} now. {seen.annotations:,} marks of people stay as they are."
        )
        if seen.models:
            st.text(
                f"{', '.join(seen.models)} answer with it until a retrain; it counts as {into}."
            )

    def act() -> str:
        now = time.time()
        act_token = token(f"{key}.merge")
        merged = merge_classes(desk.store, desk.actor, info.code, into, act_token, now)
        found = follow_up(desk.store, desk.actor, now, desk.backend)
        return merged.text + (f"; {found.sentence}" if found else "")

    st.button(
        f"Merge {info.code} into {into}",
        key=f"{key}.merge",
        disabled=needs(desk, "lead") is not None,
        help=needs(desk, "lead"),
        on_click=attempt,
        args=(f"{key}.merge", act),
    )


def _add(desk: Desk) -> None:
    with st.popover("Add a class", icon=":material/add:"):
        code = st.text_input("Code", key="s.add.code", max_chars=64)
        french = st.text_input("French name", key="s.add.fr", max_chars=120)
        english = st.text_input("English name", key="s.add.en", max_chars=120)

        def act() -> str:
            names = ClassNames(code, french or None, english or None)
            now = time.time()
            return service.add_class(desk.store, desk.actor, names, token("s.add"), now).text

        st.button(
            "Add",
            type="primary",
            disabled=not code.strip() or needs(desk, "lead") is not None,
            help=needs(desk, "lead"),
            on_click=attempt,
            args=("s.add", act),
        )


def _changes(desk: Desk) -> None:
    lines = class_history(desk.store, SHOWN_CHANGES)
    if not lines:
        return
    st.subheader("Changes of classes")
    for line in lines:
        left, right = st.columns([8, 2], vertical_alignment="center")
        undone = " (undone)" if line.is_undone else ""
        left.text(f"{moment(line.created_at)}  {line.annotator}: {line.text}{undone}")
        if not line.is_undone and line.verb != "undo":
            with right:
                undo_button(desk, line.act_id, "Undo", f"s.undo.{line.act_id}", "lead")
