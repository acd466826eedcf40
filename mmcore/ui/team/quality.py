"""How far people agree, how much suggestions pull them along, and what a lead has to settle."""

from collections.abc import Mapping

import streamlit as st

from mmcore.services.classes import list_classes
from mmcore.services.quality import (
    Agreement,
    Anchoring,
    Conflict,
    Share,
    agreement,
    anchoring,
    conflicts,
    count_conflicts,
)
from mmcore.ui.desk import Desk
from mmcore.ui.photo_grid import Card, Line, opened, photo_grid
from mmcore.ui.photos import list_photo
from mmcore.ui.screens import screen_named
from mmcore.ui.words import percent


def agreement_box(desk: Desk) -> None:
    """Draw the agreement on products that two people were given."""
    found = agreement(desk.store)
    st.subheader("Agreement")
    if not found.agreed.n:
        st.caption(
            "No product has two opinions yet; Settings, Queue says how many people are to share."
        )
        return
    left, right = st.columns(2)
    left.metric(
        "Same decision",
        percent(found.agreed.value),
        help=f"{_between(found.agreed)} of the overlap",
    )
    alpha = "–" if found.alpha is None else f"{found.alpha:.2f}"
    right.metric(
        "Krippendorff's alpha",
        alpha,
        help="1: people always agree; 0: as chance would have it. From 0.8 on labels are reliable.",
    )
    _pairs(found)


def _pairs(found: Agreement) -> None:
    st.dataframe(
        {
            "one": [pair.first for pair in found.pairs],
            "other": [pair.second for pair in found.pairs],
            "products": [pair.agreed.n for pair in found.pairs],
            "same decision": [100 * (pair.agreed.value or 0.0) for pair in found.pairs],
            "kappa": [pair.kappa for pair in found.pairs],
        },
        hide_index=True,
        column_config={
            "same decision": st.column_config.ProgressColumn(
                format="%.0f%%", min_value=0, max_value=100
            ),
            "kappa": st.column_config.NumberColumn(
                format="%.2f", help="Cohen's: agreement beyond what chance would give."
            ),
        },
    )


def anchoring_box(desk: Desk) -> None:
    """Draw how often people decide as the model says, with and without seeing it."""
    rows = anchoring(desk.store)
    st.subheader("Anchoring")
    st.caption(
        "How often people decide as the model suggests, where they saw the suggestion and where it "
        "was hidden on purpose. A gap well above 0 means that suggestions pull people along."
    )
    st.dataframe(
        {
            "person": [row.annotator or "all" for row in rows],
            "shown": [_told(row.shown) for row in rows],
            "hidden": [_told(row.hidden) for row in rows],
            "gap": [_gap(row) for row in rows],
        },
        hide_index=True,
    )


def _told(share: Share) -> str:
    return "–" if share.value is None else f"{percent(share.value)} of {share.n:,}"


def _gap(row: Anchoring) -> str:
    if row.gap is None:
        return "–"
    low, high = row.interval
    return f"{100 * row.gap:+.0f} points ({100 * low:+.0f} to {100 * high:+.0f})"


def _between(share: Share) -> str:
    low, high = share.interval
    return f"{percent(low)} to {percent(high)}, {share.n:,}"


def adjudication_box(desk: Desk) -> None:
    """Draw the products on which two people differ, and the way to settle them."""
    num_open, num_settled = count_conflicts(desk.store)
    st.subheader(f"Conflicts: {num_open:,} open, {num_settled:,} settled")
    if not num_open:
        return
    st.page_link(screen_named("review_page").file, label="Settle them by key on the Review screen")
    found = conflicts(desk.store, limit=24)
    names = {c.code: c.name_fr for c in list_classes(desk.store, with_archived=True)}
    cards = [
        Card(
            row.product_id,
            row.title,
            list_photo(desk.workspace, row.photo),
            opinion_lines(row, names),
        )
        for row in found
    ]
    photo_grid(cards, "t.conflicts", _opened)
    if product_id := st.session_state.pop("t.open", None):
        st.switch_page(screen_named("product_page").file, query_params={"id": product_id})


def opinion_lines(conflict: Conflict, names: Mapping[str, str]) -> tuple[Line, ...]:
    """Return who said what of a product; names: of the classes by code."""
    return tuple(
        Line(f"{o.annotator}: {o.label} {names.get(o.label, '')}".rstrip())
        for o in conflict.opinions
    )


def _opened() -> None:
    st.session_state["t.open"] = opened("t.conflicts")
