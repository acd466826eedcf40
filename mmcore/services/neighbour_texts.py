"""The texts of a catalogue as a model's n-grams see them, kept on disk segment by segment.

A segment holds the products of some thousand numbers in a row. Its file is named by what it is made
of, so that after an import only segments that differ are made anew, and nothing is ever out of
date. To read 100,000 products takes a minute of the processor: the job that lets production catch
up does it, and where pages need it earlier, a process of its own (`main` below).
"""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mmcore.errors import WorkspaceError
from mmcore.services.watch import Watch
from mmcore.store.engine import Store
from mmcore.store.product_filter import in_catalogue
from mmcore.store.tables import Product
from mmcore.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from mmcore.encoders import TextEncoder

SEGMENT = 4_096  # product numbers a file: 2.5 s of reading, and 60 MB
FORMAT = b"1"  # of the files; another one makes other names
KEPT_FOLDERS = 3  # models whose texts are kept: production, and two to compare it with
STALE_S = 3_600.0  # another process may be about to use a younger file
_AT_ONCE = 2_000  # rows taken from the database together
_STOPPED = "reading the texts for likeness was stopped; segments that are done stay"


@dataclass(frozen=True)
class Part:
    """One segment of the catalogue as it is now.

    Attributes:
        number: the segment holds products from number * SEGMENT on.
        name: of its file.
        count: products of the catalogue in it.
    """

    number: int
    name: str
    count: int


@dataclass(frozen=True)
class Plan:
    """The catalogue, and the files that its texts are in; N products, by their number."""

    folder: Path
    parts: tuple[Part, ...]
    ids: np.ndarray  # (N,) int64
    product_ids: list[str]
    photos: list[str]

    def path(self, part: Part) -> Path:
        """Return where a segment is kept."""
        return self.folder / f"{part.name}.npy"

    def missing(self) -> list[Part]:
        """Return the segments that have to be made."""
        return [part for part in self.parts if not self.path(part).exists()]


def make_plan(store: Store, workspace: Workspace, encoder: "TextEncoder | None") -> Plan:
    """Return the catalogue, and what its texts are kept in, by one pass over them.

    Args:
        encoder: None where texts aren't compared: no file is planned.
    """
    columns = () if encoder is None else encoder.columns
    parts, ids, product_ids, photos = [], [], [], []
    with store.reading() as session:
        for number, rows in groupby(_rows(session), key=lambda row: row.id // SEGMENT):
            digest, count = hashlib.sha256(FORMAT), 0
            for row in rows:
                ids.append(row.id)
                product_ids.append(row.product_id)
                photos.append(row.photo)
                _add_to(digest, row.id, texts_of(row, columns))
                count += 1
            parts.append(Part(number, digest.hexdigest()[:32], count))
    folder = workspace.cache / "neighbours"
    if encoder is None:
        parts = []
    else:
        folder /= _fingerprint(encoder)
    return Plan(folder, tuple(parts), np.array(ids, np.int64), product_ids, photos)


def make_segments(
    store: Store,
    plan: Plan,
    encoder: "TextEncoder",
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> None:
    """Make the files that are missing; one whose products have changed meanwhile is left out.

    Killed or stopped, it goes on where it was: each file is there whole or not at all.

    Raises:
        WorkspaceError: if they can't be written.
        TrainingInterrupted: if it was asked to stop.
    """
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
        os.utime(plan.folder)
        with FileLock(str(plan.folder / "lock")):  # who waited for it finds all done
            for part in plan.missing():
                watch.check(_STOPPED)
                _make(store, plan, part, encoder)
            _clear_away(plan)
    except OSError as error:
        raise WorkspaceError(
            f"texts can't be kept in {plan.folder}: {error.strerror or error}; free some space, or "
            "make the folder writable; it may be deleted, too: it is made again"
        ) from error


def texts_of(row, columns: Sequence[str]) -> tuple[str, ...]:
    """Return what an encoder's columns hold of a product, "" where it has no such column."""
    usual = {"title": row.title, "description": row.description}
    return tuple(usual[c] if c in usual else str(row.extra.get(c, "")) for c in columns)


def frame_of(texts: Sequence[tuple[str, ...]], columns: Sequence[str]) -> "pd.DataFrame":
    """Return texts as an encoder reads them."""
    import pandas as pd

    return pd.DataFrame(texts, columns=list(columns), dtype="str")


def _make(store: Store, plan: Plan, part: Part, encoder: "TextEncoder") -> None:
    from mmcore.inverted import write_segment

    first = part.number * SEGMENT
    digest, texts = hashlib.sha256(FORMAT), []
    with store.reading() as session:
        for row in _rows(session, first, first + SEGMENT):
            texts.append(texts_of(row, encoder.columns))
            _add_to(digest, row.id, texts[-1])
    if digest.hexdigest()[:32] == part.name:
        rows, _ = encoder.encode_ngrams(frame_of(texts, encoder.columns))
        write_segment(plan.path(part), rows)


def _rows(session: Session, first: int = 0, end: int | None = None) -> Iterator:
    p = Product
    query: Select = select(p.id, p.product_id, p.photo, p.title, p.description, p.extra)
    query = query.where(in_catalogue(), p.id >= first).order_by(p.id)
    if end is not None:
        query = query.where(p.id < end)
    yield from session.execute(query, execution_options={"yield_per": _AT_ONCE})


def _add_to(digest, id: int, texts: tuple[str, ...]) -> None:
    # lengths, too: "ab" and "c" are another product than "a" and "bc"
    parts = [text.encode("utf-8", "replace") for text in texts]
    digest.update(f"{id} {' '.join(str(len(part)) for part in parts)}\n".encode())
    for part in parts:
        digest.update(part)


def _fingerprint(encoder: "TextEncoder") -> str:
    ngrams = encoder.ngrams
    digest = hashlib.sha256(FORMAT + repr((ngrams.readings, ngrams.num_products)).encode())
    digest.update(np.ascontiguousarray(ngrams.hashes).tobytes())
    digest.update(np.ascontiguousarray(ngrams.counts).tobytes())
    return digest.hexdigest()[:32]


def _clear_away(plan: Plan) -> None:
    """Delete segments that no product is in any more, and those of models long unused."""
    known, now = {plan.path(part) for part in plan.parts}, time.time()
    for path in plan.folder.glob("*.npy"):
        if path not in known and now - path.stat().st_mtime > STALE_S:
            path.unlink(missing_ok=True)
    folders = sorted(plan.folder.parent.iterdir(), key=lambda path: -path.stat().st_mtime)
    for folder in folders[KEPT_FOLDERS:]:
        shutil.rmtree(folder, ignore_errors=True)


def text_encoder(artifact) -> "TextEncoder | None":
    """Return the encoder of a model whose texts can be compared, None where it has no n-grams."""
    from mmcore.config import TEXT

    encoder = artifact.encoders.get(TEXT.name)
    return None if encoder is None or getattr(encoder, "ngrams", None) is None else encoder


def read_texts(store: Store, workspace: Workspace, model: str, watch: Watch) -> None:
    """Read the catalogue's texts as a model sees them, so that no page has to wait for it.

    Raises:
        ArtifactError: if its folder is missing or damaged.
        WorkspaceError, TrainingInterrupted: as `make_segments`.
    """
    from mmcore.artifact import load_artifact

    encoder = text_encoder(load_artifact(workspace.models / model, by_graphs=True))
    if encoder is not None:
        make_segments(store, make_plan(store, workspace, encoder), encoder, watch)


def main(home: str, model: str) -> None:
    """Read the texts in a process of its own, behind whoever works on this machine."""
    from mmcore.jobs.local import NICE
    from mmcore.services.opening import open_store
    from mmcore.settings import read_settings

    if hasattr(os, "nice"):
        os.nice(NICE)
    workspace = Workspace(Path(home))
    store = open_store(workspace, read_settings(workspace.home))
    read_texts(store, workspace, model, Watch())


if __name__ == "__main__":
    main(*sys.argv[1:])
