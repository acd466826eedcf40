"""The exact labels of a run, frozen beside its checkpoint.

Labelling goes on while a model trains. A run that is resumed, by a person or by another attempt
of a job, goes on with the labels it began with: else its checkpoint would belong to nothing.
"""

from dataclasses import replace
from pathlib import Path

from mmcore.catalog.products import Catalogue, load_catalogue, save_catalogue
from mmcore.catalog.snapshot import snapshot_hash
from mmcore.errors import WorkspaceError

SNAPSHOT_FILE = "snapshot.parquet"


def freeze(catalogue: Catalogue, folder: Path) -> None:
    """Write the labelled products of a catalogue into a run's folder.

    Raises:
        WorkspaceError: if the file can't be written.
    """
    products = catalogue.products
    labelled = replace(catalogue, products=products[products["label"] != ""])
    save_catalogue(labelled, folder / SNAPSHOT_FILE)


def load_frozen(folder: Path, expected: str) -> Catalogue:
    """Return the labelled products of a run.

    Args:
        expected: the hash that the run was begun with.

    Raises:
        WorkspaceError: if they are missing, damaged or not those the run began with.
    """
    path = folder / SNAPSHOT_FILE
    if not path.is_file():
        raise WorkspaceError(
            f"run folder {folder} holds no {SNAPSHOT_FILE}: the labels it began with are lost; "
            "delete the folder and train again"
        )
    catalogue = load_catalogue(path)
    if snapshot_hash(catalogue) != expected:
        raise WorkspaceError(
            f"{path} holds other labels than the run began with; delete {folder} and train again"
        )
    return catalogue
