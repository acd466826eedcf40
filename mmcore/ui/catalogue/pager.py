"""Pages of a list that is walked by key: forth from the last row, back along the way one came."""

from collections.abc import Hashable

import streamlit as st

from mmcore.services.browse import PageRequest, ProductPage, list_products
from mmcore.store.product_filter import ProductFilter
from mmcore.ui.desk import Desk


def product_page(
    desk: Desk, prefix: str, wanted: ProductFilter, order: str, size: int
) -> ProductPage:
    """Return the page that is being looked at; another filter or order begins at the first."""
    trail = _trail(prefix, (wanted, order, size))
    return list_products(desk.store, wanted, order, PageRequest(trail[-1], size))


def page_buttons(prefix: str, page: ProductPage) -> None:
    """Draw "before" and "next" for the page that was just drawn."""
    trail = st.session_state[f"{prefix}.trail"]
    before, following, where = st.columns([1, 1, 6], vertical_alignment="center")
    before.button(
        "Before",
        icon=":material/chevron_left:",
        key=f"{prefix}.before",
        disabled=len(trail) == 1,
        on_click=trail.pop,
        width="stretch",
    )
    following.button(
        "Next",
        icon=":material/chevron_right:",
        key=f"{prefix}.next",
        disabled=page.next_page is None,
        on_click=trail.append,
        args=(page.next_page,),
        width="stretch",
    )
    where.caption(f"page {len(trail)}")


def place(prefix: str) -> str:
    """Return a word that changes with the page that is looked at."""
    return f"{st.session_state.get(f'{prefix}.of')} {st.session_state.get(f'{prefix}.trail')}"


def _trail(prefix: str, of: Hashable) -> list[str | None]:
    if st.session_state.get(f"{prefix}.of") != of:
        st.session_state[f"{prefix}.of"] = of
        st.session_state[f"{prefix}.trail"] = [None]
    return st.session_state[f"{prefix}.trail"]
