"""The products that the filters mean, as cards or as a table."""

import streamlit as st

from mmcore.services.browse import ORDERS, ProductPage, ProductRow, count_products
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.cards import product_card
from mmcore.ui.catalogue.export import export_box
from mmcore.ui.catalogue.pager import page_buttons, product_page
from mmcore.ui.desk import Desk
from mmcore.ui.photo_grid import opened, photo_grid
from mmcore.ui.photos import list_photo
from mmcore.ui.screens import screen_named
from mmcore.ui.words import percent

SIZE = 48
OPEN = "c.open"


def listing(desk: Desk, wanted: ProductFilter) -> None:
    """Draw the page of products, its order and form, and the export."""
    found = count_products(desk.store, wanted)
    left, middle, right, last = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    more = "+" if found.is_more else ""
    left.subheader(f"{found.num:,}{more} products")
    order = middle.selectbox("Order", ORDERS, key="c.order")
    form = right.segmented_control("As", ["cards", "table"], default="cards", key="c.form")
    with last:
        export_box(desk, wanted)
    if not found.num:
        st.info("No product is meant by these filters; lift one.", icon=":material/filter_alt_off:")
        return
    page = product_page(desk, "c.page", wanted, order, SIZE)
    if not page.rows:
        st.info("The model in production has said nothing about these products yet.")
    elif form == "table":
        _table(desk, page)
    else:
        photo_grid([product_card(desk, row) for row in page.rows], "c.grid", _opened)
    page_buttons("c.page", page)
    if product_id := st.session_state.pop(OPEN, None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})


def _opened() -> None:
    st.session_state[OPEN] = opened("c.grid")


def _table(desk: Desk, page: ProductPage) -> None:
    rows = page.rows
    event = st.dataframe(
        {
            "photo": [list_photo(desk.workspace, row.photo) or None for row in rows],
            "id": [row.product_id for row in rows],
            "title": [row.title for row in rows],
            "label": [row.label.name_fr if row.label else "" for row in rows],
            "predicted": [_predicted(row) for row in rows],
            "split": [row.split for row in rows],
            "flagged": [row.is_flagged for row in rows],
            "annotations": [row.num_annotations for row in rows],
        },
        hide_index=True,
        height=620,
        row_height=44,
        on_select="rerun",
        selection_mode="single-row",
        key="c.table",
        column_config={"photo": st.column_config.ImageColumn("photo", width="small")},
    )
    if event.selection.rows:
        st.session_state[OPEN] = rows[event.selection.rows[0]].product_id


def _predicted(row: ProductRow) -> str:
    if row.predicted is None:
        return ""
    return f"{row.predicted.name_fr} {percent(row.predicted.probability)}"
