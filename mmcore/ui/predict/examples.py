"""Products to begin with: a random one of a class, one that is searched for, one of an address."""

import random

import streamlit as st

from mmcore.errors import MmcoreError
from mmcore.photos import PhotoStore
from mmcore.services.batch_product import batch_product
from mmcore.services.browse import PageRequest, ProductRow, list_products, product_detail
from mmcore.services.classes import list_classes
from mmcore.services.product_choice import ProductChoice, find_filter
from mmcore.ui.cards import product_card
from mmcore.ui.desk import Desk
from mmcore.ui.notices import show_error, tell_error
from mmcore.ui.photo_grid import opened, photo_grid
from mmcore.ui.predict.subject import TITLE, Subject, put_subject, subject

FROM, TAKEN = "p.from", "p.taken"
GRID, CODE = "p.examples", "p.example.class"
NUM_SHOWN, NUM_DRAWN = 12, 200


def example_inputs(desk: Desk, left, middle, right) -> bool:
    """Draw the ways to another product; return whether the dialog of one is open."""
    with left.popover("Random", width="stretch", icon=":material/casino:"):
        _random(desk)
    right.button("Clear", icon=":material/close:", on_click=_clear, width="stretch")
    is_searching = middle.button("Search", width="stretch", icon=":material/search:")
    if is_searching:
        _search(desk)
    return is_searching


def take_from_address(desk: Desk) -> None:
    """Fill the fields from the product that the address names, once."""
    query = st.query_params
    wanted = (query.get("product", ""), query.get("batch", ""), query.get("row", ""))
    if not any(wanted):
        return
    if st.session_state.get(FROM) == wanted and TITLE in st.session_state:
        return
    st.session_state[FROM] = wanted
    try:
        found = _catalogue(desk, wanted[0]) if wanted[0] else _of_batch(desk, *wanted[1:])
    except MmcoreError as error:
        show_error(error)
        return
    put_subject(found)
    if wanted[0]:
        st.session_state[TAKEN] = (wanted[0], _words(found))


def taken_from() -> str:
    """Return the id of the catalogue's product on the screen, "" where it is another one by now."""
    product_id, words = st.session_state.get(TAKEN, ("", ()))
    return product_id if words == _words(subject(())) else ""


def _words(found: Subject) -> tuple[str, str, str]:
    return found.title, found.description, found.digest


def _catalogue(desk: Desk, product_id: str) -> Subject:
    row = product_detail(desk.store, product_id)
    photo = PhotoStore(desk.workspace.photos).read(row.photo) if row.photo else None
    extra = tuple((column, str(value)) for column, value in row.extra.items())
    return Subject.of(row.title, row.description, photo, extra)


def _of_batch(desk: Desk, batch_id: str, product_id: str) -> Subject:
    found = batch_product(desk.workspace, batch_id, product_id)
    return Subject.of(found.title, found.description, found.photo, found.extra)


def _random(desk: Desk) -> None:
    names = {c.code: f"{c.code}  {c.name_fr}" for c in list_classes(desk.store) if c.count}
    if not names:
        st.caption("The catalogue is empty: import one on the Batch screen.")
        return
    code = st.selectbox(
        "Random product of class", list(names), format_func=names.get, key=CODE, width=320
    )
    st.button("Take one", on_click=_take_random, args=(desk, code), type="primary", width="stretch")


def _take_random(desk: Desk, code: str) -> None:
    try:
        # test products first: the model has learnt from none of them
        rows = _drawn(desk, ProductChoice(classes=(code,), split="test"))
        rows = rows or _drawn(desk, ProductChoice(classes=(code,)))
    except MmcoreError as error:
        tell_error(error)
        return
    now = st.query_params.get("product")
    others = [row for row in rows if row.product_id != now]
    if others:
        _go_to(random.choice(others).product_id)


def _drawn(desk: Desk, choice: ProductChoice) -> tuple[ProductRow, ...]:
    wanted = find_filter(desk.store, choice)
    return list_products(desk.store, wanted, "random", PageRequest(size=NUM_DRAWN)).rows


@st.dialog("Take a product of the catalogue", width="large", on_dismiss="rerun")
def _search(desk: Desk) -> None:
    search = st.text_input("Words of its title or description, or its id", key="p.search").strip()
    try:
        wanted = find_filter(desk.store, ProductChoice(search=search))
        order = "catalogue" if search else "random"
        rows = list_products(desk.store, wanted, order, PageRequest(size=NUM_SHOWN)).rows
    except MmcoreError as error:
        show_error(error)
        return
    if not rows:
        st.info("No product has all these words.", icon=":material/search_off:")
        return
    photo_grid([product_card(desk, row) for row in rows], GRID, _chosen)
    if st.session_state.pop("p.chosen", False):
        st.rerun()  # the whole page: the dialog closes, and the product is on the screen


def _chosen() -> None:
    if (product_id := opened(GRID)) is not None:
        _go_to(product_id)
        st.session_state["p.chosen"] = True


def _go_to(product_id: str) -> None:
    for name in ("batch", "row"):
        st.query_params.pop(name, None)
    st.query_params["product"] = product_id
    st.session_state.pop(FROM, None)  # the same product again puts its words back


def _clear() -> None:
    for name in ("product", "batch", "row"):
        st.query_params.pop(name, None)
    st.session_state.pop(FROM, None)
    put_subject(Subject())
