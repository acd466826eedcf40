"""The verbs of the catalogue: import a shop's CSV file, or the Rakuten challenge.

What happens to the rows stands in `import_run.py`, in the order it happens.
"""

from dataclasses import dataclass
from pathlib import Path

from mmcore.catalog.csv_columns import CsvColumns, guess_columns
from mmcore.catalog.csv_reader import read_products
from mmcore.catalog.csv_table import clean_name, open_table
from mmcore.catalog.merge import GivenColumns
from mmcore.catalog.products import ClassName
from mmcore.catalog.rakuten import open_rakuten, read_rakuten
from mmcore.catalog.rakuten_classes import RAKUTEN_CLASSES
from mmcore.services.import_report import ImportReport
from mmcore.services.import_run import ImportSource, Progress, run_import
from mmcore.workspace import Workspace


@dataclass(frozen=True)
class CsvImport:
    """How to import a CSV file.

    Attributes:
        columns: None has them guessed from the header.
        images: folder or ZIP archive of the photos that column `image` names.
        separator: None has it found.
        replace: drop the catalogue that is there instead of adding to it; test products that come
            again stay test products.
        seed: of the splits.
        source: csv, or drawn for a catalogue that is no shop's.
        classes: names to show; a class that isn't among them is shown by its label.
    """

    columns: CsvColumns | None = None
    images: Path | None = None
    separator: str | None = None
    replace: bool = False
    seed: int = 0
    source: str = "csv"
    classes: tuple[ClassName, ...] = ()


@dataclass(frozen=True)
class RakutenImport:
    """How to import the Rakuten challenge.

    Attributes:
        part: train, or test: the challenge's own, which has no labels (not the split).
        replace: drop the catalogue that is there instead of adding to it; test products that come
            again stay test products.
        seed: of the splits.
    """

    part: str = "train"
    replace: bool = False
    seed: int = 0


def import_csv(
    workspace: Workspace, path: Path, options: CsvImport, progress: Progress | None = None
) -> ImportReport:
    """Return what importing the CSV file did; the same file again changes nothing.

    Args:
        progress: called now and then with (lines read, lines in all), the last time at the end.

    Raises:
        CatalogueError: if the file can't be used, has no usable row, or the catalogue that is
            there is of another kind (drawn or real); nothing is written.
        WorkspaceError: if the workspace can't be read or written.
    """
    table = open_table(path, options.separator)
    columns = options.columns or guess_columns(table.header, table.unnamed)
    source = ImportSource(
        path=path,
        rows=read_products(table, columns),
        given=GivenColumns(columns.mapped(), tuple(map(clean_name, columns.extra))),
        photos=options.images,
        num_lines=table.form.num_lines,
        name=options.source,
        classes=options.classes,
        replace=options.replace,
        seed=options.seed,
    )
    return run_import(workspace, source, progress)


def import_rakuten(
    workspace: Workspace, folder: Path, options: RakutenImport, progress: Progress | None = None
) -> ImportReport:
    """Return what importing the Rakuten challenge from `folder` did.

    Args:
        progress: as for `import_csv`.

    Raises:
        CatalogueError, WorkspaceError: as `import_csv`.
    """
    files = open_rakuten(folder, options.part)
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
        seed=options.seed,
    )
    return run_import(workspace, source, progress)
