"""Predict: one product, what text, photo and both together say, and why."""

import streamlit as st

from mmcore.services.add_product import NewProduct
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.predict.choice import choose_models, further_columns, product_of
from mmcore.ui.predict.result import show_answer, show_neighbours, show_words
from mmcore.ui.predict.saving import save_box
from mmcore.ui.predict.subject import subject_inputs

desk = enter("predict_page")
model, other = choose_models(desk)
if model is None:
    st.info(
        "No model is here yet. Import a catalogue on the Batch screen, label some products, and "
        "train on the Retrain screen.",
        icon=":material/model_training:",
    )
    st.stop()
left, right = st.columns([4, 9], gap="medium")
with left:
    columns = further_columns(desk, model)
    subject_inputs(desk, columns)
    without = st.pills(
        "What if it had no …", ["title", "description", "photo"], selection_mode="multi"
    )
product, new = product_of(columns, without)
with right:
    said = None
    if product is None:
        st.info(
            "Type a title, drop a photo, or take an example: any of them will do.",
            icon=":material/arrow_back:",
        )
    else:
        with errors_shown():
            is_explained = st.toggle("Say why", value=True)
            said = show_answer(desk, model, product, is_explained)
            if other:
                st.divider()
                show_answer(desk, other, product, is_explained)
            show_words(said)
    if product is not None:
        with errors_shown():
            save_box(desk, NewProduct(*new), said)
        with errors_shown():
            show_neighbours(desk, model, product)
