"""Which products a bulk act is to meet: by filters, or those that are like a product."""

from dataclasses import dataclass

import streamlit as st

from mmcore.services.browse import ProductPage, ProductRow, rows_of
from mmcore.services.product_choice import find_filter
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.catalogue.filters import product_filters
from mmcore.ui.catalogue.pager import place, product_page
from mmcore.ui.desk import Desk
from mmcore.ui.neighbour_wait import neighbours_or_wait
from mmcore.ui.runtimes import usable_versions

WAYS = ("Filters", "Like a product")
ORDERS = ("catalogue", "newest", "random", "disagreement", "margin", "suspicion")
SIZE = 60
NEAR = (30, 60, 120, 240)
PAGES = "b.page"  # key of the list's pages


@dataclass(frozen=True)
class Chosen:
    """The products on the screen.

    Attributes:
        wanted: the filter they come from; None for likeness, whose products can only be selected.
        where: a word that changes with them.
        page: of the list that they are a page of, None for likeness.
    """

    rows: tuple[ProductRow, ...]
    wanted: ProductFilter | None = None
    where: str = ""
    page: ProductPage | None = None


def choose_rows(desk: Desk) -> Chosen:
    """Draw the choice; return the products that it means."""
    if like := st.query_params.pop("like", None):
        st.session_state["b.way"], st.session_state["b.like"] = WAYS[1], like
    st.session_state.setdefault("b.way", WAYS[0])
    way = st.segmented_control("Find by", WAYS, key="b.way", required=True)
    if way == WAYS[1]:
        return _alike(desk)
    wanted = find_filter(desk.store, product_filters(desk, "b.filter"))
    order = st.selectbox("Order", ORDERS, key="b.order", width=240)
    page = product_page(desk, PAGES, wanted, order, SIZE)
    return Chosen(page.rows, wanted, place(PAGES), page)


def _alike(desk: Desk) -> Chosen:
    left, right = st.columns([3, 1])
    shop_id = left.text_input("Id of the product", key="b.like").strip()
    count = right.selectbox("How many", NEAR, index=1, key="b.near")
    versions = usable_versions(desk)
    if not versions:
        st.info("Likeness is what a model sees: train one first.", icon=":material/info:")
        return Chosen(())
    if not shop_id:
        st.caption("Every product's page and card shows its id.")
        return Chosen(())
    index = neighbours_or_wait(desk, versions[0].name)
    if index is None:
        return Chosen(())
    near = index.like_product(shop_id, count)
    if not near:
        st.text(f"There is no product {shop_id!r}, or nothing is like it.")
    return Chosen(rows_of(desk.store, [n.id for n in near]), where=f"{shop_id} {count}")
