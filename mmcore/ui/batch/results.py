"""What was predicted: to be browsed, downloaded, and opened product by product."""

import base64
import io
from collections.abc import Mapping

import streamlit as st

from mmcore.catalog.photo_source import open_photo_source
from mmcore.errors import ImageError
from mmcore.images import fit_photo
from mmcore.services.batch_check import remarks_file
from mmcore.services.batch_result import (
    DOUBTFUL,
    DOWNLOADS,
    ORDERS,
    BatchRow,
    ResultFilter,
    read_result,
    rows_shown,
    table_file,
)
from mmcore.services.batches import Batch
from mmcore.services.classes import list_classes
from mmcore.services.photos import LIST_PX
from mmcore.ui.batch.adding import add_buttons, add_wanted, added_note
from mmcore.ui.desk import Desk
from mmcore.ui.photo_grid import Card, Line, opened, photo_grid
from mmcore.ui.screens import screen_named
from mmcore.ui.words import counted, duration, percent

SIZE = 48
GRID, OPENED = "x.grid", "x.opened"
LOW, APART = "doubtful", "disagreeing"
MIMES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
REMARKS_SHOWN = 500


def result_box(desk: Desk, batch: Batch) -> None:
    """Draw the filters, the products they mean, and what can be done with them."""
    rows = _rows(batch.id, batch.model, batch.result.stat().st_mtime, batch)
    title, download = st.columns([8, 2], vertical_alignment="center")
    title.subheader(f"{counted(batch.num_predicted, 'product')} predicted by {batch.model}")
    with download.popover("Download", icon=":material/download:", width="stretch"):
        _downloads(batch)
    without = f", {batch.num_without:,} had nothing to predict from" if batch.num_without else ""
    st.caption(f"It took {duration(batch.seconds)}{without}.")
    _remarks(batch)
    wanted, order, below = _filters(rows)
    doubtful = frozenset(row.product_id for row in rows if row.is_doubtful(below))
    add_buttons(desk, batch, len(rows), doubtful)
    add_wanted(desk, batch)
    added_note(desk, batch)
    _cards(desk, batch, rows_shown(rows, wanted, order), len(rows), below)


def _filters(rows: tuple[BatchRow, ...]) -> tuple[ResultFilter, str, float]:
    names = dict(sorted((row.predicted, row.name_fr) for row in rows if row.predicted))
    cells = st.columns([3, 3, 3, 3], vertical_alignment="bottom")
    below = cells[0].slider(
        "Doubtful below", 0, 100, round(100 * DOUBTFUL), 5, format="%d%%", key="x.below"
    )
    share = below / 100
    only = cells[1].pills(
        "Only",
        [LOW, APART],
        selection_mode="multi",
        key="x.only",
        help=f"Doubtful: less than {below}% sure. Disagreeing: text and photo differ.",
    )
    code = cells[2].selectbox(
        "Predicted class",
        [None, *names],
        format_func=lambda c: f"{c}  {names[c]}" if c else "any",
        key="x.class",
    )
    order = cells[3].selectbox(
        "Order", ORDERS, format_func=lambda o: "as in the file" if o == "file" else o, key="x.order"
    )
    return ResultFilter(share if LOW in only else None, APART in only, code), order, share


def _cards(desk: Desk, batch: Batch, rows: list[BatchRow], num_all: int, below: float) -> None:
    left, right = st.columns([8, 2], vertical_alignment="bottom")
    num_doubtful = sum(row.is_doubtful(below) for row in rows)
    left.text(
        f"{len(rows):,} of {counted(num_all, 'product')}; {num_doubtful:,} for a person to look at"
    )
    if not rows:
        st.info("No product is meant by these filters: widen them.", icon=":material/filter_alt:")
        return
    pages = -(-len(rows) // SIZE)
    key = f"x.page.{batch.id}"
    st.session_state[key] = min(st.session_state.get(key, 1), pages)
    number = right.number_input(f"Page (of {pages:,})", 1, pages, key=key)
    part = rows[(int(number) - 1) * SIZE : int(number) * SIZE]
    photos = _photos(batch.id, tuple(row.image for row in part), batch)
    names = {c.code: c.name_fr for c in list_classes(desk.store, with_archived=True)}
    names |= {row.predicted: row.name_fr for row in rows if row.predicted}
    cards = [_card(row, photos.get(row.image, ""), below, names) for row in part]
    photo_grid(cards, GRID, _open)
    if product_id := st.session_state.pop(OPENED, None):
        query = {"batch": batch.id, "row": product_id}
        st.switch_page(screen_named("predict_page").file, query_params=query)


def _open() -> None:
    st.session_state[OPENED] = opened(GRID)


def _card(row: BatchRow, photo: str, below: float, names: Mapping[str, str]) -> Card:
    def named(code: str) -> str:
        return f"{code} {names[code]}" if names.get(code, code) != code else code

    lines = [Line(named(row.predicted) if row.predicted else "no answer", "fused")]
    if not row.is_agreed:
        lines += [Line(named(row.text), "text"), Line(named(row.image_says), "image")]
    if row.label:
        lines.append(Line(f"file says {named(row.label)}"))
    if row.problems and not row.problems.endswith("is not given"):  # "no photo" says that much
        lines.append(Line(row.problems))
    word = row.confidence(below)
    badge = f"{word} {percent(row.probability)}" if row.predicted else word
    tone = "doubtful" if word == "no answer" else word
    return Card(row.product_id, row.title or row.product_id, photo, tuple(lines), badge, tone)


def _downloads(batch: Batch) -> None:
    for kind in DOWNLOADS:
        st.download_button(
            f"as {kind}",
            lambda kind=kind: table_file(batch, kind),
            f"{batch.name}.predicted.{kind}",
            MIMES[kind],
            on_click="ignore",
            key=f"x.file.{kind}",
            width="stretch",
        )


def _remarks(batch: Batch) -> None:
    if not batch.issues:
        return
    with st.expander(f"{counted(len(batch.issues), 'remark')} while predicting"):
        st.dataframe(list(batch.issues[:REMARKS_SHOWN]), hide_index=True)
        st.download_button(
            "Download them",
            lambda: remarks_file(batch.issues),
            f"{batch.name}.prediction-remarks.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


@st.cache_data(show_spinner="Reading the predictions…", max_entries=4)
def _rows(batch_id: str, model: str, changed_at: float, _batch: Batch) -> tuple[BatchRow, ...]:
    return read_result(_batch)


@st.cache_data(show_spinner=False, max_entries=40)
def _photos(batch_id: str, names: tuple[str, ...], _batch: Batch) -> dict[str, str]:
    """Return name -> data URL of those photos that can be read."""
    if _batch.photos is None:
        return {}
    photos, found = open_photo_source(_batch.photos), {}
    try:
        for name in filter(None, names):
            try:
                small = fit_photo(photos.read(name), LIST_PX)
            except ImageError:
                continue  # the card says "no photo"; the remarks say why
            file = io.BytesIO()
            small.save(file, "JPEG", quality=80)
            found[name] = (
                f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
            )
    finally:
        photos.close()
    return found
