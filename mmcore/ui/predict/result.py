"""The answers to the product on the Predict screen: side by side, why, and what is alike."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from mmcore.services.answers import Answer, answer
from mmcore.services.neighbours import LabelledNeighbour, labelled_neighbours
from mmcore.services.prediction import given_product
from mmcore.services.why import Why, explain_views
from mmcore.ui.answers import Beside, draw_answers
from mmcore.ui.desk import Desk
from mmcore.ui.neighbour_wait import neighbours_or_wait
from mmcore.ui.photo_grid import Card, Line, opened, photo_grid
from mmcore.ui.photos import list_photo
from mmcore.ui.predict.memory import is_remembered, remembered
from mmcore.ui.predict.subject import Subject
from mmcore.ui.runtimes import runtime_of
from mmcore.ui.screens import screen_named
from mmcore.ui.words import percent

NUM_NEIGHBOURS = 12
GRID = "p.neighbours"


def ask(desk: Desk, model: str, seen: Subject) -> Answer:
    """Return what a model says about the product; asked once for each product.

    Raises:
        MmcoreError: if there is nothing to predict from, or the model can't be loaded.
    """
    return remembered(
        ("answer", model, seen), lambda: answer(runtime_of(desk, model), _input(seen))
    )


def show_answers(
    desk: Desk, models: tuple[str, str | None], whole: Subject, without: Sequence[str]
) -> Answer:
    """Draw what the model says about the product as far as it is seen; return that answer.

    Beside it stands the second model's answer, or else, where something is left out, the answer to
    the whole product. Reasons are drawn once they are there: `work_out_why` brings them.

    Raises:
        MmcoreError: if there is nothing to predict from, or a model can't be loaded.
    """
    model, other_model = models
    seen = whole.without(without)
    said = ask(desk, model, seen)
    beside = None
    if other_model:
        beside = Beside(ask(desk, other_model, seen), other_model)
    elif without:
        beside = Beside(ask(desk, model, whole), "with everything", leads=True)
    key = ("why", model, seen)
    why = _why(desk, model, seen, said) if is_remembered(key) else None
    draw_answers(said, f"p.answers.{model}", why, beside)
    if without:
        cause = f"Without {' and '.join(without)}"
        st.text(change_told(ask(desk, model, whole), said, cause))
    if other_model:
        st.text(change_told(said, beside.answer, f"Model {other_model}"))
    for problem in _left_out(said, without):
        st.text(f"Left out: {problem}")
    return said


def work_out_why(desk: Desk, model: str, seen: Subject, said: Answer) -> None:
    """Find the reasons where they aren't known yet, and draw the page again with them."""
    if not is_remembered(("why", model, seen)):
        _why(desk, model, seen, said)
        st.rerun()


def change_told(before: Answer, now: Answer, cause: str) -> str:
    """Return in words how the fused answer moved.

    Args:
        cause: what is different now, e.g. "Without photo".
    """
    old, new = before.fused, now.fused
    was, is_now = percent(old.probability), percent(new.probability)
    if old.code != new.code:
        return f"{cause}: {new.name_fr} {is_now} instead of {old.name_fr} {was}."
    if was == is_now:
        return f"{cause}: still {new.name_fr}, as sure as before ({was})."
    return f"{cause}: still {new.name_fr}, {is_now} instead of {was}."


def _left_out(said: Answer, without: Sequence[str]) -> list[str]:
    """Return the problems that no view's own words tell already."""
    told = {view.absent for view in said.views}
    return [problem for problem in said.problems if problem not in told]


def _why(desk: Desk, model: str, seen: Subject, said: Answer) -> Why:
    return remembered(
        ("why", model, seen),
        lambda: explain_views(runtime_of(desk, model), _input(seen), said),
    )


def _input(seen: Subject):
    return given_product(seen.title, seen.description, seen.photo, dict(seen.extra))


def show_neighbours(desk: Desk, model: str, seen: Subject, besides: str) -> None:
    """Show the labelled products most like this one.

    Args:
        besides: id of the product itself where it is one of the catalogue, "" otherwise.

    Raises:
        MmcoreError: if the model can't be loaded.
    """
    st.subheader("Labelled products most like it")
    # their labels may change by the minute: only what is alike is remembered, in the index
    index = neighbours_or_wait(desk, model)
    if index is None:
        return
    found = labelled_neighbours(desk.store, index, _input(seen), NUM_NEIGHBOURS, besides)
    if not found:
        st.caption("No labelled product of the catalogue is like it.")
        return
    st.text(_summary(found))
    cards = [
        Card(
            near.row.product_id,
            near.row.title,
            list_photo(desk.workspace, near.row.photo),
            (Line(f"{near.row.label.code} {near.row.label.name_fr}"),),
            f"{percent(near.likeness)} alike",
        )
        for near in found
    ]
    photo_grid(cards, GRID, _open)
    if product_id := st.session_state.pop("p.open", None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})


def _summary(found: Sequence[LabelledNeighbour]) -> str:
    counts = Counter(near.row.label.name_fr for near in found).most_common(3)
    listed = ", ".join(f"{name} {num}" for name, num in counts)
    return f"Labels of these {len(found)}: {listed}{' …' if len(counts) == 3 else ''}"


def _open() -> None:
    st.session_state["p.open"] = opened(GRID)
