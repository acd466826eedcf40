"""A workspace for the screens: products with photos, a model in production and what it says.

No network is behind the model: its row and its predictions are written as a training would.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from photo_files import encode_photo
from sqlalchemy import select

from mmcore.photos import PhotoStore
from mmcore.services.opening import open_store
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.queue import refresh
from mmcore.services.queue_settings import QueueSettings, put_queue_settings
from mmcore.settings import Settings
from mmcore.store.engine import Store
from mmcore.store.products import CatalogueFacts, write_facts
from mmcore.store.search import search_text
from mmcore.store.tables import Annotation, ModelVersion, Prediction, Product, ProductClass
from mmcore.workspace import Workspace

CLASSES = {
    "10": ("Livres d'occasion", "Second-hand books"),
    "40": ("Jeux vidéo", "Video games"),
    "1280": ("Jouets", "Toys"),
    "2583": ("Piscine et spa", "Pool and spa"),
}
SPLITS = ("train", "train", "val", "test")


@dataclass
class AppShop:
    """What the screens of a test see."""

    home: Path
    store: Store
    people: dict[str, Actor] = field(default_factory=dict)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.home)

    def annotations(self, person: str | None = None) -> list[Annotation]:
        """Return what people decided, the first one first."""
        with self.store.reading() as session:
            statement = select(Annotation).order_by(Annotation.id)
            if person:
                statement = statement.where(Annotation.annotator_id == self.people[person].id)
            return list(session.scalars(statement))

    def product(self, product_id: str) -> Product:
        with self.store.reading() as session:
            return session.scalars(select(Product).where(Product.product_id == product_id)).one()


def settings_of(home: Path) -> Settings:
    return Settings(home=home, device="cpu", decode_threads=1)


def open_app_shop(home: Path, num_products: int = 24, with_model: bool = True) -> AppShop:
    """Return a shop of people (vera, anna, ben, lena, adam: a viewer, two annotators, a lead, an
    admin) and products p1, p2, …; every third has no photo, every fifth no label."""
    shop = AppShop(home, open_store(Workspace(home), settings_of(home)))
    roles = {"vera": "viewer", "anna": "annotator", "ben": "annotator", "lena": "lead"}
    for name, role in {**roles, "adam": "admin"}.items():
        shop.people[name] = ensure_actor(shop.store, name, role, 0.0)
    with shop.store.writing() as session:
        write_facts(session, CatalogueFacts("csv"))
        classes = _add_classes(session)
        products = _add_products(session, shop.workspace, classes, num_products)
        if with_model:
            _add_model(session, classes, products)
    put_queue_settings(
        shop.store, shop.people["lena"], QueueSettings(overlap_share=0.0, hidden_share=0.0)
    )
    refresh(shop.store, 1)
    return shop


def _add_classes(session) -> list[ProductClass]:
    found = [
        ProductClass(code=code, name_fr=fr, name_en=en, position=place, guideline=f"Tout {fr}.")
        for place, (code, (fr, en)) in enumerate(CLASSES.items())
    ]
    session.add_all(found)
    session.flush()
    return found


def _add_products(session, workspace, classes, num_products) -> list[Product]:
    photos = PhotoStore(workspace.photos)
    found = []
    for i in range(1, num_products + 1):
        at = i % len(classes)
        colour = np.full((80, 80, 3), [60 * at, (40 * i) % 256, 120], np.uint8)
        found.append(
            Product(
                product_id=f"p{i}",
                title=f"Produit n° {i} été",
                search_text=search_text((f"Produit n° {i} été", f"p{i}")),
                description=f"Description de l'article {i} <b>neuf</b>" if i % 2 else "",
                photo=photos.add(encode_photo(colour)) if i % 3 else "",
                extra={"price": f"{i}.50"},
                group_id=f"g{i}",
                split=SPLITS[i % 4],
                class_id=classes[at].id if i % 5 else None,
                random_rank=i * 7919 % 1009 / 1009,
                created_at=float(i),
            )
        )
    session.add_all(found)
    session.flush()
    return found


def _add_model(session, classes, products) -> None:
    """Say the right class with 0.7; text is surer than image; every seventh is doubtful."""
    session.add(ModelVersion(id=1, name="m1", stage="production", snapshot="", created_at=0.0))
    session.flush()
    for i, product in enumerate(products, start=1):
        order = [classes[(i + shift) % len(classes)] for shift in range(len(classes))]
        chances = (0.7, 0.2, 0.08, 0.02) if i % 7 else (0.3, 0.28, 0.22, 0.2)
        top = [[c.id, p] for c, p in zip(order, chances, strict=True)]
        session.add(
            Prediction(
                model_version_id=1,
                product_id=product.id,
                fused_class_id=order[0].id,
                fused_probability=chances[0],
                text_class_id=order[0].id,
                text_probability=0.8,
                image_class_id=order[1].id if product.photo else None,
                image_probability=0.6 if product.photo else None,
                margin=chances[0] - chances[1],
                entropy=0.5,
                disagreement=0.4 if i % 7 else 0.9,
                suspicion=0.0,
                label_class_id=product.class_id,
                top={"fused": top, "text": top, "image": top[1:] if product.photo else []},
            )
        )
