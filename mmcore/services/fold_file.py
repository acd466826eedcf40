"""What the network of a fold said, kept until the run ends: a run that is killed goes on there."""

import io
import zipfile
from pathlib import Path

import numpy as np

from mmcore.batches import EncodedProducts
from mmcore.errors import CheckpointError
from mmcore.views import Decisions
from mmcore.workspace import write_atomically

_GROUPS = ("available", "heads", "fused")
_JOIN = "+"  # in no modality's name


def save_fold(path: Path, owner: str, found: Decisions) -> None:
    """Keep the decisions, durably.

    Args:
        owner: hash of the run's settings and labels.

    Raises:
        CheckpointError: if they can't be written.
    """
    arrays = {f"available:{name}": rows for name, rows in found.available.items()}
    arrays |= {f"heads:{name}": rows for name, rows in found.heads.items()}
    arrays |= {f"fused:{_JOIN.join(names)}": rows for names, rows in found.fused.items()}
    data = io.BytesIO()
    np.savez(data, owner=np.array(owner), **arrays)
    try:
        write_atomically(path, lambda file: file.write(data.getvalue()))
    except OSError as error:
        raise CheckpointError(
            f"{path} of {data.tell() / 1e6:.1f} MB can't be written: {error.strerror or error}; "
            "free some space or choose another workspace with --home, then resume"
        ) from error


def load_fold(path: Path, owner: str, products: EncodedProducts) -> Decisions | None:
    """Return what `save_fold` kept about these products; None where nothing usable is there."""
    groups: dict[str, dict] = {name: {} for name in _GROUPS}
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["owner"]) != owner:
                return None
            for key in set(file.files) - {"owner"}:
                group, _, name = key.partition(":")
                groups[group][name] = file[key]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, EOFError):
        return None  # not there, or damaged: the fold is trained again
    if any(len(rows) != len(products) for part in groups.values() for rows in part.values()):
        return None
    fused = {tuple(names.split(_JOIN)): rows for names, rows in groups["fused"].items()}
    return Decisions(products, groups["available"], groups["heads"], fused)
