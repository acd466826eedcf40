"""One import: rows in, photos stored, near-copies grouped, splits drawn; all or nothing.

The catalogue file is replaced at the very end: a crash, a full disk or Ctrl+C leaves the old one.
Photos are stored on the way, by content, where those of an import that failed do no harm.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mmcore.catalog.csv_reader import RawProduct
from mmcore.catalog.duplicates import placeholder_hashes
from mmcore.catalog.intake import TakenProduct, take_photos
from mmcore.catalog.issues import KEPT, IssueLog, RowIssue
from mmcore.catalog.merge import GivenColumns, Merged, merge_products
from mmcore.catalog.photo_source import open_photo_source
from mmcore.catalog.products import (
    Catalogue,
    ClassName,
    load_catalogue,
    make_frame,
    name_classes,
    save_catalogue,
)
from mmcore.catalog.settling import settle
from mmcore.errors import CatalogueError, WorkspaceError
from mmcore.photos import PhotoStore
from mmcore.services.import_report import ImportReport, build_report
from mmcore.settings import read_settings
from mmcore.workspace import Workspace

Progress = Callable[[int, int], object]  # lines read, lines in all (an estimate)

_PROGRESS_STEPS = 200  # calls in all: a screen can't show more
_REASONS_SHOWN = 3


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
    seed: int


def run_import(
    workspace: Workspace, source: ImportSource, progress: Progress | None
) -> ImportReport:
    """Return what the import did.

    Raises:
        CatalogueError: if no row can be used, or the catalogue that is there is of another kind
            (drawn or real) or changed meanwhile; it is left as it was.
        WorkspaceError: if the workspace can't be read or written.
    """
    stamp = _stamp(workspace.catalogue_file)
    existing = _existing(workspace.catalogue_file, source)
    issues = IssueLog()
    taken, given = _take(workspace.create(), source, issues, progress)
    old = make_frame(()) if existing is None else existing.products
    merged = merge_products(old, taken, given)
    for issue in merged.issues:
        issues.add(issue)
    if not merged.file_ids:
        raise _all_bad(source.path, issues)
    former_tests = _former_tests(workspace.catalogue_file, source, issues)
    catalogue, remarks = _complete(merged, existing, former_tests, source)
    for issue in (*remarks, *_placeholder_issues(catalogue.products)):
        issues.add(issue)
    if existing is None or not _equal(existing, catalogue):
        if _stamp(workspace.catalogue_file) != stamp:
            raise CatalogueError(
                f"{workspace.catalogue_file} was changed by another import while this one ran; "
                "nothing of this one was written: run it again"
            )
        save_catalogue(catalogue, workspace.catalogue_file)
    return build_report(merged, catalogue, issues)


def _existing(path: Path, source: ImportSource) -> Catalogue | None:
    """Return the catalogue to add to, None where there is none or it is to be replaced."""
    if source.replace or not path.exists():
        return None
    existing = load_catalogue(path)
    if (existing.source == "drawn") != (source.name == "drawn"):
        old, new = ("drawn", "real") if existing.source == "drawn" else ("real", "drawn")
        raise CatalogueError(
            f"the catalogue in {path.parent} holds {len(existing.products):,} {old} products, and "
            f"{source.path.name} has {new} ones: a model must not learn from both; drop the "
            f"{old} ones with --replace, or choose another workspace with --home DIR"
        )
    return existing


def _take(
    workspace: Workspace, source: ImportSource, issues: IssueLog, progress: Progress | None
) -> tuple[list[TakenProduct], GivenColumns]:
    """Return the products with their photos and the columns that count; adds to `issues`."""
    rows, given = source.rows, source.given
    unread: list[RawProduct] = []
    if source.photos is None and "image" in given.fields:
        rows = _without_photos(rows, unread)
        fields = {name: column for name, column in given.fields.items() if name != "image"}
        given = replace(given, fields=fields)
    taken: list[TakenProduct] = []
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
    return taken, given


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
            progress(line, max(num_lines, line))
    if progress:
        progress(max(num_lines, line), max(num_lines, line))


def _former_tests(path: Path, source: ImportSource, issues: IssueLog) -> pd.DataFrame | None:
    """Return the test products of the catalogue that is going to be replaced, None without one."""
    if not source.replace or not path.exists():
        return None
    try:
        former = load_catalogue(path)
    except WorkspaceError as error:  # a damaged catalogue is replaced, for that is the remedy
        reason = (
            f"which products were test products is lost with the catalogue that is replaced "
            f"({error}): don't compare test scores of new models with earlier ones"
        )
        issues.add(RowIssue(1, "", "", reason, KEPT))
        return None
    if (former.source == "drawn") != (source.name == "drawn"):
        return None
    return former.products[former.products["split"] == "test"]


def _complete(
    merged: Merged,
    existing: Catalogue | None,
    former_tests: pd.DataFrame | None,
    source: ImportSource,
) -> tuple[Catalogue, list[RowIssue]]:
    """Return the catalogue with groups, splits and classes filled in, and remarks."""
    given = frozenset(merged.given_splits) | (existing.given_splits if existing else frozenset())
    products, remarks = settle(merged.products, source.seed, given, former_tests)
    known = {name.code: name for name in existing.classes} if existing else {}
    # a class that somebody named stays without products; one that was only a label goes
    named = [name.code for name in known.values() if name != ClassName(*[name.code] * 3)]
    known |= {name.code: name for name in source.classes}
    used = set(products["label"]) - {""}
    codes = used.union(named, (name.code for name in source.classes))
    origin = existing.source if existing else source.name
    return Catalogue(products, name_classes(codes, known), origin, given), remarks


def _placeholder_issues(products: pd.DataFrame) -> list[RowIssue]:
    issues = []
    for photo_hash, count in placeholder_hashes(products["photo_hash"]).items():
        example = products.loc[products["photo_hash"] == photo_hash, "product_id"].iloc[0]
        reason = (
            f"{count:,} products look the same, {example!r} for one: taken for a placeholder "
            "picture, which doesn't make them near-copies; leave such pictures out"
        )
        issues.append(RowIssue(1, example, "", reason, KEPT))
    return issues


def _all_bad(path: Path, issues: IssueLog) -> CatalogueError:
    left_out = issues.first_left_out(_REASONS_SHOWN)
    reasons = "; ".join(f"line {issue.line}: {issue.reason}" for issue in left_out)
    return CatalogueError(
        f"none of the {issues.num_left_out:,} rows of {path} can be used, so nothing was imported; "
        f"the first reasons: {reasons}"
    )


def _equal(one: Catalogue, other: Catalogue) -> bool:
    return (
        one.classes == other.classes
        and one.source == other.source
        and one.given_splits == other.given_splits
        and one.products.equals(other.products)
    )


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever the file is replaced."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
