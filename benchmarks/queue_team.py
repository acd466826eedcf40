"""A team in a tight loop: each process is one person who asks for the next product and labels it.

python benchmarks/queue_team.py [--sizes 10000 100000] [--labels 800] [--postgres URL]

Prints JSON: milliseconds of `next_product` and of a label, and how many products were served more
often than they should be (must be 0). A label of a product that changed since it was served fails.
"""

import argparse
import json
import multiprocessing
import time
from collections import Counter

import numpy as np
from queue_catalogue import database, make_catalogue
from queue_label import HAS_SERVICE, label

from mmcore.services.people import Actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.services.queue_settings import QueueSettings
from mmcore.store.engine import Store
from mmcore.store.queue_rows import OVERLAP_FACTOR, draw

SPAWN = multiprocessing.get_context("spawn")


def work(url: str, actor: Actor, choices: argparse.Namespace, start, results) -> None:
    """Run one person and hand over (product, next ms, label ms) of each label."""
    store, rows = Store(url), []
    next_product(store, actor, QueueChoice(choices.order), time.time())
    start.wait()
    for _ in range(choices.labels):
        asked = time.perf_counter()
        item = next_product(store, actor, QueueChoice(choices.order), time.time())
        got = time.perf_counter()
        label(store, actor, item, time.time())
        done = time.perf_counter()
        rows.append((item.id, (got - asked) * 1000, (done - got) * 1000))
    store.close()
    results.put(rows)


def measure(url: str, num_products: int, choices: argparse.Namespace) -> dict:
    """Return the figures of one catalogue."""
    people, _ = make_catalogue(url, num_products, choices.people)
    start, results = SPAWN.Barrier(len(people) + 1), SPAWN.Queue()
    workers = [
        SPAWN.Process(target=work, args=(url, person, choices, start, results)) for person in people
    ]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    rows = [row for _ in workers for row in results.get()]
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return {
        "products": num_products,
        "people": len(people),
        "labels": len(rows),
        "labels_per_second": round(len(rows) / seconds, 1),
        "through_the_service": HAS_SERVICE,
        **served_twice(rows),
        "next": spread([row[1] for row in rows]),
        "label": spread([row[2] for row in rows]),
    }


def served_twice(rows: list[tuple]) -> dict[str, int]:
    """Return how many products were served more often than wanted: once, the overlap twice."""
    share = QueueSettings().overlap_share
    counts = Counter(row[0] for row in rows)
    wanted = {product: 1 + (draw(product, OVERLAP_FACTOR) < share) for product in counts}
    return {
        "served_too_often": sum(counts[p] > wanted[p] for p in counts),
        "second_opinions": sum(count == 2 for count in counts.values()),
    }


def spread(times: list[float]) -> dict[str, float]:
    """Return percentiles in milliseconds."""
    p50, p95, p99 = np.percentile(times, (50, 95, 99))
    return {"p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "p99_ms": round(p99, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--labels", type=int, default=800, help="by each person")
    parser.add_argument("--order", default="disagreement")
    parser.add_argument("--postgres", help="URL of a server, for a database of its own on it")
    choices = parser.parse_args()
    for size in choices.sizes:
        with database(choices.postgres) as url:
            print(json.dumps(measure(url, size, choices)), flush=True)


if __name__ == "__main__":
    main()
