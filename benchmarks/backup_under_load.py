"""How to copy a SQLite database while people write: three ways, four writing processes.

Run: python benchmarks/backup_under_load.py [products] > benchmarks/backup_under_load.csv

Each writer commits one annotation-sized transaction after another, through the store. Told is how
long the copy takes, whether it ends at all, and what the writers feel meanwhile.
"""

import csv
import multiprocessing
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate

WRITERS = 4
WARM_S = 1.0
GIVE_UP_S = 60.0
SPAWN = multiprocessing.get_context("spawn")


def fill(path: Path, num: int) -> None:
    store = Store(sqlite_url(path))
    migrate(store)
    with store.writing() as session:
        session.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :num) "
                "INSERT INTO product (id, product_id, title, description, search_text, photo, "
                "photo_hash, group_id, split, extra, version, is_flagged, random_rank, created_at) "
                "SELECT i, 'p' || i, 'titre ' || i, hex(randomblob(400)), 'texte ' || i, "
                "hex(randomblob(32)), hex(randomblob(8)), 'g' || i, 'train', '{}', 0, 0, "
                "i * 1.0 / :num, 0 FROM n"
            ),
            {"num": num},
        )
        session.execute(
            text("INSERT INTO annotator VALUES (1, 'a', 'annotator', 1, 0)"),
        )
    store.close()


def write(path: Path, number: int, ready, stop, results) -> None:
    store = Store(sqlite_url(path))
    ready.wait()
    latencies = []
    i = 0
    while not stop.is_set():
        began = time.time()
        with store.writing() as session:
            session.execute(
                text(
                    "INSERT INTO act (kind, annotator_id, token, details, created_at) "
                    "VALUES ('single', 1, :token, '{}', 0)"
                ),
                {"token": f"{number}-{i}"},
            )
            session.execute(
                text("UPDATE product SET version = version + 1 WHERE id = :id"),
                {"id": 1 + (number * 7919 + i * 104_729) % 1000},
            )
        latencies.append((began, time.time() - began))
        i += 1
        time.sleep(0.002)  # a person takes longer; several dozen people together don't
    results.put(latencies)
    store.close()


def in_steps(source: sqlite3.Connection, target: Path) -> None:
    began = time.time()

    def watch(status: int, remaining: int, total: int) -> None:
        if time.time() - began > GIVE_UP_S:
            raise TimeoutError(f"{remaining} of {total} pages remain")

    with sqlite3.connect(target) as copy:
        source.backup(copy, pages=1_000, progress=watch, sleep=0.01)


def in_one_step(source: sqlite3.Connection, target: Path) -> None:
    with sqlite3.connect(target) as copy:
        source.backup(copy, pages=-1)


def in_steps_of_one_snapshot(source: sqlite3.Connection, target: Path) -> None:
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM annotator").fetchone()
    try:
        in_steps(source, target)
    finally:
        source.execute("ROLLBACK")


def vacuum_into(source: sqlite3.Connection, target: Path) -> None:
    source.execute("VACUUM INTO ?", (str(target),))


def measure(path: Path, way: Callable | None, target: Path) -> dict:
    ready, stop, results = SPAWN.Barrier(WRITERS + 1), SPAWN.Event(), SPAWN.Queue()
    writers = [
        SPAWN.Process(target=write, args=(path, n, ready, stop, results)) for n in range(WRITERS)
    ]
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM act")
    for writer in writers:
        writer.start()
    ready.wait()
    time.sleep(WARM_S)
    began, outcome = time.time(), "done"
    if way is None:
        time.sleep(5)
    else:
        source = sqlite3.connect(path, isolation_level=None)
        try:
            way(source, target)
        except TimeoutError as error:
            outcome = f"gave up: {error}"
        source.close()
    ended = time.time()
    stop.set()
    latencies = [pair for _ in writers for pair in results.get()]
    for writer in writers:
        writer.join()
    felt = [s * 1000 for at, s in latencies if at + s > began and at < ended] or [0.0, 0.0]
    return {
        "way": way.__name__ if way else "no backup",
        "outcome": outcome,
        "seconds": round(ended - began, 2),
        "writes_a_second": round(len(felt) / (ended - began)),
        "write_p50_ms": round(statistics.median(felt), 1),
        "write_p95_ms": round(statistics.quantiles(felt, n=20)[-1], 1),
        "write_max_ms": round(max(felt), 1),
        "mb": round(path.stat().st_size / 1e6),
        "copy_mb": round(target.stat().st_size / 1e6) if target.exists() else "",
        "wal_mb": round(path.with_name(path.name + "-wal").stat().st_size / 1e6)
        if path.with_name(path.name + "-wal").exists()
        else 0,
    }


def main() -> None:
    num = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    ways = (None, in_steps, in_one_step, in_steps_of_one_snapshot, vacuum_into)
    table = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rayon.db"
        fill(path, num)
        for way in ways:
            row = measure(path, way, Path(folder) / f"{way.__name__ if way else 'none'}.db")
            if table is None:
                table = csv.DictWriter(sys.stdout, list(row))
                table.writeheader()
            table.writerow(row)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
