"""One product: what it is, what the models say, what people did, and deciding about it."""

import streamlit as st

from mmcore.services.browse import product_detail
from mmcore.services.history import history
from mmcore.ui.catalogue.filters import class_names
from mmcore.ui.guard import enter
from mmcore.ui.notices import errors_shown
from mmcore.ui.product.deciding import decide_bar
from mmcore.ui.product.facts import show_copies, show_facts, show_history, show_predictions
from mmcore.ui.screens import screen_named
from mmcore.ui.words import moment

desk = enter("product_page")
wanted = st.query_params.get("id", "")
if not wanted:
    st.info("Choose a product in the Catalogue, or give its id in the address: ?id=…")
    st.page_link(screen_named("catalogue_page").file, label="Go to the Catalogue")
    st.stop()
with errors_shown():
    product = product_detail(desk.store, wanted)
    lines, names = history(desk.store, product.id), class_names(desk, with_archived=True)
    if product.removed_at is not None:
        st.warning(
            f"An import of {moment(product.removed_at)} took it out of the catalogue.",
            icon=":material/warning:",
        )
    if product.is_flagged:
        st.warning("It is flagged: a lead is to look at it.", icon=":material/flag:")
    decide_bar(desk, product, lines, class_names(desk))
    show_facts(desk, product)
    left, middle, right, _ = st.columns([1, 1, 1, 3])
    query = {"product": product.product_id}
    left.page_link(
        screen_named("predict_page").file, label="Ask a model about it", query_params=query
    )
    middle.page_link(screen_named("label_page").file, label="Open in Label", query_params=query)
    right.page_link(
        screen_named("bulk_page").file,
        label="Products like it",
        query_params={"like": product.product_id},
    )
    show_predictions(product.predictions, names)
    show_history(lines, names)
    show_copies(desk, product)
