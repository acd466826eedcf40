"""Looking at an uploaded table before anything is predicted: its first rows, and what is wrong."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.issues import KEPT, IssueLog, RowIssue, harmless
from mmcore.catalog.photo_source import open_photo_source
from mmcore.errors import CatalogueError, ImageError
from mmcore.services.batches import Batch, batch_rows

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
    for row in batch_rows(batch):
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
                log.add(RowIssue(row.line, row.product_id, batch.columns.image, str(error), KEPT))
    finally:
        photos.close()
    return lost


def remarks_file(rows: Sequence[dict]) -> bytes:
    """Return remarks on rows as a CSV file that a spreadsheet opens safely."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["line", "product_id", "reason"])
    writer.writeheader()
    writer.writerows({name: harmless(str(cell)) for name, cell in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig")  # without the mark Excel reads it as Latin-1


def require_usable(check: BatchCheck) -> None:
    """Refuse a table without a usable row.

    Raises:
        CatalogueError: telling what is wrong with the first rows.
    """
    if check.num_products:
        return
    reasons = "; ".join(f"line {i.line}: {i.reason}" for i in check.issues[:3])
    raise CatalogueError(f"no row can be used: {reasons or 'the table is empty'}; map its columns")
