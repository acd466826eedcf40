"""The first part of an import: rows read from the file, their photos stored by content."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.intake import TakenProduct, take_photos
from mmcore.catalog.issues import KEPT, IssueLog, RowIssue
from mmcore.catalog.merge import GivenColumns
from mmcore.catalog.photo_source import open_photo_source
from mmcore.photos import PhotoStore
from mmcore.settings import read_settings
from mmcore.workspace import Workspace

READING, COMPARING, WRITING = "reading rows", "comparing", "writing"  # what an import does, in turn
Progress = Callable[[str, int, int], object]  # one of these, how much is done, how much there is

_PROGRESS_STEPS = 200  # calls in all: a screen can't show more


@dataclass(frozen=True)
class ImportSource:
    """What is imported, whatever its layout.

    Attributes:
        path: of the product file, for messages.
        rows: of the product file; each product id at most once.
        photos: folder or ZIP archive, None for no photos.
        num_lines: in the product file, for progress.
        name: the catalogue's source.
        classes: with their names, whether products have them or not.
        replace: drop the catalogue that is there instead of adding to it; of its test products,
            those that the file has again stay test products.
        relabel: labels of the file win over those that people gave.
        seed: of the splits.
    """

    path: Path
    rows: Iterable[RawProduct | RowIssue]
    given: GivenColumns
    photos: Path | None
    num_lines: int
    name: str
    classes: tuple[ClassName, ...]
    replace: bool
    relabel: bool
    seed: int


class Told:
    """Counts what one stage of an import has done, and tells whoever watches."""

    def __init__(self, progress: Progress | None, stage: str, total: int) -> None:
        self._progress, self._stage, self._total, self._done = progress, stage, total, 0
        self.add(0)

    def add(self, num: int) -> None:
        """Count so many as done."""
        self._done += num
        if self._progress:
            self._progress(self._stage, self._done, self._total)


@dataclass(frozen=True)
class ReadRows:
    """What a file holds.

    Attributes:
        given: the columns that count; without photos given, that of their names doesn't.
        issues: remarks so far.
    """

    taken: list[TakenProduct]
    given: GivenColumns
    issues: IssueLog


def read_rows(workspace: Workspace, source: ImportSource, progress: Progress | None) -> ReadRows:
    """Return the products of the file with their photos stored.

    Raises:
        CatalogueError: if the file has no rows.
        WorkspaceError: if a photo can't be stored.
    """
    rows, given = source.rows, source.given
    unread: list[RawProduct] = []
    if source.photos is None and "image" in given.fields:
        rows = _without_photos(rows, unread)
        fields = {name: column for name, column in given.fields.items() if name != "image"}
        given = replace(given, fields=fields)
    taken: list[TakenProduct] = []
    issues = IssueLog()
    photos = open_photo_source(source.photos)
    try:
        store, num_threads = PhotoStore(workspace.photos), read_settings().decode_threads
        results = take_photos(rows, photos, store, num_threads)
        for result in _followed(results, source.num_lines, progress):
            if isinstance(result, RowIssue):
                issues.add(result)
            else:
                taken.append(result)
    finally:
        photos.close()
    if unread:
        reason = (
            f"photos are named for {len(unread):,} products, {unread[0].image!r} for one, but no "
            "folder or ZIP archive of photos was given; import again with --images PATH"
        )
        issues.add(RowIssue(1, "", source.given.fields["image"], reason, KEPT))
    return ReadRows(taken, given, issues)


def _without_photos(
    rows: Iterable[RawProduct | RowIssue], unread: list[RawProduct]
) -> Iterator[RawProduct | RowIssue]:
    """Yield the rows without the names of photos that nobody will look for.

    One remark on the file says so, not one a row. A row that has nothing but its photo keeps the
    name: it is left out unless the product has a photo already.
    """
    for row in rows:
        if isinstance(row, RawProduct) and row.image and (row.title or row.description):
            unread.append(row)
            row = replace(row, image="")
        yield row


def _followed(
    results: Iterable[TakenProduct | RowIssue], num_lines: int, progress: Progress | None
) -> Iterator[TakenProduct | RowIssue]:
    """Yield the results, telling how far the file has been read."""
    step = max(1, num_lines // _PROGRESS_STEPS)
    line, told = 0, 0
    for result in results:
        yield result
        line = max(line, result.line if isinstance(result, RowIssue) else result.row.line)
        if progress and line >= told + step:
            told = line
            progress(READING, line, max(num_lines, line))
    if progress:
        progress(READING, max(num_lines, line), max(num_lines, line))
