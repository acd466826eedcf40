"""Predicting a whole file of products, in pieces, without storing anything of it.

Memory stays flat but for the ids of the file, which are kept to find those that come twice.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_reader import RawProduct, read_products
from mmcore.catalog.csv_table import CsvTable, clean_name, open_table
from mmcore.catalog.issues import KEPT, IssueLog, RowIssue, shown
from mmcore.catalog.photo_source import PhotoSource, open_photo_source
from mmcore.errors import ConfigError, ImageError, WorkspaceError
from mmcore.services.prediction_table import FORMATS, columns_of, row_of, write_rows
from mmcore.workspace import write_atomically

if TYPE_CHECKING:
    from mmcore.runtime import Prediction, ProductInput, Runtime

PIECE = 64  # products in memory at once, with the bytes of their photos
SHOWN_ISSUES = 10


@dataclass(frozen=True)
class BatchRequest:
    """What to predict and where to put it."""

    source: Path
    target: Path
    columns: CsvColumns
    images: Path | None = None
    separator: str | None = None


@dataclass
class BatchReport:
    """What came of it."""

    target: Path
    model: str
    num_predicted: int = 0
    num_without_prediction: int = 0
    log: IssueLog = field(default_factory=IssueLog)
    seconds: float = 0.0

    @property
    def issues(self) -> tuple[RowIssue, ...]:
        """Return the remarks on rows by line, those on the whole file first."""
        return self.log.in_order()

    def to_json(self) -> dict:
        """Return the report as plain JSON values."""
        issues = [
            {"line": i.line, "product_id": i.product_id, "reason": i.reason} for i in self.issues
        ]
        return {
            "target": str(self.target),
            "model": self.model,
            "num_predicted": self.num_predicted,
            "num_without_prediction": self.num_without_prediction,
            "num_left_out": self.log.num_left_out,
            "issues": issues,
            "seconds": self.seconds,
        }

    def summary(self) -> list[str]:
        """Return the report in lines."""
        rate = self.num_predicted / max(self.seconds, 1e-9)
        lines = [
            f"{self.num_predicted:,} products predicted by {self.model} in {self.seconds:.1f} s "
            f"({rate:.0f} a second), written to {self.target}"
        ]
        if self.num_without_prediction:
            lines.append(f"{self.num_without_prediction:,} with nothing to predict from")
        if self.log.num_left_out:
            lines.append(f"{self.log.num_left_out:,} rows can't be used and are not in the result")
        issues = self.issues
        lines += [f"  line {issue.line}: {issue.reason}" for issue in issues[:SHOWN_ISSUES]]
        if len(issues) > SHOWN_ISSUES:
            more = len(issues) - SHOWN_ISSUES
            lines.append(f"  and {more:,} more remarks; --json lists them all")
        return lines


def extra_columns(runtime: "Runtime") -> list[str]:
    """Return the further columns that a model reads."""
    usual = {"title", "description", "photo"}
    modalities = runtime.artifact.config.model.modalities
    return [c for modality in modalities for c in modality.columns if c not in usual]


def predict_file(
    runtime: "Runtime",
    request: BatchRequest,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BatchReport:
    """Predict every product of a CSV file and write one row each, whole or not at all.

    A file without a usable row gives a table without rows. What the model reads and the file has
    no column for counts as missing.

    Args:
        progress: called with (rows dealt with, rows in all), the last time at the end.

    Raises:
        CatalogueError: if the source can't be read.
        ConfigError: if the target's ending is unknown, or it is a folder or the source.
        WorkspaceError: if the target can't be written.
    """
    _check_target(request)
    started = time.perf_counter()
    report = BatchReport(request.target, runtime.artifact.manifest.name)
    table = open_table(request.source, request.separator)
    request = replace(request, columns=_columns_there(request, table, report))
    photos = open_photo_source(request.images)
    try:
        names = runtime.artifact.model.names
        found = _Predictions(runtime, request, photos, report).of(table, progress)
        rows = (row_of(prediction, names) for prediction in found)
        suffix = request.target.suffix.lower()
        write_atomically(
            request.target, lambda file: write_rows(rows, columns_of(names), file, suffix)
        )
    except OSError as error:
        raise WorkspaceError(
            f"{request.target} can't be written: {error.strerror or error}; choose another place"
        ) from error
    finally:
        photos.close()
    report.seconds = round(time.perf_counter() - started, 2)
    return report


def _check_target(request: BatchRequest) -> None:
    target = request.target
    if target.suffix.lower() not in FORMATS:
        raise ConfigError(f"{target.name} ends in {target.suffix!r}: use {', '.join(FORMATS)}")
    if target.resolve() == request.source.resolve():
        raise ConfigError(f"{target} is the source itself; write to another file")
    if target.is_dir():
        raise ConfigError(f"{target} is a folder; name the file to write")


def _columns_there(request: BatchRequest, table: CsvTable, report: BatchReport) -> CsvColumns:
    """Return the columns without further ones that the file lacks, and a remark on each."""
    columns = request.columns
    lacking = [name for name in columns.extra if clean_name(name) not in table.header]
    for name in lacking:
        reason = (
            f"the model reads column {name!r}, which {table.path.name} lacks: it counts as missing "
            f"for every product; {table.describe_columns()}"
        )
        report.log.add(RowIssue(1, "", name, reason, KEPT))
    return replace(columns, extra=tuple(name for name in columns.extra if name not in lacking))


class _Predictions:
    """The predictions of one file, made a piece at a time; counts and remarks go to the report."""

    def __init__(
        self,
        runtime: "Runtime",
        request: BatchRequest,
        photos: PhotoSource,
        report: BatchReport,
    ) -> None:
        self._runtime, self._request = runtime, request
        self._photos, self._report = photos, report
        self._looks_at_photos = runtime.artifact.config.model.image_name is not None
        self._unread = ""  # the first photo that is named and not looked for
        self._num_unread = 0

    def of(self, table: CsvTable, progress: Callable[[int, int], None]) -> Iterator["Prediction"]:
        """Yield the prediction of each usable row."""
        report = self._report
        total = sum(1 for _ in table.records())  # lines would not do: a row may have several
        products = self._usable(read_products(table, self._request.columns, may_be_empty=True))
        while piece := list(islice(products, PIECE)):
            for prediction in self._runtime.predict([self._input(row) for row in piece]):
                report.num_predicted += bool(prediction.probs)
                report.num_without_prediction += not prediction.probs
                yield prediction
            done = report.num_predicted + report.num_without_prediction + report.log.num_left_out
            progress(min(done, total), total)
        progress(total, total)
        if self._num_unread:
            self._tell_of_unread()

    def _usable(self, rows: Iterator[RawProduct | RowIssue]) -> Iterator[RawProduct]:
        for row in rows:
            if isinstance(row, RowIssue):
                self._report.log.add(row)
            else:
                yield row

    def _input(self, row: RawProduct) -> "ProductInput":
        from mmcore.runtime import ProductInput

        photo = None
        if row.image and self._looks_at_photos and self._request.images is not None:
            try:
                photo = self._photos.read(row.image)
            except ImageError as error:
                column = self._request.columns.image or ""
                self._report.log.add(RowIssue(row.line, row.product_id, column, str(error), KEPT))
        elif row.image:
            self._num_unread += 1
            self._unread = self._unread or row.image
        extra = dict(zip(self._request.columns.extra, row.extra, strict=True))
        return ProductInput(row.title, row.description, photo, row.product_id, extra)

    def _tell_of_unread(self) -> None:
        """Add one remark on all photos that were not looked for, not one a row."""
        reason = (
            "no folder or ZIP archive of photos was given; predict again with --images PATH"
            if self._looks_at_photos
            else "this model looks at none"
        )
        text = (
            f"photos are named for {self._num_unread:,} products, {shown(self._unread)} for one, "
            f"but {reason}"
        )
        self._report.log.add(RowIssue(1, "", self._request.columns.image or "", text, KEPT))
