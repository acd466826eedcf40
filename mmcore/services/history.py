"""What was done: a person's last decisions, all that happened to a product or to the classes."""

from dataclasses import dataclass

from sqlalchemy import Row

from mmcore.services.people import Actor
from mmcore.store import history as rows
from mmcore.store.classes import class_of_id
from mmcore.store.engine import Store


@dataclass(frozen=True)
class RecentAct:
    """One decision of the strip "last ten".

    Attributes:
        product_id: number of the (first) product.
        photo: its content key for the thumbnail, "" without a photo.
        label: class code that was given; of a skip or flag the label there was.
        count: products of the act, more than 1 for a bulk act.
    """

    act_id: int
    verb: str
    product_id: int
    shop_id: str
    title: str
    photo: str
    label: str | None
    count: int
    is_undone: bool
    comment: str
    created_at: float


@dataclass(frozen=True)
class HistoryLine:
    """One annotation of a product, as it happened.

    Attributes:
        act_kind: single, bulk, import, class or undo.
        verb: label, accept, skip, flag, unflag, merge, import or undo.
        undoes_act: the act that an undo took back, else None.
        is_undone: an undo of this act is in force (products it could not put back excepted).
    """

    annotation_id: int
    act_id: int
    act_kind: str
    verb: str
    label_before: str | None
    label: str | None
    was_flagged: bool
    is_flagged: bool
    version: int
    annotator: str
    created_at: float
    seconds: float | None
    suggestion: dict
    model_version_id: int | None
    comment: str
    is_undone: bool
    undoes_act: int | None


@dataclass(frozen=True)
class ClassHistoryLine:
    """One change of a class.

    Attributes:
        verb: add, rename, guideline, archive, unarchive, reorder, merge or undo.
        text: what happened, in words.
    """

    act_id: int
    verb: str
    text: str
    annotator: str
    created_at: float
    is_undone: bool
    undoes_act: int | None


def recent(store: Store, actor: Actor, limit: int = 10) -> tuple[RecentAct, ...]:
    """Return a person's last decisions, newest first, undone ones included."""
    with store.reading() as session:
        return tuple(
            RecentAct(
                row.id,
                row.verb,
                row.product_row,
                row.shop_id,
                row.title,
                row.photo,
                row.label,
                row.details.get("count", 1),
                row.is_undone,
                row.comment,
                row.created_at,
            )
            for row in rows.recent_acts(session, actor.id, limit)
        )


def history(store: Store, product_id: int) -> tuple[HistoryLine, ...]:
    """Return everything that people did to a product, oldest first."""
    with store.reading() as session:
        return tuple(HistoryLine(*row) for row in rows.of_product(session, product_id))


def class_history(store: Store, limit: int = 100) -> tuple[ClassHistoryLine, ...]:
    """Return the last changes of classes, newest first, with the undos of them."""
    with store.reading() as session:
        found = rows.class_acts(session, limit)
        codes = {
            change["class_id"]: class_of_id(session, change["class_id"]).code
            for row in found
            for change in row.details.get("changes", ())
        }
    return tuple(
        ClassHistoryLine(
            row.id,
            row.details["verb"],
            _told(row, codes),
            row.annotator,
            row.created_at,
            row.is_undone,
            row.undoes_id,
        )
        for row in found
    )


def _told(row: Row, codes: dict[int, str]) -> str:
    details = row.details
    if row.kind == "undo":
        word = "redo" if details["is_redo"] else "undo"
        products = f", {details['restored']:,} products put back" if details["restored"] else ""
        kept = f", {details['kept']:,} kept because changed since" if details["kept"] else ""
        return f"{word} of act {details['root']} ({details['of']}){products}{kept}"
    return details["text"]
