"""What changed from one model version to another, product by product, and what is confused."""

import streamlit as st

from mmcore.services.classes import list_classes
from mmcore.services.comparison import (
    ChangedProduct,
    ChangeFilter,
    count_changes,
    list_changes,
)
from mmcore.services.confusion import confusion, list_confused
from mmcore.ui.charts import confusion_squares, draw
from mmcore.ui.desk import Desk
from mmcore.ui.photo_grid import Card, Line, opened, photo_grid
from mmcore.ui.photos import list_photo
from mmcore.ui.screens import screen_named
from mmcore.ui.words import percent

OUTCOMES = {
    "fixed": "fixed: wrong before, right now",
    "broken": "broken: right before, wrong now",
    "changed_wrong": "wrong both times, but otherwise",
    "changed": "changed, without a label to judge by",
}
SPLITS = {"all": "the whole catalogue", "test": "test", "val": "val", "train": "train"}
VIEWS = ("fused", "text", "image")
PAGE = 24
OPEN = "d.open"


def show_difference(desk: Desk, before: str, after: str) -> None:
    """Draw how many products changed, by view and class, and which."""
    split = st.segmented_control(
        "Products of",
        list(SPLITS),
        format_func=SPLITS.get,
        default="all",
        key="d.split",
        required=True,
        help="What a model has learnt from flatters it: only test products judge.",
    )
    split = None if split == "all" else split
    found = count_changes(desk.store, before, after, split)
    views = [view for view, totals in found.totals.items() if sum(totals.values())]
    if not views:
        st.info("Neither model has answers for these products yet.", icon=":material/schedule:")
        return
    view = st.segmented_control("View", views, default=views[0], key="d.view") or views[0]
    cells = st.columns(len(OUTCOMES))
    for cell, (outcome, words) in zip(cells, OUTCOMES.items(), strict=True):
        cell.metric(outcome.replace("_", " "), f"{found.totals[view][outcome]:,}", help=words)
    names = {c.code: f"{c.code}  {c.name_fr}" for c in list_classes(desk.store)}
    _by_class(found.by_class[view], names)
    left, right = st.columns(2)
    outcome = left.selectbox("Products", list(OUTCOMES), format_func=OUTCOMES.get, key="d.outcome")
    by_code = {c.code: c.id for c in list_classes(desk.store)}
    code = right.selectbox(
        "With the label", [None, *names], format_func=lambda c: names.get(c, "any"), key="d.class"
    )
    wanted = ChangeFilter(view, (outcome,), by_code.get(code), split)
    _products(desk, (before, after), wanted, names)


def _by_class(by_class: dict, names: dict[str, str]) -> None:
    rows = {code: row for code, row in by_class.items() if row["fixed"] or row["broken"]}
    if not rows:
        return
    with st.expander(f"By class ({len(rows)} with a change)"):
        st.dataframe(
            {
                "class": [names.get(code, code or "no label") for code in rows],
                "fixed": [row["fixed"] for row in rows.values()],
                "broken": [row["broken"] for row in rows.values()],
                "gain": [row["fixed"] - row["broken"] for row in rows.values()],
            },
            hide_index=True,
        )


def _products(
    desk: Desk, versions: tuple[str, str], wanted: ChangeFilter, names: dict[str, str]
) -> None:
    trail = st.session_state.setdefault("d.trail", {})
    key = (versions, wanted)
    starts = trail.setdefault(key, [0])
    rows = list_changes(desk.store, versions, wanted, starts[-1], PAGE + 1)
    if not rows:
        st.caption("No product of this kind.")
        return
    photo_grid([_card(desk, row, names) for row in rows[:PAGE]], "d.grid", _opened)
    if product_id := st.session_state.pop(OPEN, None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})
    back, forth, _ = st.columns([1, 1, 6])
    back.button(
        "Before", disabled=len(starts) == 1, on_click=starts.pop, key="d.back", width="stretch"
    )
    forth.button(
        "More",
        disabled=len(rows) <= PAGE,
        on_click=starts.append,
        args=(rows[min(len(rows), PAGE) - 1].id,),
        key="d.forth",
        width="stretch",
    )


def _card(desk: Desk, row: ChangedProduct, names: dict[str, str]) -> Card:
    lines = (
        Line(f"label: {names.get(row.label, row.label or 'none')}"),
        Line(f"before: {_answer(row.before, row.before_probability, names)}"),
        Line(f"now: {_answer(row.after, row.after_probability, names)}"),
    )
    photo = list_photo(desk.workspace, row.photo)
    return Card(row.product_id, row.title, photo, lines, row.outcome.replace("_", " "))


def _answer(code: str | None, probability: float | None, names: dict[str, str]) -> str:
    if code is None:
        return "no answer"
    return f"{names.get(code, code)} {percent(probability)}"


def _opened() -> None:
    st.session_state[OPEN] = opened("d.grid")


def show_confusion(desk: Desk, version: str) -> None:
    """Draw the confusion matrix of a version on test; a click on a square lists its products."""
    view = st.segmented_control(
        "View", VIEWS, default="fused", key="d.confusion.view", required=True
    )
    found = confusion(desk.store, version, view)
    if not found.num_products:
        st.info(
            "There are no labelled test products with an answer of this model.",
            icon=":material/schedule:",
        )
        return
    st.caption(
        f"{found.num_products:,} test products. Each square: products with this label (row) that "
        "got this answer (column); an orange rim marks mistakes. Click one to see its products."
    )
    event = draw(
        confusion_squares(found),
        f"d.confusion.{version}.{view}",
        max(420, 80 + 24 * len(found.codes)),
        on_select="rerun",
        selection_mode="points",
    )
    points = event.selection.points if event else []
    if not points:
        return
    label, answer = points[0]["customdata"]
    st.text(f"{label} {found.names[label]}, taken for {answer} {found.names[answer]}:")
    rows = list_confused(desk.store, version, (view, "test"), (label, answer), limit=48)
    cards = [
        Card(
            row.product_id,
            row.title,
            list_photo(desk.workspace, row.photo),
            (Line(f"label {label}"), Line(f"answer {answer}", view)),
            percent(row.probability),
        )
        for row in rows
    ]
    photo_grid(cards, "d.confused", _confused_opened)
    if product_id := st.session_state.pop(OPEN, None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})


def _confused_opened() -> None:
    st.session_state[OPEN] = opened("d.confused")
