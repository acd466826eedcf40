"""One product of the queue, with everything that the Label screen shows of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from mmcore.catalog.class_names import Ranked
from mmcore.services.queue_settings import QueueSettings
from mmcore.store import queue_next
from mmcore.store.queue_rows import HIDDEN_FACTOR, draw
from mmcore.store.tables import ProductClass

TOP = 5  # guesses of each view


@dataclass(frozen=True)
class QueueSuggestion:
    """What the production model says; each view has its best guesses first, or none.

    Attributes:
        is_hidden: not to be shown before the person has decided, to measure its influence; the
            annotation says so.
    """

    model_version_id: int
    fused: tuple[Ranked, ...]
    text: tuple[Ranked, ...]
    image: tuple[Ranked, ...]
    is_hidden: bool


@dataclass(frozen=True)
class Progress:
    """Products of the queue that nobody has decided, and those that somebody has."""

    done: int
    waiting: int


@dataclass(frozen=True)
class QueueItem:
    """A product that one person has open.

    Attributes:
        id: its number in the store; `product_id` is the shop's own id.
        version: to be named by the annotation.
        label: class code; of a second opinion the label before the first one, which stays unseen.
        order: the order that it was found in.
        token: of the annotation; the same as long as this person keeps the product.
        suggestion: None where no model is in production or it has said nothing yet.
    """

    id: int
    product_id: str
    title: str
    description: str
    photo: str
    extra: Mapping[str, Any]
    version: int
    is_flagged: bool
    label: str | None
    suggestion: QueueSuggestion | None
    is_second_opinion: bool
    order: str
    token: str
    lease_expires_at: float
    progress: Progress


@dataclass(frozen=True)
class Taken:
    """A lease that a person has just got or kept."""

    product_id: int
    token: str
    expires_at: float
    order: str


def item_of(
    connection: Connection, taken: Taken, settings: QueueSettings, progress: Progress
) -> QueueItem | None:
    """Return a leased product as the screen shows it; None where it doesn't wait any more."""
    row = queue_next.show(connection, taken.product_id)
    if row is None:
        return None
    classes = {found.id: found for found in connection.execute(_CLASSES)}
    label = classes.get(row.class_key)
    return QueueItem(
        id=row.id,
        product_id=row.product_id,
        title=row.title,
        description=row.description,
        photo=row.photo,
        extra=row.extra,
        version=row.version,
        is_flagged=row.is_flagged,
        label=label.code if label else None,
        suggestion=_suggestion(row, classes, settings),
        is_second_opinion=row.decided_by_id is not None,
        order=taken.order,
        token=taken.token,
        lease_expires_at=taken.expires_at,
        progress=progress,
    )


def progress_of(row: Row, only: str) -> Progress:
    """Return how far the queue is: the whole of it, or that of the unlabelled.

    Args:
        row: from `queue_next.opening`.
    """
    if only == "unlabelled":
        return Progress(row.put_in_unlabelled - row.unlabelled, row.unlabelled)
    return Progress(row.put_in - row.waiting, row.waiting)


_CLASSES = select(
    ProductClass.id,
    ProductClass.code,
    ProductClass.name_fr,
    ProductClass.name_en,
    ProductClass.merged_into_id,
    ProductClass.is_archived,
)


def _suggestion(
    row: Row, classes: Mapping[int, Row], settings: QueueSettings
) -> QueueSuggestion | None:
    if not row.top:
        return None
    fused, text, image = (
        _guesses(row.top.get(view, ()), classes) for view in ("fused", "text", "image")
    )
    is_hidden = draw(row.id, HIDDEN_FACTOR) < settings.hidden_share
    return QueueSuggestion(row.model_version_id, fused, text, image, is_hidden)


def _guesses(top: list[list], classes: Mapping[int, Row]) -> tuple[Ranked, ...]:
    """Return guesses, best first; one of a class that was merged counts for the one it became.

    A class that was archived is left out: nobody may give it.
    """
    sums: dict[int, float] = {}
    for class_id, probability in top:
        found = classes[class_id]
        while found.merged_into_id is not None:
            found = classes[found.merged_into_id]
        if not found.is_archived:
            sums[found.id] = sums.get(found.id, 0.0) + probability
    best = sorted(sums.items(), key=lambda item: -item[1])[:TOP]
    return tuple(
        Ranked(c.code, c.name_fr, c.name_en, probability)
        for c, probability in ((classes[class_id], p) for class_id, p in best)
    )
