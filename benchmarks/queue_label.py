"""One decision as the labelling service writes it; the service itself where it is there."""

import importlib.util

from sqlalchemy import update
from sqlalchemy.orm import Session

from mmcore.services.people import Actor
from mmcore.services.queue_item import QueueItem
from mmcore.store.engine import Store
from mmcore.store.queue import settle
from mmcore.store.tables import Act, Annotation, Product

CLASS_ID, CLASS_CODE = 3, "30"
HAS_SERVICE = importlib.util.find_spec("mmcore.services.labelling") is not None


def label(store: Store, actor: Actor, item: QueueItem, now: float) -> None:
    """Label an item through the service, or as it would."""
    if HAS_SERVICE:
        from mmcore.services import labelling

        labelling.label(store, actor, _seen(item), CLASS_CODE, now)
        return
    with store.writing() as session:
        _mark(session, actor, item, "label", now)


def skip(store: Store, actor: Actor, item: QueueItem, now: float) -> None:
    """Skip an item through the service, or as it would."""
    if HAS_SERVICE:
        from mmcore.services import labelling

        labelling.skip(store, actor, _seen(item), "", now)
        return
    with store.writing() as session:
        _mark(session, actor, item, "skip", now)


def _seen(item: QueueItem):
    from mmcore.services.labelling import Seen, Suggestion

    suggestion = None
    if item.suggestion is not None:
        best = item.suggestion.fused[0]
        suggestion = Suggestion(
            best.code, best.probability, item.suggestion.is_hidden, item.suggestion.model_version_id
        )
    return Seen(item.id, item.version, item.token, suggestion, 1.0, item.is_second_opinion)


def _mark(session: Session, actor: Actor, item: QueueItem, kind: str, now: float) -> None:
    product = session.get(Product, item.id, with_for_update=True)
    assert product.version == item.version, "somebody else had the product, too"
    before, is_label = product.class_id, kind == "label"
    act = Act(kind="single", annotator_id=actor.id, token=item.token, created_at=now)
    session.add(act)
    session.flush()
    annotation = Annotation(
        act_id=act.id,
        product_id=item.id,
        annotator_id=actor.id,
        kind=kind,
        class_id=CLASS_ID if is_label else before,
        class_before_id=before,
        version=item.version + is_label,
        seconds=1.0,
        suggestion={"class": item.suggestion.fused[0].code, "probability": 0.5, "hidden": False},
        model_version_id=item.suggestion.model_version_id,
        created_at=now,
    )
    session.add(annotation)
    if is_label:
        values = {"class_id": CLASS_ID, "version": item.version + 1}
        session.execute(update(Product).where(Product.id == item.id).values(values))
    session.flush()
    settle(session, act.id, now)
