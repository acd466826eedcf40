"""A shop's files imported into a store, and what people do to its products."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.people import Actor, ensure_actor
from mmcore.store.engine import Store
from mmcore.store.tables import Act, Annotation, Annotator, Product, ProductClass
from mmcore.workspace import Workspace

NOW = 1_750_000_000.0


@dataclass(frozen=True)
class Shop:
    store: Store
    folder: Path
    lead: Actor
    anna: Actor

    def run(self, text, now=NOW, name="shop.csv", **options):
        """Import the text of a CSV file."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        workspace = Workspace(self.folder / "home")
        return import_csv(self.store, self.lead, workspace, CsvImport(path, **options), now)

    def mark(self, product_id, code, kind="label", now=NOW + 1, undoes_id=None):
        """Have Anna decide a product's label (None for none); return the act's id."""
        with self.store.writing() as session:
            product = session.scalars(
                select(Product).where(Product.product_id == product_id).with_for_update()
            ).one()
            class_id = (
                code
                and session.scalars(select(ProductClass.id).where(ProductClass.code == code)).one()
            )
            act = Act(
                kind="undo" if kind == "undo" else "single",
                annotator_id=self.anna.id,
                token=f"{product_id} {product.version}",
                undoes_id=undoes_id,
                created_at=now,
            )
            session.add(act)
            session.flush()
            annotation = Annotation(
                act_id=act.id,
                product_id=product.id,
                annotator_id=self.anna.id,
                kind=kind,
                class_id=class_id,
                class_before_id=product.class_id,
                version=product.version + 1,
                created_at=now,
            )
            session.add(annotation)
            product.class_id, product.version = class_id, product.version + 1
            product.is_flagged = product.is_flagged or kind == "flag"
            return act.id

    def labels(self):
        """Return product id -> class code of the products in the catalogue."""
        with self.store.reading() as session:
            statement = (
                select(Product.product_id, ProductClass.code)
                .outerjoin(ProductClass, ProductClass.id == Product.class_id)
                .where(Product.removed_at.is_(None))
            )
            return dict(session.execute(statement).all())

    def history(self, product_id):
        """Return annotator, kind, class before and after, version of each annotation."""
        with self.store.reading() as session:
            codes = dict(session.execute(select(ProductClass.id, ProductClass.code)).all())
            statement = (
                select(Annotator.name, Annotation)
                .join(Annotation, Annotation.annotator_id == Annotator.id)
                .join(Product, Product.id == Annotation.product_id)
                .where(Product.product_id == product_id)
                .order_by(Annotation.id)
            )
            return [
                (name, a.kind, codes.get(a.class_before_id), codes.get(a.class_id), a.version)
                for name, a in session.execute(statement)
            ]

    def classes(self):
        """Return code -> row of the class table."""
        with self.store.reading() as session:
            return {c.code: c for c in session.scalars(select(ProductClass))}

    def everything(self):
        """Return all that imports write, to be compared."""
        with self.store.reading() as session:
            tables = (Product, ProductClass, Act, Annotation)
            return [session.execute(select(t.__table__).order_by(t.id)).all() for t in tables]


def open_shop(store: Store, folder: Path) -> Shop:
    return Shop(
        store,
        folder,
        ensure_actor(store, "lea", "lead", NOW),
        ensure_actor(store, "anna", "annotator", NOW),
    )
