"""Which products a bulk act is to meet: by filters, or those that are like a product."""

import streamlit as st

from mmcore.services.browse import ProductRow, rows_of
from mmcore.services.product_choice import find_filter
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.catalogue.filters import product_filters
from mmcore.ui.catalogue.pager import page_buttons, place, product_page
from mmcore.ui.desk import Desk
from mmcore.ui.runtimes import neighbours_of, usable_versions

WAYS = ("Filters", "Like a product")
ORDERS = ("catalogue", "newest", "random", "disagreement", "margin", "suspicion")
SIZE = 60
NEAR = (30, 60, 120, 240)


def choose_rows(desk: Desk) -> tuple[tuple[ProductRow, ...], ProductFilter | None, str]:
    """Draw the choice; return the rows on the screen, the filter they come from (None for likeness,
    whose products can only be selected), and a word that changes with them."""
    if like := st.query_params.pop("like", None):
        st.session_state["b.way"], st.session_state["b.like"] = WAYS[1], like
    st.session_state.setdefault("b.way", WAYS[0])
    way = st.segmented_control("Find by", WAYS, key="b.way", required=True)
    if way == WAYS[1]:
        return _alike(desk)
    wanted = find_filter(desk.store, product_filters(desk, "b.filter"))
    order = st.selectbox("Order", ORDERS, key="b.order", width=240)
    page = product_page(desk, "b.page", wanted, order, SIZE)
    return page.rows, wanted, place("b.page")


def show_pages(desk: Desk, rows: tuple[ProductRow, ...], wanted: ProductFilter | None) -> None:
    """Draw the buttons that turn the page, where there are pages."""
    if wanted is not None and rows:
        page = product_page(desk, "b.page", wanted, st.session_state["b.order"], SIZE)
        page_buttons("b.page", page)


def _alike(desk: Desk) -> tuple[tuple[ProductRow, ...], None, str]:
    left, right = st.columns([3, 1])
    shop_id = left.text_input("Id of the product", key="b.like").strip()
    count = right.selectbox("How many", NEAR, index=1, key="b.near")
    versions = usable_versions(desk)
    if not versions:
        st.info("Likeness is what a model sees: train one first.", icon=":material/info:")
        return (), None, ""
    if not shop_id:
        st.caption("Every product's page and card shows its id.")
        return (), None, ""
    near = neighbours_of(desk, versions[0].name).like_product(shop_id, count)
    if not near:
        st.text(f"There is no product {shop_id!r}, or nothing is like it.")
    return rows_of(desk.store, [n.id for n in near]), None, f"{shop_id} {count}"
