"""The products of a file in pieces, each with what is wrong with its rows and photos."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import CsvTable
from mmcore.catalog.first_lines import FirstLines
from mmcore.catalog.issues import KEPT, LEFT_OUT, RowIssue, shown
from mmcore.catalog.photo_source import PhotoSource
from mmcore.errors import ImageError

if TYPE_CHECKING:
    from mmcore.runtime import ProductInput

PIECE = 64  # products in memory at once, with the bytes of their photos


@dataclass(frozen=True)
class Piece:
    """Up to PIECE products that come one after the other.

    Attributes:
        remarks: on the rows since the piece before.
        photo_remarks: on photos that can't be had; known once `inputs` were asked for.
    """

    rows: list[RawProduct]
    remarks: list[RowIssue]
    photo_remarks: list[RowIssue] = field(default_factory=list)

    @property
    def num_rows(self) -> int:
        """Return the rows of the file that it deals with, those that can't be used included."""
        return len(self.rows) + sum(issue.severity == LEFT_OUT for issue in self.remarks)


def read_pieces(table: CsvTable, columns: CsvColumns, first_lines: FirstLines) -> Iterator[Piece]:
    """Yield the pieces of a file, always the same ones; the last may have remarks alone."""
    rows = read_products(table, columns, may_be_empty=True, first_lines=first_lines)
    remarks: list[RowIssue] = []

    def usable() -> Iterator[RawProduct]:
        for row in rows:
            if isinstance(row, RowIssue):
                remarks.append(row)
            else:
                yield row

    products = usable()
    while True:
        found = list(islice(products, PIECE))
        if not found and not remarks:
            return
        yield Piece(found, remarks.copy())
        remarks.clear()


@dataclass(frozen=True)
class Inputs:
    """Turns rows into what a model takes.

    Attributes:
        photos: None where none are looked for.
    """

    columns: CsvColumns
    photos: PhotoSource | None

    def of(self, piece: Piece) -> list["ProductInput"]:
        """Return the products of a piece; what is wrong with photos is added to its remarks."""
        return [self._input(row, piece) for row in piece.rows]

    def _input(self, row: RawProduct, piece: Piece) -> "ProductInput":
        from mmcore.runtime import ProductInput

        photo = None
        if row.image and self.photos is not None:
            try:
                photo = self.photos.read(row.image)
            except ImageError as error:
                column = self.columns.image or ""
                issue = RowIssue(row.line, row.product_id, column, str(error), KEPT)
                piece.photo_remarks.append(issue)
        extra = dict(zip(self.columns.extra, row.extra, strict=True))
        return ProductInput(row.title, row.description, photo, row.product_id, extra)


class UnreadPhotos:
    """Photos that are named and not looked for: one remark on them all, not one a row."""

    def __init__(self, column: str, model_looks: bool) -> None:
        """Begin without any.

        Args:
            model_looks: whether the model looks at photos at all.
        """
        self._column, self._model_looks = column, model_looks
        self._first, self._num = "", 0

    def count(self, piece: Piece) -> None:
        """Take in a piece."""
        names = [row.image for row in piece.rows if row.image]
        self._num += len(names)
        self._first = self._first or next(iter(names), "")

    def remark(self) -> RowIssue | None:
        """Return the remark, None where no photo was named."""
        if not self._num:
            return None
        reason = (
            "no folder or ZIP archive of photos was given; predict again with --images PATH"
            if self._model_looks
            else "this model looks at none"
        )
        text = (
            f"photos are named for {self._num:,} products, {shown(self._first)} for one, "
            f"but {reason}"
        )
        return RowIssue(1, "", self._column, text, KEPT)


def photos_identity(path: Path | None) -> list | None:
    """Return what tells an archive or a folder of photos from another one.

    The photos of a folder are not looked at: it would take as long as to read them all.
    """
    if path is None:
        return None
    status = path.stat()
    facts = [] if path.is_dir() else [status.st_size, status.st_mtime_ns]
    return [str(path.resolve()), *facts]
