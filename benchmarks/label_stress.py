"""Many people label one store at once: is every acknowledged label there exactly once?

    python benchmarks/label_stress.py --seconds 60
    python benchmarks/label_stress.py --seconds 60 --url postgresql+psycopg://USER@HOST/NAME

Each of the threads labels products that others label, too. A share of the labels is sent again,
another share is sent by all threads of all processes at the same moment with the same token. With
--kill N, N processes are killed (-9) in the middle. Every thread notes what was acknowledged in a
file of its own, at once; the end compares the notes with the store. Prints one JSON object, exits
with 1 where anything was lost, doubled or an error reached a caller.

The database must be empty (a new SQLite file in a temporary folder without --url).
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import func, insert, select  # noqa: E402

from mmcore.errors import StaleWriteError  # noqa: E402
from mmcore.services.labelling import Seen, Suggestion, label, skip  # noqa: E402
from mmcore.services.people import Actor, ensure_actor  # noqa: E402
from mmcore.store.engine import Store, sqlite_url  # noqa: E402
from mmcore.store.migrate import migrate  # noqa: E402
from mmcore.store.tables import Act, Annotation, Product, ProductClass  # noqa: E402

CODES = tuple("ABCDEFGH")
RESENT = 0.1  # share of labels sent once more
SKIPPED = 0.05
TOGETHER_S = 1.0  # so often all threads send one and the same label


@dataclass(frozen=True)
class Plan:
    url: str
    folder: str
    seconds: float
    num_products: int
    num_threads: int
    shared: Actor


def fill(store: Store, num_products: int) -> None:
    """Put classes and products into an empty store."""
    migrate(store)
    now = time.time()
    with store.writing() as session:
        names = [
            {"code": c, "name_fr": c, "name_en": c, "position": i} for i, c in enumerate(CODES)
        ]
        session.execute(insert(ProductClass), names)
        products = [
            {
                "product_id": f"p{i}",
                "group_id": f"g{i}",
                "split": "train",
                "random_rank": random.random(),
                "created_at": now,
            }
            for i in range(num_products)
        ]
        session.execute(insert(Product), products)


def annotate(plan: Plan, process: int, everybody_is_there) -> None:
    """Label in several threads until the time is up."""
    store = Store(plan.url)
    everybody_is_there.wait()
    starts_at = time.time()
    threads = [
        threading.Thread(target=Annotating(plan, store, starts_at, f"{process}-{n}").run)
        for n in range(plan.num_threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


class Annotating:
    """One annotator in one thread, with a file of what was acknowledged."""

    def __init__(self, plan: Plan, store: Store, starts_at: float, name: str) -> None:
        self.plan, self.store, self.starts_at, self.name = plan, store, starts_at, name
        self.random = random.Random(self.name)
        self.file = os.open(
            Path(plan.folder) / f"{self.name}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )
        self.seconds: list[float] = []
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        try:
            self.actor = ensure_actor(self.store, self.name, "annotator", time.time())
            self.shared_turn = 0
            while time.time() < self.starts_at + self.plan.seconds:
                self.step()
        except Exception as error:
            self.note({"error": f"{type(error).__name__}: {error}"})
            raise
        finally:
            self.note({"seconds": self.seconds, "counts": self.counts})

    def step(self) -> None:
        turn = int((time.time() - self.starts_at) / TOGETHER_S)
        if turn > self.shared_turn:
            self.shared_turn = turn
            product_id = turn % self.plan.num_products + 1
            seen = Seen(product_id, 0, f"together-{turn}", is_second_opinion=True)
            self.send(self.plan.shared, seen, CODES[turn % len(CODES)])
            return
        product_id = self.random.randint(1, self.plan.num_products)
        token = f"{self.name}-{self.counts['sent']}"
        with self.store.reading() as session:
            version = session.scalar(select(Product.version).where(Product.id == product_id))
        seen = Seen(product_id, version, token, Suggestion("A", 0.5), 1.5)
        code = self.random.choice(CODES) if self.random.random() > SKIPPED else None
        saved = self.send(self.actor, seen, code)
        if saved is not None and self.random.random() < RESENT:
            self.counts["resent"] += 1
            if self.send(self.actor, seen, code) != saved:
                self.note({"error": f"the resend of {token} answered something else"})

    def send(self, actor: Actor, seen: Seen, code: str | None):
        self.counts["sent"] += 1
        started = time.perf_counter()
        try:
            if code is None:
                saved = skip(self.store, actor, seen, "unsure", time.time())
            else:
                saved = label(self.store, actor, seen, code, time.time())
        except StaleWriteError:
            self.counts["stale"] += 1
            return None
        self.seconds.append(time.perf_counter() - started)
        self.note({"token": seen.token, "saved": [*vars(saved).values()]})
        return saved

    def note(self, what: dict) -> None:
        # straight to the operating system: a killed process has noted what it was told
        os.write(self.file, json.dumps(what).encode() + b"\n")


def run(options: argparse.Namespace, folder: str) -> dict:
    """Return what was measured and everything that is wrong."""
    url = options.url or sqlite_url(Path(folder) / "rayon.db")
    store = Store(url)
    fill(store, options.products)
    shared = ensure_actor(store, "together", "annotator", time.time())
    plan = Plan(url, folder, options.seconds, options.products, options.threads, shared)
    spawn = multiprocessing.get_context("spawn")
    everybody_is_there = spawn.Barrier(options.processes + 1)
    workers = [
        spawn.Process(target=annotate, args=(plan, n, everybody_is_there))
        for n in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    everybody_is_there.wait()
    time.sleep(options.seconds / 2)
    for worker in workers[: options.kill]:
        worker.kill()
    for worker in workers:
        worker.join()
    result = {"database": store.engine.dialect.name, **judge(store, folder, options)}
    store.close()
    crashed = [w.exitcode for w in workers[options.kill :] if w.exitcode]
    result["problems"] += [f"a process ended with {code}" for code in crashed]
    return result


def judge(store: Store, folder: str, options: argparse.Namespace) -> dict:
    """Compare what was acknowledged with what the store holds."""
    acknowledged: dict[str, list] = {}
    problems, seconds, counts = [], [], Counter()
    for path in sorted(Path(folder).glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            note = json.loads(line)
            seconds += note.get("seconds", ())
            counts.update(note.get("counts", {}))
            if "error" in note:
                problems.append(note["error"])
            if "token" in note:
                before = acknowledged.setdefault(note["token"], note["saved"])
                if before != note["saved"]:
                    problems.append(f"{note['token']} was answered {before} and {note['saved']}")
    problems += compare(store, acknowledged) if acknowledged else ["nothing was acknowledged"]
    seconds.sort()
    total = options.seconds
    return {
        "processes": options.processes,
        "threads": options.threads,
        "killed": options.kill,
        "seconds": total,
        "products": options.products,
        "acknowledged": len(acknowledged),
        "per_second": round(len(acknowledged) / total, 1),
        "answers": len(seconds),
        "resent": counts["resent"],
        "refused_as_stale": counts["stale"],
        "p50_ms": round(1000 * seconds[len(seconds) // 2], 1) if seconds else None,
        "p95_ms": round(1000 * seconds[int(len(seconds) * 0.95)], 1) if seconds else None,
        "max_ms": round(1000 * seconds[-1], 1) if seconds else None,
        "problems": problems[:20],
    }


def compare(store: Store, acknowledged: dict[str, list]) -> list[str]:
    """Return what the store lacks, has twice, or tells otherwise than it answered."""
    problems = []
    with store.reading() as session:
        rows = session.execute(
            select(
                Act.token, Annotation.id, Annotation.act_id, Annotation.product_id,
                Annotation.version, ProductClass.code, Annotation.is_flagged, Annotation.kind,
            )
            .select_from(Annotation)
            .join(Act, Act.id == Annotation.act_id)
            .outerjoin(ProductClass, ProductClass.id == Annotation.class_id)
            .order_by(Annotation.id)
        ).all()  # fmt: skip
        num_acts = session.scalar(select(func.count()).select_from(Act))
        products = dict(session.execute(select(Product.id, Product.version)).all())
    stored = {row.token: list(row[1:7]) for row in rows}
    if not len(rows) == len(stored) == num_acts:
        problems.append(f"{num_acts} acts, {len(rows)} annotations, {len(stored)} tokens")
    for token, saved in acknowledged.items():
        if stored.get(token) != saved:
            problems.append(f"{token} was answered {saved}, the store has {stored.get(token)}")
    versions: dict[int, list[int]] = {}
    for row in rows:
        if row.kind != "skip":
            versions.setdefault(row.product_id, []).append(row.version)
    for product_id, found in versions.items():
        if found != list(range(1, products[product_id] + 1)):
            problems.append(f"product {product_id} at {products[product_id]} has {found[:20]}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--kill", type=int, default=0, metavar="N")
    parser.add_argument("--url", help="an empty database; a new SQLite file without")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options, folder)
    print(json.dumps(result, indent=2))
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
