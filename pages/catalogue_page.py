"""Catalogue: search, filters, plots that filter when clicked; every product opens its page."""

import streamlit as st

from mmcore.services.product_choice import find_filter
from mmcore.ui.catalogue.filters import product_filters
from mmcore.ui.catalogue.listing import listing
from mmcore.ui.catalogue.plots import number_row, numbers_now, plots, take_click
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.screens import screen_named

PREFIX = "c.filter"

desk = enter("catalogue_page")
with errors_shown():
    numbers = numbers_now(desk)
    if not numbers.num_products:
        st.info(
            "The catalogue is empty. Import a file on the Batch screen, or on the command line: "
            "`python -m mmcore import csv FILE`.",
            icon=":material/inventory_2:",
        )
        st.page_link(screen_named("batch_page").file, label="Go to Batch")
        st.stop()
    take_click(PREFIX)
    number_row(numbers, PREFIX)
    wanted = find_filter(desk.store, product_filters(desk, PREFIX))
    if st.toggle("Plots: a click on a bar filters", value=True, key="c.plots"):
        plots(desk, numbers, PREFIX)
    listing(desk, wanted)
