"""The verbs of the catalogue: import a shop's CSV file, or the Rakuten challenge, into the store.

What happens to the rows stands in `import_run.py`, in the order it happens. A label of a file is
an annotation of its own, by "import", all of one file under one act: it can be undone as a whole.
It doesn't overwrite what a person decided, unless `relabel` says so.
"""

from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.class_names import ClassName
from mmcore.catalog.csv_columns import CsvColumns, guess_columns
from mmcore.catalog.csv_reader import read_products
from mmcore.catalog.csv_table import clean_name, open_table
from mmcore.catalog.merge import GivenColumns
from mmcore.catalog.rakuten import open_rakuten, read_rakuten
from mmcore.catalog.rakuten_classes import RAKUTEN_CLASSES
from mmcore.services.import_report import ImportReport
from mmcore.services.import_rows import ImportSource, Progress
from mmcore.services.import_run import run_import
from mmcore.services.people import Actor
from mmcore.store.engine import Store
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class CsvImport:
    """How to import a CSV file.

    Attributes:
        path: of the file.
        columns: None has them guessed from the header.
        images: folder or ZIP archive of the photos that column `image` names.
        separator: None has it found.
        replace: drop the catalogue that is there instead of adding to it; test products that come
            again stay test products.
        relabel: labels of the file win over those that people gave.
        seed: of the splits.
        source: csv, or drawn for a catalogue that is no shop's.
        classes: names to show; a class that isn't among them is shown by its label.
    """

    path: Path
    columns: CsvColumns | None = None
    images: Path | None = None
    separator: str | None = None
    replace: bool = False
    relabel: bool = False
    seed: int = 0
    source: str = "csv"
    classes: tuple[ClassName, ...] = ()


@dataclass(frozen=True)
class RakutenImport:
    """How to import the Rakuten challenge.

    Attributes:
        folder: of the challenge's files.
        part: train, or test: the challenge's own, which has no labels (not the split).
        replace: drop the catalogue that is there instead of adding to it; test products that come
            again stay test products.
        relabel: labels of the file win over those that people gave.
        seed: of the splits.
    """

    folder: Path
    part: str = "train"
    replace: bool = False
    relabel: bool = False
    seed: int = 0


def import_csv(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    options: CsvImport,
    now: float,
    progress: Progress | None = None,
) -> ImportReport:
    """Return what importing the CSV file did; the same file again changes nothing.

    Args:
        workspace: where the photos are kept.
        now: time of the labels.
        progress: called now and then with (stage, done, total): lines read (an estimate), steps of
            comparing, changes written; each stage ends with done = total.

    Raises:
        RefusedError: if the actor is no lead.
        CatalogueError: if the file can't be used, has no usable row, or the catalogue that is
            there is of another kind (drawn or real); nothing is written.
        WorkspaceError: if the workspace can't be read or written.
    """
    table = open_table(options.path, options.separator)
    columns = options.columns or guess_columns(table.header, table.unnamed)
    source = ImportSource(
        path=options.path,
        rows=read_products(table, columns),
        given=GivenColumns(columns.mapped(), tuple(map(clean_name, columns.extra))),
        photos=options.images,
        num_lines=table.form.num_lines,
        name=options.source,
        classes=options.classes,
        replace=options.replace,
        relabel=options.relabel,
        seed=options.seed,
    )
    return run_import(store, actor, workspace, source, now, progress)


def import_rakuten(
    store: Store,
    actor: Actor,
    workspace: Workspace,
    options: RakutenImport,
    now: float,
    progress: Progress | None = None,
) -> ImportReport:
    """Return what importing the Rakuten challenge did.

    Args:
        workspace, now, progress: as for `import_csv`.

    Raises:
        RefusedError, CatalogueError, WorkspaceError: as `import_csv`.
    """
    files = open_rakuten(options.folder, options.part)
    fields = {
        "title": "designation",
        "description": "description",
        "image": "imageid",
        "label": "prdtypecode",
    }
    source = ImportSource(
        path=files.products.path,
        rows=read_rakuten(files),
        given=GivenColumns(fields),
        photos=files.photos,
        num_lines=files.products.form.num_lines,
        name="rakuten",
        classes=RAKUTEN_CLASSES,
        replace=options.replace,
        relabel=options.relabel,
        seed=options.seed,
    )
    return run_import(store, actor, workspace, source, now, progress)
