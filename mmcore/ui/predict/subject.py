"""The product on the Predict screen: typed, pasted, dropped, or taken from the catalogue."""

import random

import streamlit as st

from mmcore.errors import ImageError, MmcoreError
from mmcore.photos import PhotoStore
from mmcore.services.browse import PageRequest, ProductDetail, list_products, product_detail
from mmcore.services.classes import list_classes
from mmcore.services.product_choice import ProductChoice, find_filter
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell_error
from mmcore.ui.paste import listen_for_photo, pasted_photo

TITLE, DESCRIPTION, PHOTO, SHOWN = "p.title", "p.description", "p.photo", "p.shown"
UPLOAD, PASTE, EXTRA, EXAMPLE = "p.upload", "p.paste", "p.extra", "p.example"


def subject_inputs(desk: Desk, extra: list[str]) -> None:
    """Draw the fields of the product; what they hold is in the session."""
    _take_example(desk)
    st.text_input("Title", key=TITLE, placeholder="Piscine gonflable 3 m", max_chars=2_000)
    st.text_area("Description", key=DESCRIPTION, height=110, max_chars=50_000)
    _photo_input()
    for column in extra:
        st.text_input(column, key=f"{EXTRA}.{column}", max_chars=200)
    left, right = st.columns(2)
    left.button("Clear", on_click=_clear, args=(extra,), width="stretch")
    with right.popover("Take an example", width="stretch"):
        _examples(desk)


def photo_bytes() -> bytes | None:
    """Return the photo that is on the screen."""
    return st.session_state.get(PHOTO)


def _photo_input() -> None:
    turn = st.session_state.setdefault(UPLOAD, 0)
    file = st.file_uploader(
        "Photo: drop it, choose it, or paste it with Ctrl+V",
        key=f"{UPLOAD}.{turn}",
        max_upload_size=30,
    )
    listen_for_photo(PASTE, _pasted)
    if file is not None:
        _set_photo(file.getvalue())
        # the file is ours now: a new uploader lets the server forget its copy
        st.session_state[UPLOAD] = turn + 1
        st.rerun()
    if (shown := st.session_state.get(SHOWN)) is not None:
        st.image(shown, width=240)
        st.button("Remove the photo", on_click=_set_photo, args=(None,), type="tertiary")


def _pasted() -> None:
    if (photo := pasted_photo(PASTE)) is not None:
        _set_photo(photo)


def _set_photo(photo: bytes | None) -> None:
    """Keep a photo and what the screen shows of it; one that can't be read is told and kept off."""
    from mmcore.images import fit_photo

    try:
        st.session_state[SHOWN] = fit_photo(photo, 480) if photo else None
    except ImageError as error:
        tell_error(error)
        return
    st.session_state[PHOTO] = photo


def _clear(extra: list[str]) -> None:
    for key in (TITLE, DESCRIPTION, *(f"{EXTRA}.{column}" for column in extra)):
        st.session_state[key] = ""
    _set_photo(None)
    st.session_state.pop(EXAMPLE, None)
    st.query_params.pop("product", None)


def _examples(desk: Desk) -> None:
    names = {c.code: f"{c.code}  {c.name_fr}" for c in list_classes(desk.store) if c.count}
    if not names:
        st.caption("The catalogue is empty: import one on the Batch screen.")
        return
    code = st.selectbox("Random product of class", list(names), format_func=names.get)
    st.button("Take one", on_click=_take_random, args=(desk, code), type="primary")
    st.text_input("or the product with id", key="p.example_id", on_change=_take_typed)


def _take_typed() -> None:
    st.query_params["product"] = st.session_state["p.example_id"].strip()


def _take_random(desk: Desk, code: str) -> None:
    try:
        wanted = find_filter(desk.store, ProductChoice(classes=(code,), split="test"))
        rows = list_products(desk.store, wanted, "random", PageRequest(size=200)).rows
        if not rows:
            wanted = find_filter(desk.store, ProductChoice(classes=(code,)))
            rows = list_products(desk.store, wanted, "random", PageRequest(size=200)).rows
    except MmcoreError as error:
        tell_error(error)
        return
    st.query_params["product"] = random.choice(rows).product_id


def _take_example(desk: Desk) -> None:
    """Fill the fields from the product that the address names, once."""
    wanted = st.query_params.get("product")
    if not wanted or st.session_state.get(EXAMPLE) == wanted:
        return
    st.session_state[EXAMPLE] = wanted
    try:
        _fill(desk, product_detail(desk.store, wanted))
    except MmcoreError as error:
        st.error(str(error), icon=":material/warning:")


def _fill(desk: Desk, product: ProductDetail) -> None:
    st.session_state[TITLE], st.session_state[DESCRIPTION] = product.title, product.description
    for column, value in product.extra.items():
        st.session_state[f"{EXTRA}.{column}"] = str(value)
    _set_photo(PhotoStore(desk.workspace.photos).read(product.photo) if product.photo else None)
