"""What a lead looks at again: suspect labels, conflicts between people, answers that a new model
changed. Each is a list of products, the most pressing first; what was decided leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from mmcore.errors import ConfigError
from mmcore.services.browse import ProductDetail, product_detail
from mmcore.services.comparison import ChangeFilter, list_changes
from mmcore.services.history import HistoryLine, history
from mmcore.services.quality import conflicts, count_conflicts, suspect_precision
from mmcore.services.suspects import SUSPECT_FROM
from mmcore.store.engine import Store
from mmcore.store.models import find_production
from mmcore.store.tables import Product, QueueEntry

KINDS = ("suspects", "conflicts", "changed")
_LOOKED_AT = 500  # changed products that are searched for undecided ones


@dataclass(frozen=True)
class Opinion:
    """A class that somebody or something holds to be right.

    Attributes:
        who: "label now", a view of the model, or the names of people.
        probability: of a view, 0 to 1; None of people.
    """

    code: str
    who: str
    probability: float | None


@dataclass(frozen=True)
class Case:
    """One product to decide again.

    Attributes:
        opinions: every class that is held to be right, the label now first.
        told: what happened so far, in words.
    """

    product: ProductDetail
    opinions: tuple[Opinion, ...]
    told: tuple[str, ...]


def review_list(store: Store, kind: str, limit: int = 100) -> tuple[str, ...]:
    """Return the shop's ids of the products to look at again.

    Raises:
        ConfigError: if the kind is unknown.
    """
    find = {"suspects": _suspects, "conflicts": _conflicts, "changed": _changed}.get(kind)
    if find is None:
        raise ConfigError(f"there is no review of {kind!r}; use one of {', '.join(KINDS)}")
    return tuple(find(store, limit))


def open_case(store: Store, shop_id: str) -> Case:
    """Return a product with everything that is held to be right of it.

    Raises:
        NotFoundError: if there is no such product.
    """
    product = product_detail(store, shop_id)
    lines = history(store, product.id)
    return Case(product, _opinions(product, lines), (*_suspected(product), *_told(lines)))


def review_counts(store: Store) -> dict[str, int]:
    """Return how many products each review has, no further counted than one would look."""
    open_conflicts, _ = count_conflicts(store)
    return {
        "suspects": len(_suspects(store, 1_000)),
        "conflicts": open_conflicts,
        "changed": len(_changed(store, 1_000)),
    }


def flag_precision(store: Store) -> str:
    """Return in words how often suspect labels turned out to be wrong."""
    found = suspect_precision(store)
    if not found.changed.n:
        return "No suspect label was decided by a person yet."
    share, num = found.changed, found.changed.n
    return f"Of {num:,} suspect labels that people decided, {share.count:,} were wrong."


def _suspects(store: Store, limit: int) -> Sequence[str]:
    query = (
        select(Product.product_id)
        .join(QueueEntry, QueueEntry.product_id == Product.id)
        .where(QueueEntry.suspicion >= SUSPECT_FROM, QueueEntry.decided_by_id.is_(None))
        .order_by(QueueEntry.suspicion.desc(), Product.id)
        .limit(limit)
    )
    with store.reading() as session:
        return session.scalars(query).all()


def _conflicts(store: Store, limit: int) -> Sequence[str]:
    return [found.product_id for found in conflicts(store, limit=limit)]


def _changed(store: Store, limit: int) -> Sequence[str]:
    """Return what production answers otherwise than its predecessor, and nobody has decided."""
    with store.reading() as session:
        production = find_production(session)
        names = production and (production.verdict.get("against"), production.name)
    if not names or names[0] is None:
        return ()
    wanted = ChangeFilter("fused", ("broken", "changed_wrong", "changed"))
    rows = list_changes(store, names, wanted, limit=_LOOKED_AT)
    rows.sort(key=lambda row: (row.outcome != "broken", -(row.after_probability or 0)))
    with store.reading() as session:
        query = select(QueueEntry.product_id).where(
            QueueEntry.product_id.in_([row.id for row in rows]), QueueEntry.decided_by_id.is_(None)
        )
        waiting = set(session.scalars(query))
    return [row.product_id for row in rows if row.id in waiting][:limit]


def _opinions(product: ProductDetail, lines: Sequence[HistoryLine]) -> tuple[Opinion, ...]:
    found: list[Opinion] = []
    if product.label:
        found.append(Opinion(product.label.code, "label now", None))
    says = next((s for s in product.predictions if s.stage == "production"), None)
    for view in ("fused", "text", "image") if says else ():
        code, probability = getattr(says, view), getattr(says, f"{view}_probability")
        if code is not None:
            found.append(Opinion(code, view, probability))
    # predictions come the newest model's first: the first archived one is production's predecessor
    before = next((s for s in product.predictions if s.stage == "archived"), None)
    if before is not None:
        found.append(Opinion(before.fused, f"before ({before.model})", before.fused_probability))
    for line in lines:
        if line.verb in ("label", "accept") and not line.is_undone and line.label:
            found.append(Opinion(line.label, line.annotator, None))
    return tuple(dict.fromkeys(found))


def _suspected(product: ProductDetail) -> list[str]:
    """Return in words how suspect the label is. The model that answers may well agree with it: it
    has learnt it; what counts is what models say that haven't seen it."""
    says = next((s for s in product.predictions if s.stage == "production"), None)
    # None: the label changed since labels were checked
    if says is None or says.suspicion is None or says.suspicion < SUSPECT_FROM:
        return []
    return [f"suspect ({says.suspicion:.0%}): models that haven't seen this label oppose it"]


def _told(lines: Sequence[HistoryLine]) -> list[str]:
    """Return who said what, undone acts left out."""
    kept = [line for line in lines if not line.is_undone and line.undoes_act is None]
    return [
        f"{line.annotator}: {line.verb}"
        + (f" {line.label}" if line.label and line.verb != "skip" else "")
        + (f" ({line.comment})" if line.comment else "")
        for line in kept
    ]
