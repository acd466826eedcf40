"""A shift in the form in which the label board draws it."""

from collections.abc import Mapping
from typing import Any

from mmcore.catalog.class_names import Ranked
from mmcore.catalog.products import NOTE
from mmcore.services.classes import ClassInfo, list_classes
from mmcore.services.history import RecentAct, recent
from mmcore.services.pace import rate_per_hour
from mmcore.services.queue_item import QueueItem
from mmcore.ui.desk import Desk
from mmcore.ui.photos import card_photo
from mmcore.ui.shift import Shift, clock

FACT_CHARS = 60  # of one further column on the screen


def board_data(desk: Desk, shift: Shift) -> dict[str, Any]:
    """Return what the board shows; photos are in it only where the browser hasn't got them."""
    acts = recent(desk.store, desk.actor, 10)
    item, ahead = shift.current, shift.ahead
    keys = [i.photo for i in (item, ahead) if i] + [act.photo for act in acts]
    return {
        "item": _item(item) if item else None,
        "next": {"photo": ahead.photo} if ahead else None,
        "photos": new_photos(desk, shift.sent, keys),
        "classes": class_rows(desk),
        "recent": [recent_row(act) for act in acts],
        "progress": _progress(item),
        "pace": _pace(acts),
        "saved_at": clock(shift.saved_at) if shift.saved_at else "",
        "answer": shift.answer,
        "done": _done(shift),
    }


def _item(item: QueueItem) -> dict[str, Any]:
    said = item.suggestion
    is_hidden = bool(said and said.is_hidden)
    fused = said.fused if said and not is_hidden else ()
    views = {"text": said.text, "image": said.image} if fused else {}
    return {
        "id": item.id,
        "product_id": item.product_id,
        "title": item.title,
        "description": item.description,
        "facts": facts_of(item.extra),
        "photo": item.photo,
        "token": item.token,
        "version": item.version,
        "label": item.label,
        "is_flagged": item.is_flagged,
        "is_second_opinion": item.is_second_opinion,
        "is_hidden": is_hidden,
        "model": said.model_version_id if fused else None,
        "candidates": [_guess(guess) for guess in fused],
        "views": {view: _guess(guesses[0]) for view, guesses in views.items() if guesses},
    }


def facts_of(extra: Mapping[str, Any]) -> list[list[str]]:
    """Return the further columns of a product as pairs, without what isn't for labellers' eyes."""
    return [[n, str(v)[:FACT_CHARS]] for n, v in extra.items() if not n.startswith(NOTE)]


def _guess(guess: Ranked) -> dict[str, Any]:
    return {"code": guess.code, "p": round(guess.probability, 4)}


def class_rows(desk: Desk) -> list[dict[str, str]]:
    """Return the classes in their fixed order."""
    return [_class(info) for info in list_classes(desk.store)]


def _class(info: ClassInfo) -> dict[str, str]:
    return {
        "code": info.code,
        "fr": info.name_fr,
        "en": info.name_en,
        "guideline": info.guideline,
    }


def recent_row(act: RecentAct) -> dict[str, Any]:
    """Return one decision of the strip."""
    return {
        "act_id": act.act_id,
        "verb": act.verb,
        "photo": act.photo,
        "label": act.label,
        "title": act.title,
        "is_undone": act.is_undone,
    }


def _progress(item: QueueItem | None) -> dict[str, int]:
    if item is None:
        return {"done": 0, "waiting": 0}
    return {"done": item.progress.done, "waiting": item.progress.waiting}


def _pace(acts: tuple[RecentAct, ...]) -> str:
    rate = rate_per_hour([act.created_at for act in acts])
    return f"{rate:,.0f}/h" if rate else ""


def new_photos(desk: Desk, sent: set[str], keys: list[str]) -> dict[str, str]:
    """Return the photos that the browser hasn't got, and note in `sent` that it has them now."""
    wanted = [key for key in dict.fromkeys(keys) if key and key not in sent]
    sent.update(wanted)
    found = {key: card_photo(desk.workspace, key) for key in wanted}
    return {key: url for key, url in found.items() if url}


def _done(shift: Shift) -> list[str]:
    what = {"undecided": "every product is decided", "unlabelled": "every product has a label"}
    if shift.choice.only == "flagged":
        return ["No product is flagged.", "Flags from the Label screen (X) arrive here."]
    first = f"Nothing waits in this queue: {what[shift.choice.only]}, or open at a colleague."
    return [first, "Choose another queue above, or retrain on the Retrain screen."]
