"""What was predicted: to be browsed, downloaded, and added to the catalogue."""

import base64
import io
import time

import streamlit as st

from mmcore.catalog.photo_source import open_photo_source
from mmcore.errors import ImageError, MmcoreError
from mmcore.images import fit_photo
from mmcore.services.batch_result import (
    DOUBTFUL,
    BatchRow,
    ResultFilter,
    add_to_catalogue,
    read_result,
    table_file,
)
from mmcore.services.batches import Batch
from mmcore.services.catching_up import follow_up
from mmcore.services.people import may
from mmcore.services.photos import LIST_PX
from mmcore.ui.desk import Desk
from mmcore.ui.notices import tell, tell_error
from mmcore.ui.photo_grid import Card, Line, photo_grid
from mmcore.ui.words import duration, percent

SIZE = 48
KINDS = {"csv": "text/csv", "xlsx": "application/vnd.ms-excel", "parquet": "application/parquet"}


def result_box(desk: Desk, batch: Batch) -> None:
    """Draw the filters, the products they mean, and what can be done with them."""
    rows = _rows(batch.id, batch.model, batch.result.stat().st_mtime, batch)
    st.subheader(f"{batch.num_predicted:,} products predicted by {batch.model}")
    without = f", {batch.num_without:,} had nothing to predict from" if batch.num_without else ""
    st.caption(f"It took {duration(batch.seconds)}{without}.")
    wanted, below = _filters(rows)
    shown = [row for row in rows if wanted.takes(row)]
    _actions(desk, batch, rows, below)
    st.text(f"{len(shown):,} of {len(rows):,} products")
    _cards(batch, shown, below)


def _filters(rows: tuple[BatchRow, ...]) -> tuple[ResultFilter, float]:
    names = dict(sorted((row.predicted, row.name_fr) for row in rows if row.predicted))
    left, middle, right, last = st.columns([3, 2, 2, 4], vertical_alignment="bottom")
    below = left.slider("Doubtful below", 0.0, 1.0, DOUBTFUL, 0.05, key="x.below")
    is_low = middle.toggle("Only doubtful", key="x.low")
    is_apart = right.toggle("Only disagreeing", key="x.apart", help="Text and photo differ.")
    code = last.selectbox(
        "Predicted class",
        [None, *names],
        format_func=lambda c: f"{c}  {names[c]}" if c else "any",
        key="x.class",
    )
    return ResultFilter(below if is_low else None, is_apart, code), below


def _cards(batch: Batch, rows: list[BatchRow], below: float) -> None:
    if not rows:
        st.caption("No product is meant by these filters.")
        return
    pages = -(-len(rows) // SIZE)
    number = st.number_input("Page", 1, pages, 1, key=f"x.page.{batch.id}", width=140)
    part = rows[(int(number) - 1) * SIZE : int(number) * SIZE]
    photos = _photos(batch.id, tuple(row.image for row in part), batch)
    photo_grid([_card(row, photos.get(row.image, ""), below) for row in part], "x.grid", _nothing)


def _nothing() -> None:
    """A product of a batch has no page of its own before it is in the catalogue."""


def _card(row: BatchRow, photo: str, below: float) -> Card:
    lines = [Line(f"{row.predicted} {row.name_fr}" if row.predicted else "no answer", "fused")]
    if not row.is_agreed:
        lines += [Line(f"says {row.text}", "text"), Line(f"says {row.image_says}", "image")]
    if row.label:
        lines.append(Line(f"file says {row.label}"))
    if row.problems:
        lines.append(Line(row.problems))
    badge = percent(row.probability) if row.predicted else "–"
    if row.predicted and row.probability < below:
        badge = f"doubtful {badge}"
    tone = "" if not row.predicted else "doubt" if row.probability < below else "sure"
    return Card(row.product_id, row.title or row.product_id, photo, tuple(lines), badge, tone)


def _actions(desk: Desk, batch: Batch, rows: tuple[BatchRow, ...], below: float) -> None:
    doubtful = [r.product_id for r in rows if r.probability < below or not r.is_agreed]
    left, middle, right = st.columns(3)
    with left.popover("Download", icon=":material/download:", width="stretch"):
        for kind, mime in KINDS.items():
            st.download_button(
                f"as {kind}",
                lambda kind=kind: table_file(batch, kind),
                f"{batch.name}.predicted.{kind}",
                mime,
                on_click="ignore",
                key=f"x.file.{kind}",
            )
    is_lead = may(desk.actor, "lead")
    role = None if is_lead else f"needs the role lead; {desk.actor.name} is {desk.actor.role}"
    middle.button(
        f"Add all {len(rows):,} to the catalogue",
        icon=":material/library_add:",
        width="stretch",
        disabled=not is_lead,
        help=role or "Classes of the file count as labels; predictions never do.",
        on_click=_add,
        args=(desk, batch, None),
    )
    right.button(
        f"Send the {len(doubtful):,} doubtful ones to the queue",
        icon=":material/label:",
        width="stretch",
        disabled=not (is_lead and doubtful),
        help=role
        or "Unsure, or text and photo disagree. They are added to the catalogue, and "
        "labellers get them in the queue.",
        on_click=_add,
        args=(desk, batch, tuple(doubtful)),
    )


def _add(desk: Desk, batch: Batch, only: tuple[str, ...] | None) -> None:
    now = time.time()
    try:
        report = add_to_catalogue(desk.store, desk.actor, desk.workspace, batch, now, only)
        found = follow_up(desk.store, desk.actor, now, desk.backend)
    except MmcoreError as error:
        tell_error(error)
        return
    told = f" Meanwhile {found.sentence}." if found else ""
    tell(f"{report.summary()[0]}.{told}", ":material/library_add_check:")


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
