"""Looking at an uploaded table before anything is predicted: its first rows, and what is wrong."""

from dataclasses import asdict, dataclass

from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import open_table
from mmcore.catalog.issues import IssueLog, RowIssue
from mmcore.catalog.photo_source import open_photo_source
from mmcore.errors import CatalogueError, ImageError
from mmcore.services.batches import Batch

PREVIEW = 10
PHOTOS_LOOKED_FOR = 2_000  # named photos that are looked for; the rest is met when predicting


@dataclass(frozen=True)
class BatchCheck:
    """What the table holds by the columns as they are mapped.

    Attributes:
        num_named_photos: rows that name one; num_lost_photos of those that were looked for
            aren't among the uploads.
        num_left_out: rows that can't be used.
    """

    num_products: int
    num_left_out: int
    num_named_photos: int
    num_lost_photos: int
    first: tuple[RawProduct, ...]
    issues: tuple[RowIssue, ...]

    def rows(self) -> list[dict]:
        """Return the remarks as rows of a table."""
        return [asdict(issue) for issue in self.issues]


def check_batch(batch: Batch) -> BatchCheck:
    """Return what is in an uploaded table, with every remark on its rows.

    Raises:
        CatalogueError: if the table or its photos can't be used at all, or columns don't fit.
    """
    log, first, names = IssueLog(), [], []
    num = num_named = 0
    for row in read_products(open_table(batch.source), batch.columns, may_be_empty=True):
        if isinstance(row, RowIssue):
            log.add(row)
            continue
        num += 1
        if row.image:
            num_named += 1
            names.append(row)
        if len(first) < PREVIEW:
            first.append(row)
    num_lost = _look_for_photos(batch, names[:PHOTOS_LOOKED_FOR], log)
    return BatchCheck(num, log.num_left_out, num_named, num_lost, tuple(first), log.in_order())


def _look_for_photos(batch: Batch, rows: list[RawProduct], log: IssueLog) -> int:
    if batch.photos is None:
        return len(rows)
    photos = open_photo_source(batch.photos)
    lost = 0
    try:
        for row in rows:
            try:
                photos.read(row.image)
            except ImageError as error:
                lost += 1
                log.add(RowIssue(row.line, row.product_id, batch.columns.image, str(error), "kept"))
    finally:
        photos.close()
    return lost


def require_usable(check: BatchCheck) -> None:
    """Refuse a table without a usable row.

    Raises:
        CatalogueError: telling what is wrong with the first rows.
    """
    if check.num_products:
        return
    reasons = "; ".join(f"line {i.line}: {i.reason}" for i in check.issues[:3])
    raise CatalogueError(f"no row can be used: {reasons or 'the table is empty'}; map its columns")
