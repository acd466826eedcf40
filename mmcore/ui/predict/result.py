"""The answers to the product on the Predict screen: side by side, why, and what is alike."""

import base64
import io
from typing import Any

import streamlit as st
from PIL import Image

from mmcore.images import decode_photo
from mmcore.services.answers import Answer, answer
from mmcore.services.browse import Count, count_products, rows_of
from mmcore.services.prediction import explain
from mmcore.ui.answers import draw_answers
from mmcore.ui.desk import Desk
from mmcore.ui.photo_grid import Card, Line, opened, photo_grid
from mmcore.ui.photos import list_photo
from mmcore.ui.runtimes import neighbours_of, runtime_of
from mmcore.ui.screens import screen_named

NUM_NEIGHBOURS = 12
GRID = "p.neighbours"


def show_answer(desk: Desk, model: str, product, is_explained: bool) -> Answer:
    """Ask a model about the product and draw what it says.

    Raises:
        MmcoreError: if there is nothing to predict from.
    """
    runtime = runtime_of(desk, model)
    said = answer(runtime, product)
    icon = {True: "✓", False: "≠", None: "–"}[said.is_agreed]
    st.text(f"{icon} {said.agreement}  ·  model {said.model}")
    draw_answers(said, f"p.answers.{model}", _why(runtime, product, said) if is_explained else None)
    for problem in said.problems:
        st.text(f"Left out: {problem}")
    return said


def _why(runtime, product, said: Answer) -> dict[str, Any]:
    found = explain(runtime, product, runtime.predict_one(product))
    weights = {word.word: word.weight for word in found.words if word.modality == "text"}
    name = next(bar.name_fr for bar in said.view("fused").bars if bar.code == found.code)
    return {
        "name": name,
        "words": [
            {"text": word.text, "weight": weights[word.text]}
            for word in said.words
            if word.text in weights
        ],
        "photo": "" if found.regions is None else _shown_photo(product),
        "regions": None if found.regions is None else found.regions.astype(float).tolist(),
        "ablation": [{"without": row.modality, "p": row.without_it} for row in found.ablation],
    }


def _shown_photo(product) -> str:
    """Return the photo as the network sees it, so that the regions lie where they belong."""
    if product.photo is None:
        return ""
    file = io.BytesIO()
    Image.fromarray(decode_photo(product.photo)).save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def show_words(said: Answer) -> None:
    """Show the text as the model reads it, and which words it knows."""
    with st.expander("The text as the model reads it"):
        if not said.words:
            st.caption("No words are left after cleaning.")
            return
        st.text(" ".join(word.text for word in said.words))
        unknown = [word.text for word in said.words if not word.is_known]
        known = len(said.words) - len(unknown)
        st.text(f"{known} of {len(said.words)} words are in the vocabulary.")
        if unknown:
            st.text(f"Not in it (parts of them may still be known): {', '.join(unknown)}")


def show_neighbours(desk: Desk, model: str, product) -> None:
    """Show the labelled products most like this one."""
    st.subheader("Labelled products most like it")
    total: Count = count_products(desk.store, at_most=10**9)
    index = neighbours_of(desk, model, total.num)
    near = index.like_input(product, 4 * NUM_NEIGHBOURS)
    rows = {row.id: row for row in rows_of(desk.store, [n.id for n in near])}
    cards = []
    for neighbour in near:
        row = rows.get(neighbour.id)
        if row is None or row.label is None:
            continue
        photo = list_photo(desk.workspace, row.photo)
        line = Line(f"{row.label.code} {row.label.name_fr}")
        badge = f"{neighbour.likeness:.0%} alike"
        cards.append(Card(row.product_id, row.title, photo, (line,), badge))
    if not cards:
        st.caption("Nothing in the catalogue is like it.")
        return
    photo_grid(cards[:NUM_NEIGHBOURS], GRID, _open)
    if product_id := st.session_state.pop("p.open", None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})


def _open() -> None:
    st.session_state["p.open"] = opened(GRID)
