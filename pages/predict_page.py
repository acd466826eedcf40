"""Predict: one product, what text, photo and both together say, and why."""

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.services.prediction import further_columns
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown, show_error
from mmcore.ui.predict.choice import choose_models
from mmcore.ui.predict.examples import example_inputs, take_from_address, taken_from
from mmcore.ui.predict.nothing import no_model, no_product
from mmcore.ui.predict.result import show_answers, show_neighbours, work_out_why
from mmcore.ui.predict.saving import save_box
from mmcore.ui.predict.subject import subject, subject_inputs, what_if

desk = enter("predict_page")
top = st.columns([3, 3, 2, 2, 1.3], vertical_alignment="bottom")
model, other = choose_models(desk, *top[:2])
if model is None:
    no_model()
    st.stop()
try:
    columns = further_columns(desk.workspace, desk.settings, model)
except MmcoreError as error:
    show_error(error)
    st.stop()
take_from_address(desk)
is_searching = example_inputs(desk, *top[2:])
left, right = st.columns([4, 9], gap="medium")
with left:
    subject_inputs(columns)
    whole = subject(columns)
    without = what_if(whole)
    seen = whole.without(without)
with right:
    if seen.is_empty:
        no_product(without)
        st.stop()
    with errors_shown():
        said = show_answers(desk, (model, other), whole, without)
        here = save_box(desk, whole, said, taken_from())
        show_neighbours(desk, model, seen, here)
        if not is_searching:  # drawing the page again would close the dialog
            work_out_why(desk, model, seen, said)
