"""A small shop to label: people, classes A to D, and products, some labelled by the catalogue."""

from dataclasses import dataclass

from sqlalchemy import insert, select

from mmcore.services.labelling import Seen, Suggestion
from mmcore.services.people import Actor, ensure_actor
from mmcore.store.engine import Store
from mmcore.store.tables import (
    Act,
    Annotation,
    ModelVersion,
    Prediction,
    Product,
    ProductClass,
)

NOW = 1_750_000_000.0
CODES = ("A", "B", "C", "D")


@dataclass(frozen=True)
class Shop:
    store: Store
    anna: Actor
    bob: Actor
    lead: Actor

    def seen(self, product_id, token, suggestion=None, seconds=2.5, **more):
        """Return a product as it stands now on somebody's screen."""
        version = self.product(product_id).version
        if isinstance(suggestion, str):
            suggestion = Suggestion(suggestion, 0.9)
        return Seen(product_id, version, token, suggestion, seconds, **more)

    def product(self, product_id):
        with self.store.reading() as session:
            statement = (
                select(
                    Product.id,
                    Product.product_id,
                    Product.version,
                    Product.is_flagged,
                    ProductClass.code.label("label"),
                )
                .outerjoin(ProductClass, ProductClass.id == Product.class_id)
                .where(Product.id == product_id)
            )
            return session.execute(statement).one()

    def labels(self):
        """Return the label of every product, in the order of their numbers."""
        with self.store.reading() as session:
            statement = (
                select(ProductClass.code)
                .select_from(Product)
                .outerjoin(ProductClass, ProductClass.id == Product.class_id)
                .order_by(Product.id)
            )
            return list(session.scalars(statement))

    def state(self):
        """Return label and flag of every product."""
        with self.store.reading() as session:
            columns = (Product.id, Product.class_id, Product.is_flagged)
            return [tuple(row) for row in session.execute(select(*columns).order_by(Product.id))]

    def annotations(self):
        with self.store.reading() as session:
            return session.scalars(select(Annotation).order_by(Annotation.id)).all()

    def acts(self):
        with self.store.reading() as session:
            return session.scalars(select(Act).order_by(Act.id)).all()


def open_shop(store: Store, num_products: int = 6, label: str | None = None) -> Shop:
    """Return a shop whose products all have `label`; the splits take turns."""
    people = [
        ensure_actor(store, name, role, NOW)
        for name, role in (("anna", "annotator"), ("bob", "annotator"), ("lea", "lead"))
    ]
    with store.writing() as session:
        rows = [
            {"code": c, "name_fr": f"Classe {c}", "name_en": f"Class {c}", "position": i}
            for i, c in enumerate(CODES, start=1)
        ]
        session.execute(insert(ProductClass), rows)
        ids = dict(session.execute(select(ProductClass.code, ProductClass.id)).all())
        products = [
            {
                "product_id": f"p{i}",
                "title": f"product {i}",
                "group_id": f"g{i}",
                "split": ("train", "train", "val", "test")[i % 4],
                "class_id": ids.get(label),
                "random_rank": (i * 0.618) % 1,
                "created_at": NOW,
            }
            for i in range(1, num_products + 1)
        ]
        session.execute(insert(Product), products)
    return Shop(store, *people)


def add_model(store: Store, answers: dict[int, str], stage: str = "production") -> int:
    """Return the id of a model version that predicts a class code a product."""
    with store.writing() as session:
        model = ModelVersion(name=f"m-{stage}", stage=stage, snapshot="x", created_at=NOW)
        session.add(model)
        session.flush()
        ids = dict(session.execute(select(ProductClass.code, ProductClass.id)).all())
        rows = [
            {
                "model_version_id": model.id,
                "product_id": product_id,
                "fused_class_id": ids[code],
                "fused_probability": 0.75,
                "margin": 0.5,
                "entropy": 0.2,
                "disagreement": 0.1,
                "suspicion": 0.0,
            }
            for product_id, code in answers.items()
        ]
        session.execute(insert(Prediction), rows)
        return model.id
