"""Bulk: many products by filter, predicted class or similarity; one label, one undo."""

import streamlit as st

from mmcore.services.browse import PageRequest, list_products
from mmcore.ui.cards import product_card
from mmcore.ui.guard import enter
from mmcore.ui.photo_grid import opened, photo_grid

desk = enter("bulk_page")
page = list_products(desk.store, page=PageRequest(size=48))
chosen = photo_grid(
    [product_card(desk, row) for row in page.rows],
    "bulk",
    lambda: print(opened("bulk")),
    selected=(),
)
st.write(chosen)
