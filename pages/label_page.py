"""Label: one product, one key. What the keys do: mmcore/ui/shift.py; how it looks: label_board."""

import time

import streamlit as st

from mmcore.ui import label_board
from mmcore.ui.guard import enter
from mmcore.ui.label_view import board_data
from mmcore.ui.notices import errors_shown
from mmcore.ui.queue_choice import choose_queue
from mmcore.ui.shift import Shift, choose, fill, handle, start_with

desk = enter("label_page")
# a shift belongs to a person: whoever sits down next begins their own
shift: Shift = st.session_state.setdefault(f"shift.{desk.actor.id}", Shift())


@st.fragment
def board() -> None:
    def act() -> None:
        handle(desk, shift, label_board.act_of(), time.time())

    with errors_shown():
        fill(desk, shift, time.time())
        label_board.draw(board_data(desk, shift), act)


with errors_shown():
    wanted = choose_queue(desk, shift.choice)
    if wanted != shift.choice:
        choose(desk, shift, wanted, time.time())
    if product := st.query_params.get("product"):
        st.query_params.pop("product")
        start_with(desk, shift, product, time.time())
board()
