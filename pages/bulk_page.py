"""Bulk: many products by filter, predicted class or likeness; one label, one undo."""

import streamlit as st

from mmcore.ui.bulk.acting import act_bar, undo_bar
from mmcore.ui.bulk.choosing import PAGES, choose_rows
from mmcore.ui.cards import product_card
from mmcore.ui.catalogue.pager import page_buttons
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.photo_grid import opened, photo_grid
from mmcore.ui.screens import screen_named

desk = enter("bulk_page")


def open_card() -> None:
    st.session_state["b.open"] = opened("b.grid")


with errors_shown():
    undo_bar(desk)
    found = choose_rows(desk)
    rows, wanted = found.rows, found.wanted
    above = st.container()
    if rows:
        cards = [product_card(desk, row) for row in rows]
        chosen = set(photo_grid(cards, "b.grid", open_card, selected=(), page=found.where))
        if found.page is not None:
            page_buttons(PAGES, found.page)
        with above, errors_shown():
            act_bar(desk, [row.id for row in rows if row.product_id in chosen], wanted)
    elif wanted is not None:
        st.info("No product is meant by these filters; lift one.")
    if product_id := st.session_state.pop("b.open", None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})
