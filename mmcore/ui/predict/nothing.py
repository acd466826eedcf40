"""The Predict screen without a model, or without a product."""

from collections.abc import Sequence

import streamlit as st

from mmcore.ui.screens import screen_named


def no_model() -> None:
    """Say what to do before anything can be predicted."""
    st.info(
        "No model is here yet. Import a catalogue, label some products, and train one.",
        icon=":material/model_training:",
    )
    for key in ("batch_page", "label_page", "retrain_page"):
        screen = screen_named(key)
        st.page_link(screen.file, label=screen.title, icon=screen.icon)


def no_product(without: Sequence[str]) -> None:
    """Say what to do before anything can be predicted from the fields."""
    if without:
        st.info(
            f"Without {' and '.join(without)} nothing is left to predict from: switch one of them "
            "on again.",
            icon=":material/arrow_back:",
        )
        return
    st.info(
        "Type a title, drop or paste a photo, or take a product of the catalogue: any of them "
        "will do. Nothing is stored, unless you save it.",
        icon=":material/arrow_back:",
    )
