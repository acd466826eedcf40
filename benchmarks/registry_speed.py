"""How long the registry's sets take: storing, comparing and judging predictions of a catalogue.

Run: python benchmarks/registry_speed.py [products] [database URL] > benchmarks/registry_speed.csv
"""

import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from mmcore.gate import GateLimits
from mmcore.services.backup import BackupOptions, backup
from mmcore.services.comparison import count_changes, list_changes
from mmcore.services.people import OPERATOR
from mmcore.services.prediction_rows import Answers, build_rows
from mmcore.services.predictions import PIECE
from mmcore.services.verdicts import Sides, build_verdict
from mmcore.store import models, predictions
from mmcore.store.comparison import ChangeFilter
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.suspicions import is_check_due, labelled_products, write_suspicions
from mmcore.store.tables import ModelVersion, Product, ProductClass
from mmcore.workspace import Workspace

CLASSES = 27
table = csv.writer(sys.stdout)


@contextmanager
def timed(what: str) -> Iterator[None]:
    began, used = time.perf_counter(), time.process_time()
    yield
    # on a shared machine the processor's time tells more than the clock's
    seconds = (time.perf_counter() - began, time.process_time() - used)
    table.writerow([what, *(round(s, 3) for s in seconds)])
    sys.stdout.flush()


def fill(store: Store, num: int) -> None:
    draw = np.random.default_rng(0)
    classes = [
        {"id": i + 1, "code": str(i), "name_fr": "", "name_en": "", "guideline": "", "position": i,
         "is_archived": False}
        for i in range(CLASSES)
    ]  # fmt: skip
    products = [
        {
            "product_id": f"p{i}",
            "title": f"titre {i}",
            "description": "un texte de longueur moyenne " * 5,
            "search_text": "",
            "photo": "",
            "photo_hash": "",
            "group_id": f"g{i}",
            "split": ("train", "train", "train", "val", "test")[i % 5],
            "extra": {},
            "class_id": 1 + int(draw.integers(CLASSES)) if i % 10 else None,
            "version": 0,
            "is_flagged": False,
            "random_rank": draw.random(),
            "created_at": 0.0,
        }
        for i in range(num)
    ]
    with store.writing() as session:
        session.execute(insert(ProductClass), classes)
        session.execute(insert(Product), products)
        session.add_all(
            [
                ModelVersion(id=1, name="old", snapshot="s", stage="production", created_at=0.0),
                ModelVersion(id=2, name="new", snapshot="s", created_at=0.0),
            ]
        )


def predict(store: Store, version_id: int, num: int) -> None:
    """Store random answers in the pieces that `predict_missing` takes."""
    draw, after = np.random.default_rng(version_id), 0
    while True:
        with store.reading() as session:
            rows = predictions.products_without(session, version_id, after, PIECE)
        if not rows:
            return
        has = np.ones(len(rows), bool)
        probs = {v: draw.dirichlet(np.full(CLASSES, 0.1), len(rows)) for v in ("text", "image")}
        probs["fused"] = (probs["text"] + probs["image"]) / 2
        answers = Answers(probs, dict.fromkeys(probs, has), np.arange(1, CLASSES + 1))
        found = build_rows(answers, version_id, [row[0] for row in rows])
        with store.writing() as session:
            predictions.inputs_now(session, [row["product_id"] for row in found])
            predictions.add_predictions(session, found)
        after = rows[-1][0]


def check(store: Store, version_id: int) -> None:
    """Say of every label that it isn't suspect."""
    with store.writing() as session:
        rows = [(row.id, row.class_id, 0.0) for row in labelled_products(session)]
        write_suspicions(session, version_id, rows)


def forget(store: Store) -> None:
    num = 1
    while num:
        with store.writing() as session:
            num = models.forget_predictions(session, 1, 5_000)


def main() -> None:
    num = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).create()
        url = sys.argv[2] if len(sys.argv) > 2 else sqlite_url(workspace.database_file)
        store = Store(url)
        migrate(store)
        table.writerow([f"{num} products, {store.engine.dialect.name}", "seconds", "of CPU"])
        fill(store, num)
        with timed("store the answers for every product (three views, scores, top five)"):
            predict(store, 1, num)
        predict(store, 2, num)
        with timed("find that nothing is missing"), store.reading() as session:
            predictions.count_missing(session, 2)
        check(store, 2)
        with timed("find that every label is checked"), store.reading() as session:
            assert not is_check_due(session, 2)
        with timed("count changes by class, three views"):
            count_changes(store, "old", "new")
        with timed("a page of 50 changed products"):
            list_changes(store, ("old", "new"), ChangeFilter(outcomes=("fixed",)))
        with timed("a page near the end"):
            wanted = ChangeFilter(outcomes=("fixed",))
            list_changes(store, ("old", "new"), wanted, after=num * 9 // 10)
        with timed("verdict: scores, 1,000 resamples in three views, gate"):
            with store.reading() as session:
                build_verdict(session, Sides(2, "new", (1, "old")), GateLimits())
        with timed("backup, read again (no photos, no models)"):
            options = BackupOptions(Path(folder) / "b", photos=False, models=False)
            backup(store, OPERATOR, workspace, options, 0.0)
        with timed("delete one version's predictions, in pieces"):
            forget(store)
        store.close()


if __name__ == "__main__":
    main()
