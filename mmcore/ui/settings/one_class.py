"""One class: its names, guideline and place; archive it, or merge it into another."""

import time
import zlib

import streamlit as st

from mmcore.services import classes as service
from mmcore.services.class_merge import MergePreview, merge_classes, preview_merge
from mmcore.services.classes import MAX_GUIDELINE, MAX_NAME, ClassInfo, ClassNames
from mmcore.ui.acts import attempt, caught_up, done, needs, token
from mmcore.ui.desk import Desk
from mmcore.ui.notices import errors_shown, tell
from mmcore.ui.settings.class_changes import keep_last
from mmcore.ui.words import counted, plain


def class_editor(desk: Desk, info: ClassInfo, found: tuple[ClassInfo, ...]) -> None:
    """Draw everything that may be changed of a class.

    Args:
        found: all classes in their order.
    """
    key = f"s.class.{info.id}"
    with st.container(border=True):
        st.subheader(plain(f"Class {info.code}"))
        _words(desk, info, key)
        if info.merged_into:
            st.caption(
                plain(
                    f"It was merged into {info.merged_into}. Undo the merge below to have the "
                    "class back with its products."
                )
            )
            return
        if not info.is_archived:
            _order(desk, info, found, key)
        _archive(desk, info, key)
        if not info.is_archived:
            _merge(desk, info, found, key)


def _words(desk: Desk, info: ClassInfo, key: str) -> None:
    # the stored text is in the key: else the browser shows what was typed after an undo, too
    french = st.text_input(
        "French name", info.name_fr, key=f"{key}.fr.{info.name_fr}", max_chars=MAX_NAME
    )
    english = st.text_input(
        "English name", info.name_en, key=f"{key}.en.{info.name_en}", max_chars=MAX_NAME
    )
    guideline = st.text_area(
        "Guideline",
        info.guideline,
        key=f"{key}.guide.{zlib.crc32(info.guideline.encode())}",
        max_chars=MAX_GUIDELINE,
        help="What belongs into the class; the Label screen shows it beside the decision.",
    )
    is_new = (french, english, guideline) != (info.name_fr, info.name_en, info.guideline)
    refusal = needs(desk, "lead")
    st.button(
        "Save",
        type="primary",
        key=f"{key}.save",
        disabled=not is_new or refusal is not None,
        help=refusal,
        on_click=attempt,
        args=(key, lambda: _save(desk, info, (french, english, guideline), key)),
    )


def _save(desk: Desk, info: ClassInfo, wanted: tuple[str, str, str], key: str) -> None:
    """Save what differs: names and guideline are an act each, told as soon as it succeeded."""
    french, english, guideline = wanted
    now = time.time()
    if (french, english) != (info.name_fr, info.name_en):
        names = ClassNames(name_fr=french, name_en=english)
        act = token(f"{key}.names")
        tell(keep_last(service.rename_class(desk.store, desk.actor, info.code, names, act, now)))
        done(f"{key}.names")
    if guideline != info.guideline:
        act = token(f"{key}.guideline")
        saved = service.set_guideline(desk.store, desk.actor, info.code, guideline, act, now)
        tell(keep_last(saved))
        done(f"{key}.guideline")


def _archive(desk: Desk, info: ClassInfo, key: str) -> None:
    verb = service.unarchive_class if info.is_archived else service.archive_class
    refusal = needs(desk, "lead")

    def act() -> str:
        act_token = token(f"{key}.archive")
        return keep_last(verb(desk.store, desk.actor, info.code, act_token, time.time()))

    st.button(
        "Take it into use again" if info.is_archived else "Archive",
        key=f"{key}.archive",
        icon=":material/unarchive:" if info.is_archived else ":material/archive:",
        width="stretch",
        disabled=refusal is not None,
        help=refusal or "Products keep an archived label; nobody can give it any more.",
        on_click=attempt,
        args=(f"{key}.archive", act),
    )


def _order(desk: Desk, info: ClassInfo, found: tuple[ClassInfo, ...], key: str) -> None:
    codes = [c.code for c in found if not c.is_archived]
    at = codes.index(info.code)
    refusal = needs(desk, "lead")

    def move(place: int) -> str:
        moved = [code for code in codes if code != info.code]
        moved.insert(place, info.code)
        act = token(f"{key}.move")
        return keep_last(service.reorder_classes(desk.store, desk.actor, moved, act, time.time()))

    last = len(codes) - 1
    moves = (
        ("First", "vertical_align_top", 0),
        ("Up", "arrow_upward", at - 1),
        ("Down", "arrow_downward", at + 1),
        ("Last", "vertical_align_bottom", last),
    )
    st.caption(f"Place on the Label screen: {at + 1} of {len(codes)}")
    row = st.container(horizontal=True)
    for name, icon, place in moves:
        row.button(
            name,
            key=f"{key}.move.{name}",
            icon=f":material/{icon}:",
            disabled=place == at or not 0 <= place <= last or refusal is not None,
            help=refusal,
            on_click=attempt,
            args=(f"{key}.move", lambda place=place: move(place)),
        )


def _merge(desk: Desk, info: ClassInfo, found: tuple[ClassInfo, ...], key: str) -> None:
    names = {c.code: f"{c.code}  {c.name_fr}" for c in found if not c.is_archived}
    others = [code for code in names if code != info.code]
    into = st.selectbox(
        "Merge it into",
        others,
        index=None,
        placeholder="choose a class",
        format_func=names.get,
        key=f"{key}.into",
    )
    if into is None:
        return
    refusal = needs(desk, "lead")

    def act() -> str:
        act_token = token(f"{key}.merge")
        merged = merge_classes(desk.store, desk.actor, info.code, into, act_token, time.time())
        return f"{keep_last(merged)}{caught_up(desk)}"

    with errors_shown():
        seen = preview_merge(desk.store, info.code, into, time.time())
        st.text("\n".join(merge_lines(seen, names[into])))
        st.button(
            plain(f"Merge {counted(seen.count, 'product')} into {into}"),
            key=f"{key}.merge",
            icon=":material/merge:",
            type="primary",
            disabled=refusal is not None,
            help=refusal,
            on_click=attempt,
            args=(f"{key}.merge", act),
        )


def merge_lines(seen: MergePreview, into_name: str) -> list[str]:
    """Return what a merge would change, a sentence each."""
    splits = ", ".join(f"{num:,} {split}" for split, num in seen.products.items() if num)
    became = f"{counted(seen.count, 'product')} ({splits})" if seen.count else "No product"
    lines = [
        f"{became} would get the label {into_name}, which {seen.into_count:,} have now; "
        f"{seen.code} would be archived."
    ]
    if seen.annotations:
        lines.append(f"{counted(seen.annotations, 'mark')} of people that name it stay.")
    if seen.open_products:
        lines.append(
            f"{counted(seen.open_products, 'product')} of it open with somebody right now: what "
            "they decide is refused, and they look again."
        )
    if seen.models:
        lines.append(
            f"Models that answer with it until a retrain, counted as {seen.into}: "
            f"{', '.join(seen.models)}."
        )
    return lines
