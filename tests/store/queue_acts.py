"""A small catalogue, and people's acts on it as the labelling services write them."""

import itertools
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update

from mmcore.services.people import ensure_actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.services.queue_settings import QueueSettings, put_queue_settings
from mmcore.store.queue import fill, settle
from mmcore.store.tables import (
    Act,
    Annotation,
    ModelVersion,
    Prediction,
    Product,
    ProductClass,
    QueueEntry,
    QueueTally,
)

CODES = {1: "10", 2: "40", 3: "50"}
_tokens = itertools.count()


@dataclass
class Shop:
    """A store with products, people and a clock that the test moves."""

    store: object
    anna: object
    ben: object
    lead: object
    now: float = 1000.0

    def next(self, actor, order="newest", **choice):
        return next_product(self.store, actor, QueueChoice(order, **choice), self.now)

    def ids(self, actor, order, count, **choice):
        """Return what a person gets, one after the other, while keeping the last four open."""
        found = []
        for _ in range(count):
            item = self.next(actor, order, on_screen=tuple(found[-4:]), **choice)
            found.append(item and item.id)
        return found

    def act(self, actor, ids, kind="label", class_id=1, act_kind="single", undoes=None):
        """Return the id of an act of one kind on some products."""
        with self.store.writing() as session:
            act = Act(
                kind=act_kind,
                annotator_id=actor.id,
                token=f"t{next(_tokens)}",
                undoes_id=undoes,
                created_at=self.now,
            )
            session.add(act)
            session.flush()
            for product in session.scalars(select(Product).where(Product.id.in_(ids))):
                self._mark(session, act, product, kind, class_id)
            session.flush()
            settle(session, act.id, self.now)
            return act.id

    def _mark(self, session, act, product, kind, class_id):
        before = product.class_id
        if kind in ("flag", "unflag"):
            product.is_flagged = kind == "flag"
        elif kind in ("label", "accept", "merge", "import", "undo"):
            product.class_id = class_id
        product.version += kind != "skip"
        mark = Annotation(
            act_id=act.id,
            product_id=product.id,
            annotator_id=act.annotator_id,
            kind=kind,
            class_id=product.class_id,
            class_before_id=before,
            version=product.version,
            created_at=self.now,
        )
        session.add(mark)

    def label(self, actor, *ids, **options):
        return self.act(actor, ids, "label", **options)

    def skip(self, actor, *ids):
        return self.act(actor, ids, "skip")

    def undo(self, actor, act_id):
        """Undo an act: its products get back the label (or lose the flag) they had before."""
        with self.store.writing() as session:
            session.execute(update(Act).where(Act.id == act_id).values(is_undone=True))
            marks = session.scalars(select(Annotation).where(Annotation.act_id == act_id)).all()
            ids = [mark.product_id for mark in marks]
            flags = [mark.product_id for mark in marks if mark.kind == "flag"]
            session.execute(update(Product).where(Product.id.in_(flags)).values(is_flagged=False))
        before = marks[0].class_before_id
        return self.act(actor, ids, "undo", before, act_kind="undo", undoes=act_id)

    def settings(self, **choices):
        put_queue_settings(self.store, self.lead, QueueSettings(**choices))

    def entry(self, product_id):
        with self.store.reading() as session:
            return session.get(QueueEntry, product_id)

    def waiting(self):
        with self.store.reading() as session:
            return list(session.scalars(select(QueueEntry.product_id).order_by("product_id")))

    def tallied(self):
        """Return what the tally says waits (all, unlabelled), and what really does."""
        with self.store.reading() as session:
            sums = select(func.sum(QueueTally.waiting), func.sum(QueueTally.unlabelled))
            is_open = QueueEntry.decided_by_id.is_(None)
            real = select(func.count(), func.count().filter(QueueEntry.class_key == 0))
            return (
                tuple(session.execute(sums).one()),
                tuple(session.execute(real.where(is_open)).one()),
            )


def make_shop(store, num_products=6, labels=None, **settings):
    """Return a shop whose products 1 to n have these labels (none without), in a full queue."""
    people = [
        ensure_actor(store, name, role, 0.0)
        for name, role in (("anna", "annotator"), ("ben", "annotator"), ("lena", "lead"))
    ]
    shop = Shop(store, *people)
    with store.writing() as session:
        for class_id, code in CODES.items():
            names = {"name_fr": f"c{code}", "name_en": f"c{code}"}
            session.add(ProductClass(id=class_id, code=code, position=class_id, **names))
        session.flush()
        add_products(session, range(1, num_products + 1), labels or {})
        fill(session)
    shop.settings(**{"overlap_share": 0.0, "hidden_share": 0.0, **settings})
    return shop


def add_products(session, ids, labels):
    """Add products that nobody has looked at."""
    rows = [
        {
            "id": i,
            "product_id": f"p{i}",
            "title": f"title {i}",
            "group_id": f"g{i}",
            "split": "train",
            "class_id": labels.get(i),
            "random_rank": i * 7919 % 1009 / 1009,
            "created_at": 0.0,
        }
        for i in ids
    ]
    if rows:
        session.execute(insert(Product), rows)


def add_model(store, model_id, scores, stage="production"):
    """Add a model with product -> (disagreement, margin, entropy, suspicion, label it knew)."""
    with store.writing() as session:
        session.execute(
            update(ModelVersion).where(ModelVersion.stage == stage).values(stage="archived")
        )
        session.add(
            ModelVersion(id=model_id, name=f"m{model_id}", stage=stage, snapshot="", created_at=0)
        )
        session.flush()
        add_predictions(session, model_id, scores)


def add_predictions(session, model_id, scores):
    """Add rows, or replace them."""
    of_model = Prediction.model_version_id == model_id
    session.execute(delete(Prediction).where(of_model, Prediction.product_id.in_(scores)))
    names = ("disagreement", "margin", "entropy", "suspicion", "label_class_id")
    top = {"fused": [[1, 0.6], [2, 0.3]], "text": [[2, 0.9]]}
    rows = [
        {
            "model_version_id": model_id,
            "product_id": product_id,
            "fused_class_id": 1,
            "fused_probability": 0.6,
            "top": top,
            **dict(zip(names, values, strict=True)),
        }
        for product_id, values in scores.items()
    ]
    session.execute(insert(Prediction), rows)


def scores_of_any(product_id, label):
    """Return scores that differ from product to product."""
    a, b = product_id * 104729 % 1009 / 1009, product_id * 611953 % 1013 / 1013
    return a, b, 1 - a, b if label else 0.0, label
