"""The catalogue in plots; a click on a bar sets the filter that it stands for."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from mmcore.services.catalogue_numbers import (
    CatalogueNumbers,
    catalogue_moment,
    catalogue_numbers,
    catalogue_revision,
)
from mmcore.services.catalogue_shapes import group_sizes, photo_sizes, text_lengths
from mmcore.store.engine import Store
from mmcore.ui.catalogue.filters import set_filter
from mmcore.ui.charts import show, styled
from mmcore.ui.colours import AFTER_COLOUR
from mmcore.ui.desk import Desk
from mmcore.workspace import Workspace

KEEP_S = 600  # a photo that can be read again by then


def numbers_now(desk: Desk) -> CatalogueNumbers:
    """Return the catalogue in numbers, counted again only when something was done to it."""
    return _numbers(desk.settings.home, catalogue_moment(desk.store), desk.store)


def number_row(numbers: CatalogueNumbers, prefix: str) -> None:
    """Draw how many products there are, and what they lack; what can be filtered by, as buttons."""
    cells = st.columns(7, vertical_alignment="bottom")
    cells[0].metric("Products", f"{numbers.num_products:,}")
    cells[1].metric("Labelled", f"{numbers.num_labelled:,}")
    cells[2].metric("Without a title", f"{numbers.num_without_title:,}")
    cells[3].metric("Without a description", f"{numbers.num_without_description:,}")
    for cell, (state, count) in zip(
        cells[4:],
        {
            "without a label": numbers.num_unlabelled,
            "without photo": numbers.num_without_photo,
            "flagged": numbers.num_flagged,
        }.items(),
        strict=True,
    ):
        cell.button(
            f"{count:,} {state}",
            key=f"{prefix}.number.{state}",
            width="stretch",
            disabled=not count,
            on_click=set_filter,
            args=(prefix, "states", [state]),
        )


def plots(desk: Desk, numbers: CatalogueNumbers, prefix: str) -> None:
    """Draw the distribution of classes, text lengths, photo sizes, and near-copies."""
    left, right = st.columns([3, 2])
    with left:
        _by_class(numbers, prefix)
    with right:
        revision = catalogue_revision(desk.store)
        _by_text_length(desk, revision, prefix)
        _by_photo_size(desk, revision, prefix)
        copies = _groups(desk.settings.home, revision, desk.store)
        st.button(
            f"{copies.num_products:,} products are near-copies, in {copies.num_groups:,} groups "
            f"(the largest has {copies.largest:,})",
            on_click=set_filter,
            args=(prefix, "states", ["with near-copies"]),
            disabled=not copies.num_groups,
            help="Same words, or nearly the same photo. A group never straddles splits.",
        )


def _by_class(numbers: CatalogueNumbers, prefix: str) -> None:
    classes = [c for c in numbers.classes if c.num_products]
    bars = Bars(
        "Products by label",
        tuple(f"{c.code} {c.name_fr}" for c in classes),
        tuple(c.num_products for c in classes),
        tuple(c.code for c in classes),
        height=420,
        tick_angle=-55,
    )
    _clickable(bars, f"{prefix}.plot.class", prefix, "labels", lambda code: [code])


def _by_text_length(desk: Desk, revision: int, prefix: str) -> None:
    buckets = [b for b in _texts(desk.settings.home, revision, desk.store) if b.count]
    bars = Bars(
        "Characters of title and description",
        tuple(b.name for b in buckets),
        tuple(b.count for b in buckets),
        tuple((b.low, b.high) for b in buckets),
    )
    _clickable(bars, f"{prefix}.plot.text", prefix, "chars", tuple)


def _by_photo_size(desk: Desk, revision: int, prefix: str) -> None:
    found = _photos(desk.settings.home, revision, desk.store)
    places = [i for i, bucket in enumerate(found.buckets) if bucket.count]
    bars = Bars(
        f"Longer side in pixels, of {found.num_looked_at:,} photos",
        tuple(found.buckets[i].name for i in places),
        tuple(found.buckets[i].count for i in places),
        tuple(places),
    )
    _clickable(bars, f"{prefix}.plot.photo", prefix, "photos", lambda place: found.keys[place])
    if found.num_unreadable:
        st.text(f"{found.num_unreadable:,} of them can't be read.")


@dataclass(frozen=True)
class Bars:
    """A plot of bars.

    Attributes:
        custom: what each bar stands for: a number, a text or two numbers.
        height: in pixels.
        tick_angle: of the names below, in degrees.
    """

    title: str
    names: tuple[str, ...]
    counts: tuple[int, ...]
    custom: tuple
    height: int = 190
    tick_angle: int | None = None


@lru_cache(maxsize=24)
def _figure(bars: Bars) -> go.Figure:
    """Return the plot; made once, as it takes longer than all else between two filters."""
    figure = go.Figure(
        go.Bar(
            x=bars.names,
            y=bars.counts,
            customdata=bars.custom,
            marker_color=AFTER_COLOUR,
            opacity=0.85,
        )
    )
    figure.update_xaxes(type="category", tickangle=bars.tick_angle)
    figure.update_layout(title=bars.title)
    return styled(figure, bars.height)


def _clickable(bars: Bars, key: str, prefix: str, name: str, value_of) -> None:
    """Draw bars; a click sets a filter, once: the selection itself is let go of by a new key."""
    turn = st.session_state.setdefault(f"{key}.turn", 0)
    event = show(_figure(bars), f"{key}.{turn}", on_select="rerun", selection_mode="points")
    if event and event.selection.points:
        custom = event.selection.points[0]["customdata"]
        st.session_state[f"{prefix}.clicked"] = (name, value_of(custom))
        st.session_state[f"{key}.turn"] = turn + 1
        st.rerun()


def take_click(prefix: str) -> None:
    """Set the filter that a click asked for, before the filters are drawn."""
    if clicked := st.session_state.pop(f"{prefix}.clicked", None):
        set_filter(prefix, *clicked)


@st.cache_data(show_spinner=False, max_entries=4)
def _numbers(home: Path, moment: tuple[int, int], _store: Store):
    return catalogue_numbers(_store)


# only imports change texts, near-copies and photos
@st.cache_data(show_spinner=False, max_entries=4)
def _texts(home: Path, revision: int, _store: Store):
    return text_lengths(_store)


@st.cache_data(show_spinner=False, max_entries=4)
def _groups(home: Path, revision: int, _store: Store):
    return group_sizes(_store)


@st.cache_data(ttl=KEEP_S, show_spinner="Looking at photos…", max_entries=4)
def _photos(home: Path, revision: int, _store: Store):
    return photo_sizes(_store, Workspace(home))
