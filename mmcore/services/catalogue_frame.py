"""The catalogue as a frame: what training, evaluation and imports read of the store."""

from collections.abc import Iterable, Sequence

import pandas as pd

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.products import Catalogue, make_frame, name_classes
from mmcore.errors import WorkspaceError
from mmcore.services.opening import opened_store
from mmcore.settings import Settings
from mmcore.store.engine import Store
from mmcore.store.products import (
    CatalogueFacts,
    StoredClass,
    StoredProduct,
    read_classes,
    read_facts,
    read_products,
)
from mmcore.workspace import Workspace


def load_catalogue(store: Store) -> Catalogue:
    """Return the whole catalogue, as it is labelled now.

    Raises:
        WorkspaceError: if nothing was imported yet.
    """
    with store.reading() as session:
        facts = read_facts(session)
        if facts is None:
            raise no_catalogue(str(store.engine.url))
        return make_catalogue(facts, list(read_products(session)), read_classes(session))


def read_catalogue(workspace: Workspace, settings: Settings) -> Catalogue:
    """Return the catalogue of a workspace; its store is open no longer than that takes.

    Raises:
        WorkspaceError: if there is none yet; nothing is created then.
        StoreError: if the database can't be opened.
    """
    if not has_store(workspace, settings):
        raise no_catalogue(f"workspace {workspace.home}")
    with opened_store(workspace, settings) as store:
        return load_catalogue(store)


def has_store(workspace: Workspace, settings: Settings) -> bool:
    """Return whether there is a database, so that asking need not make one."""
    return settings.database_url is not None or workspace.database_file.exists()


def no_catalogue(place: str) -> WorkspaceError:
    """Return the error that says how to get a catalogue."""
    return WorkspaceError(
        f"{place} holds no catalogue yet; run `python -m mmcore import csv FILE`, or "
        "`python -m mmcore demo` for a drawn one"
    )


def make_catalogue(
    facts: CatalogueFacts, products: Sequence[StoredProduct], classes: Iterable[StoredClass]
) -> Catalogue:
    """Return stored rows as a catalogue: its classes are those in use and those on offer."""
    used = {product.label for product in products} - {""}
    names = {c.code: ClassName(c.code, c.name_fr, c.name_en) for c in classes}
    offered = {c.code for c in classes if not c.is_archived}
    given = frozenset(product.product_id for product in products if product.is_split_given)
    frame = frame_of(products, facts.extra)
    return Catalogue(frame, name_classes(used | offered, names), facts.source, given)


def frame_of(products: Iterable[StoredProduct], extra: Sequence[str]) -> pd.DataFrame:
    """Return stored rows as a frame of text columns, the further ones at the end."""
    rows = (
        (
            p.product_id,
            p.title,
            p.description,
            p.photo,
            p.label,
            p.group_id,
            p.split,
            p.photo_hash,
            *(p.extra.get(name, "") for name in extra),
        )
        for p in products
    )
    return make_frame(rows, extra)
