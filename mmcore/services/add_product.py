"""Putting one product into the catalogue by hand, with a label."""

import csv
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.images import decode_photo
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.labelling import Seen, label, product_named
from mmcore.services.people import Actor, require
from mmcore.store.engine import Store
from mmcore.store.products import read_facts
from mmcore.workspace import Workspace

_COLUMNS = ("product_id", "title", "description", "image")


@dataclass(frozen=True)
class NewProduct:
    """A product that somebody typed.

    Attributes:
        photo: the bytes of its file, None without one.
        extra: (column, value) of further columns of the catalogue.
    """

    title: str
    description: str
    photo: bytes | None = None
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Saved:
    """What was saved.

    Attributes:
        product_id: the shop's id of the product.
        act_id: of the label, None without one.
    """

    product_id: str
    act_id: int | None


def save_product(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    new: NewProduct,
    code: str | None,
    now: float,
) -> Saved:
    """Return where a product is in the catalogue now, with its label.

    The id follows from what the product is, so that a click that comes twice adds one product and
    labels it once; with another label it is the same product, labelled again.

    Args:
        code: of the class, None to leave it to the queue.

    Raises:
        RefusedError: if the actor is no lead.
        ImageError: if the photo can't be read.
        CatalogueError: if the product has neither text nor photo.
        NotFoundError: if there is no such class.
    """
    require(actor, "lead")
    if new.photo is not None:
        decode_photo(new.photo)  # what can't be read is told now, not at the next training
    product_id = f"hand-{_digest(new)}"
    with store.reading() as session:
        facts = read_facts(session)
    with tempfile.TemporaryDirectory(prefix="rayon-product-") as folder:
        path = _write(Path(folder), product_id, new)
        columns = CsvColumns(
            **{name: name for name in _COLUMNS}, extra=tuple(name for name, _ in new.extra)
        )
        options = CsvImport(
            path, columns, Path(folder), separator=",", source=facts.source if facts else "csv"
        )
        import_csv(store, actor, workspace, options, now)
    if code is None:
        return Saved(product_id, None)
    found = product_named(store, product_id)
    if found.label == code:
        return Saved(product_id, None)
    seen = Seen(found.id, found.version, f"{product_id} {found.version}")
    return Saved(product_id, label(store, actor, seen, code, now).act_id)


def _digest(new: NewProduct) -> str:
    """Return ten hex digits of what the product is."""
    photo = hashlib.sha256(new.photo).hexdigest() if new.photo is not None else ""
    parts = (new.title, new.description, photo, *(f"{n}={v}" for n, v in new.extra))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:10]


def _write(folder: Path, product_id: str, new: NewProduct) -> Path:
    """Return the path of a catalogue of one row."""
    image = ""
    if new.photo is not None:
        image = "photo.jpg"  # the reader goes by content
        (folder / image).write_bytes(new.photo)
    path = folder / "product.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_COLUMNS, *(name for name, _ in new.extra)])
        values = (value for _, value in new.extra)
        writer.writerow([product_id, new.title, new.description, image, *values])
    return path
