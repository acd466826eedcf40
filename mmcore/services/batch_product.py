"""One product of an uploaded catalogue, to be looked at by itself."""

from dataclasses import dataclass

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.photo_source import open_photo_source
from mmcore.errors import ImageError, NotFoundError
from mmcore.services.batches import batch_rows, read_batch
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class BatchProduct:
    """A product as its file has it.

    Attributes:
        photo: bytes of its file, None where there is none that can be read.
        extra: (column, value) of the further columns.
    """

    title: str
    description: str
    photo: bytes | None
    extra: tuple[tuple[str, str], ...]


def batch_product(workspace: Workspace, batch_id: str, product_id: str) -> BatchProduct:
    """Return a product of a batch by its id in the file.

    Raises:
        NotFoundError: if there is no such batch, or no such product in it.
        CatalogueError: if its table can't be read any more.
    """
    batch = read_batch(workspace, batch_id)
    found = next(
        (
            row
            for row in batch_rows(batch)
            if isinstance(row, RawProduct) and row.product_id == product_id
        ),
        None,
    )
    if found is None:
        raise NotFoundError(
            f"batch {batch.name} has no product {product_id[:40]!r}; open it from its results"
        )
    photo = None
    if found.image and batch.photos is not None:
        photos = open_photo_source(batch.photos)
        try:
            photo = photos.read(found.image)
        except ImageError:
            photo = None  # the batch's own remarks say why
        finally:
            photos.close()
    extra = tuple(zip(batch.columns.extra, found.extra, strict=True))
    return BatchProduct(found.title, found.description, photo, extra)
