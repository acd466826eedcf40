"""A review in the form in which the label board draws it."""

from typing import Any

from mmcore.catalog.class_names import Ranked
from mmcore.services.history import recent
from mmcore.services.reviewing import Case, Opinion
from mmcore.ui.desk import Desk
from mmcore.ui.label_view import class_rows, facts_of, new_photos, recent_row
from mmcore.ui.review.round import Round
from mmcore.ui.shift import clock
from mmcore.ui.words import percent

EMPTY = {
    "suspects": ["No label is suspect.", "Labels are checked anew after each retrain and import."],
    "conflicts": ["People agree.", "Conflicts come from products that two people were given."],
    "changed": ["Nothing that the last retrain changed is left to decide."],
}
WHO_MAX = 3  # holders of one opinion that are named
Opinions = tuple[Opinion, ...]
CANDIDATES = 5  # as many as there are keys for


def review_data(desk: Desk, turn: Round) -> dict[str, Any]:
    """Return what the board shows of the open case."""
    acts = recent(desk.store, desk.actor, 10)
    case = turn.case
    keys = [case.product.photo] if case else []
    return {
        "item": _item(turn, case) if case else None,
        "next": None,
        "photos": new_photos(desk, turn.sent, [*keys, *(act.photo for act in acts)]),
        "classes": class_rows(desk),
        "recent": [recent_row(act) for act in acts],
        "progress": {"done": len(turn.decided), "waiting": turn.num_left},
        "pace": "",
        "saved_at": clock(turn.saved_at) if turn.saved_at else "",
        "answer": turn.answer,
        "done": _done(turn),
    }


def _done(turn: Round) -> list[str]:
    """Return what to say where no product is open: that is not always the end."""
    if turn.num_left or turn.later:
        return [
            f"{turn.num_left + len(turn.later):,} are left: put off by you, or open elsewhere.",
            "Choose the review again above to see what you have put off.",
        ]
    return EMPTY[turn.kind]


def _item(turn: Round, case: Case) -> dict[str, Any]:
    product = case.product
    return {
        "id": product.id,
        "product_id": product.product_id,
        "title": product.title,
        "description": product.description,
        "facts": [["split", product.split], *facts_of(product.extra)],
        "photo": product.photo,
        "token": turn.token,
        "version": product.version,
        "label": product.label.code if product.label else None,
        "is_flagged": product.is_flagged,
        "is_second_opinion": False,
        "is_hidden": False,
        "model": turn.item.suggestion.model_version_id if _has_said(turn) else None,
        "candidates": _candidates(case.opinions, _guesses(turn)),
        "views": {
            o.who: {"code": o.code, "p": o.probability}
            for o in case.opinions
            if o.who in ("text", "image")
        },
        "told": list(case.told),
    }


def _has_said(turn: Round) -> bool:
    return bool(turn.item and turn.item.suggestion)


def _guesses(turn: Round) -> tuple[Ranked, ...]:
    """Return what the model holds possible, best first: the right class may be among it."""
    return turn.item.suggestion.fused if _has_said(turn) else ()


def _candidates(opinions: Opinions, guesses: tuple[Ranked, ...]) -> list[dict[str, Any]]:
    """Return a candidate a class with all who hold it right; then the model's next ones."""
    held: dict[str, list[str]] = {}
    for opinion in opinions:
        sure = "" if opinion.probability is None else f" {percent(opinion.probability)}"
        held.setdefault(opinion.code, []).append(f"{opinion.who}{sure}")
    for guess in guesses:
        held.setdefault(guess.code, [f"fused {percent(guess.probability)}"])
    return [
        {"code": code, "p": 0, "told": ", ".join(who[:WHO_MAX]) + (" …" if who[WHO_MAX:] else "")}
        for code, who in list(held.items())[:CANDIDATES]
    ]
