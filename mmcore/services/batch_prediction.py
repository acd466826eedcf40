"""Predicting a whole file of products, piece by piece, without storing anything of it.

Memory is the same for a thousand products as for a million: answers go to the journal beside the
target (see `batch_journal.py`), from where a run that was ended goes on, and from there into the
target. The remarks alone are kept, up to MAX_REMARKS.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore import __version__
from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.csv_table import CsvTable, clean_name, open_table
from mmcore.catalog.first_lines import FirstLinesOnDisk
from mmcore.catalog.issues import KEPT, RowIssue
from mmcore.catalog.photo_source import open_photo_source
from mmcore.errors import ConfigError, WorkspaceError
from mmcore.manifest import file_hash
from mmcore.services import batch_journal, batch_source
from mmcore.services.batch_journal import Journal, KeptPiece, part_of
from mmcore.services.batch_pace import BatchProgress, Speed
from mmcore.services.batch_report import BatchReport
from mmcore.services.batch_source import Inputs, Piece, UnreadPhotos, read_pieces
from mmcore.services.prediction_table import (
    FORMATS,
    PREDICTED,
    columns_of,
    values_of,
    write_rows,
)
from mmcore.workspace import write_atomically

if TYPE_CHECKING:
    from mmcore.runtime import ProductInput, Runtime


@dataclass(frozen=True)
class BatchRequest:
    """What to predict and where to put it.

    Attributes:
        anew: drop what an earlier run has left unfinished for the target, instead of going on.
    """

    source: Path
    target: Path
    columns: CsvColumns
    images: Path | None = None
    separator: str | None = None
    anew: bool = False


def extra_columns(runtime: "Runtime") -> list[str]:
    """Return the further columns that a model reads."""
    usual = {"title", "description", "photo"}
    modalities = runtime.artifact.config.model.modalities
    return [c for modality in modalities for c in modality.columns if c not in usual]


def predict_file(
    runtime: "Runtime",
    request: BatchRequest,
    progress: Callable[[BatchProgress], None] = lambda now: None,
) -> BatchReport:
    """Predict every product of a CSV file and write one row each, whole or not at all.

    Whatever ends it before (an error, Ctrl-C, a crash), the same request goes on after the last
    piece that was done, and the target becomes the same to the byte as without the break.

    A file without a usable row gives a table without rows. What the model reads and the file has
    no column for counts as missing.

    Args:
        progress: called after each piece, and at the end; what it raises ends the prediction.

    Raises:
        CatalogueError: if the source can't be read.
        ConfigError: if the target's ending is unknown, or it is a folder or the source;
            OtherPredictionError if an unfinished prediction of the target was begun otherwise.
        WorkspaceError: if the target can't be written, or another process is at it.
    """
    _check_target(request)
    started = time.perf_counter()
    report = BatchReport(request.target, runtime.artifact.manifest.name)
    table = open_table(request.source, request.separator)
    request = replace(request, columns=_columns_there(request, table, report))
    total = sum(1 for _ in table.records())  # lines would not do: a row may have several
    header = batch_journal.new_header(_identity(runtime, request, table), total)
    try:
        with batch_journal.opened(request.target, header, request.anew) as journal:
            _Pass(runtime, request, report, journal, progress).through(table, total)
            _write(runtime, request.target, journal)
    except OSError as error:
        raise _unwritable(request.target, error) from error
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


def _identity(runtime: "Runtime", request: BatchRequest, table: CsvTable) -> dict:
    """Return what decides about the answers: another one's can't be gone on with."""
    return {
        "source": file_hash(request.source),
        "columns": {**asdict(request.columns), "extra": list(request.columns.extra)},
        "separator": table.separator,
        "photos": batch_source.photos_identity(request.images),
        "model": asdict(runtime.artifact.manifest),
        "graphs": {
            name: hashlib.sha256(graph).hexdigest()
            for name, graph in runtime.artifact.graphs.items()
        },
        "device": runtime.device.type,  # their answers differ in the last digits
        "version": __version__,
        "piece": batch_source.PIECE,
    }


def _write(runtime: "Runtime", target: Path, journal: Journal) -> None:
    columns = columns_of(runtime.artifact.model.names)
    rows = (
        dict(zip(columns, values, strict=True))
        for piece in journal.pieces()
        for values in piece.rows
    )
    suffix = target.suffix.lower()
    # nobody else writes there while the journal is held
    own = part_of(target).with_suffix(".whole")
    write_atomically(target, lambda file: write_rows(rows, columns, file, suffix), own)


def _unwritable(target: Path, error: OSError) -> WorkspaceError:
    kept = batch_journal.unfinished(target)
    remedy = "choose another place"
    if kept is not None:
        remedy = (
            f"{kept.num_done:,} of {kept.total:,} rows are kept in {part_of(target).name}: once "
            "there is room, the same again goes on from there"
        )
    return WorkspaceError(f"{target} can't be written: {error.strerror or error}; {remedy}")


class _Pass:
    """One way through a file: what was kept first, then the rest."""

    def __init__(
        self,
        runtime: "Runtime",
        request: BatchRequest,
        report: BatchReport,
        journal: Journal,
        progress: Callable[[BatchProgress], None],
    ) -> None:
        self._runtime, self._request = runtime, request
        self._report, self._journal, self._progress = report, journal, progress
        looks = runtime.artifact.config.model.image_name is not None
        self._reads_photos = looks and request.images is not None
        self._unread = UnreadPhotos(request.columns.image or "", looks)
        self._num_done = 0

    def through(self, table: CsvTable, total: int) -> None:
        """Take in every piece of the file; those without answers get them."""
        columns, report = self._request.columns, self._report
        photos = open_photo_source(self._request.images)
        with closing(photos), closing(FirstLinesOnDisk()) as first_lines:
            pieces = read_pieces(table, columns, first_lines)
            kept = self._recall(pieces, total)
            speed, started = Speed(), time.perf_counter()
            rate = speed.at(started, kept)
            inputs = Inputs(columns, photos if self._reads_photos else None)
            with closing(self._answered(pieces, inputs)) as answered:
                for piece, rows in answered:
                    self._take(piece, rows)
                    if rows:
                        self._keep(piece, rows)
                    rate = speed.at(time.perf_counter(), self._num_done)
                    self._progress(BatchProgress(self._num_done, total, kept, rate))
        self._progress(BatchProgress(total, total, kept, rate))
        report.num_kept = kept
        report.products_per_s = round((total - kept) / (time.perf_counter() - started), 1)
        if remark := self._unread.remark():
            report.log.add(remark)

    def _recall(self, pieces: Iterator[Piece], total: int) -> int:
        """Take in what was kept; returns the rows that this deals with."""
        kept = self._journal.num_done
        for before, piece in zip(self._journal.pieces(), pieces, strict=False):
            piece.photo_remarks.extend(RowIssue(*values) for values in before.remarks)
            self._take(piece, before.rows)
            self._progress(BatchProgress(self._num_done, total, kept))
        return kept

    def _answered(
        self, pieces: Iterator[Piece], inputs: Inputs
    ) -> Generator[tuple[Piece, list[list]], None, None]:
        """Yield each piece with its rows of the result; here alone products meet the model.

        Pieces are read ahead by another thread, which has stopped when the generator is closed.
        """
        names = self._runtime.artifact.model.names
        asked: deque[Piece] = deque()

        def given() -> Iterator[list["ProductInput"]]:
            for piece in pieces:
                asked.append(piece)
                yield inputs.of(piece)

        with closing(self._runtime.stream(given())) as answers:
            for predictions in answers:
                yield asked.popleft(), [values_of(found, names) for found in predictions]

    def _take(self, piece: Piece, rows: list[list]) -> None:
        """Count a piece, and add its remarks to the report."""
        num_answers = sum(bool(values[PREDICTED]) for values in rows)
        self._report.num_predicted += num_answers
        self._report.num_without_prediction += len(rows) - num_answers
        for issue in (*piece.remarks, *piece.photo_remarks):
            self._report.log.add(issue)
        if not self._reads_photos:
            self._unread.count(piece)
        self._num_done += piece.num_rows

    def _keep(self, piece: Piece, rows: list[list]) -> None:
        remarks = [list(astuple(issue)) for issue in piece.photo_remarks]
        self._journal.add(KeptPiece(rows, remarks, self._num_done))
