"""Putting one product into the catalogue by hand, and labelling it."""

import csv
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.errors import RefusedError
from mmcore.images import decode_photo
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.labelling import Marked, Seen, label, product_named
from mmcore.services.people import Actor, require
from mmcore.store.engine import Store
from mmcore.store.products import read_facts
from mmcore.workspace import Workspace

_COLUMNS = ("product_id", "title", "description", "image")


@dataclass(frozen=True)
class NewProduct:
    """A product that somebody typed.

    Attributes:
        product_id: "" has one made.
        photo: the bytes of its file, None without one.
        extra: further columns of the catalogue.
    """

    title: str
    description: str
    photo: bytes | None = None
    product_id: str = ""
    extra: dict[str, str] = field(default_factory=dict)


def add_product(
    store: Store, actor: Actor, workspace: Workspace, new: NewProduct, now: float
) -> str:
    """Return the shop's id of a product that is in the catalogue now, without a label.

    Raises:
        RefusedError: if the actor is no lead, or the id is taken.
        ImageError: if the photo can't be read.
        CatalogueError: if the product has neither text nor photo.
    """
    require(actor, "lead")
    product_id = new.product_id.strip() or f"hand-{secrets.token_hex(4)}"
    with store.reading() as session:
        facts = read_facts(session)
    if new.product_id:
        _refuse_taken(store, product_id)
    if new.photo is not None:
        decode_photo(new.photo)  # what can't be read is told now, not at the next training
    with tempfile.TemporaryDirectory(prefix="rayon-product-") as folder:
        path = _write(Path(folder), product_id, new)
        columns = CsvColumns(**{name: name for name in _COLUMNS}, extra=tuple(new.extra))
        options = CsvImport(path, columns, Path(folder), source=facts.source if facts else "csv")
        import_csv(store, actor, workspace, options, now)
    return product_id


def label_new(store: Store, actor: Actor, product_id: str, code: str, now: float) -> Marked:
    """Give a product that was just added its label."""
    found = product_named(store, product_id)
    seen = Seen(found.id, found.version, f"new-{product_id}")
    return label(store, actor, seen, code, now)


def _refuse_taken(store: Store, product_id: str) -> None:
    from mmcore.errors import NotFoundError

    try:
        product_named(store, product_id)
    except NotFoundError:
        return
    raise RefusedError(
        f"there is a product {product_id!r} already; leave the id empty to have one made, or "
        "choose another"
    )


def _write(folder: Path, product_id: str, new: NewProduct) -> Path:
    """Return the path of a catalogue of one row."""
    image = ""
    if new.photo is not None:
        image = "photo.jpg"  # the reader goes by content
        (folder / image).write_bytes(new.photo)
    path = folder / "product.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_COLUMNS, *new.extra])
        writer.writerow([product_id, new.title, new.description, image, *new.extra.values()])
    return path
