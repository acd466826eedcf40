"""What the next product costs one person, by the size of the catalogue: it should not grow.

python benchmarks/queue_next.py [--sizes 1000 10000 100000 1000000] [--postgres URL]

Prints JSON: milliseconds of `next_product`, each followed by a skip or a label so that the queue
moves, in each order. `--passed` products are decided or skipped by the person beforehand.
"""

import argparse
import json
import time

import numpy as np
from queue_catalogue import database, make_catalogue
from queue_label import label, skip

from mmcore.services.queue import MIX, QueueChoice, next_product
from mmcore.store.engine import Store
from mmcore.store.queue_next import ORDERS


def measure(url: str, num_products: int, rounds: int) -> dict:
    """Return the figures of one catalogue."""
    people, taken = make_catalogue(url, num_products, 8)
    store, figures, now = Store(url), {}, 1000.0
    for name, choice in choices().items():
        times, actor = [], people[len(figures) % len(people)]
        for i in range(rounds + 20):
            now += 1.0
            started = time.perf_counter()
            item = next_product(store, actor, choice, now)
            times.append((time.perf_counter() - started) * 1000)
            if item is None:
                break  # a small catalogue has few products of one class
            (skip if i % 3 == 0 else label)(store, actor, item, now)
        # the first calls build statements and open connections
        p50, p95 = np.percentile(times[20:] or times, (50, 95))
        figures[name] = {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2)}
    store.close()
    return {"products": num_products, **taken, "next": figures}


def choices() -> dict[str, QueueChoice]:
    """Return what is measured."""
    by_order = {order: QueueChoice(order) for order in (MIX, *ORDERS)}
    return {
        **by_order,
        "unlabelled": QueueChoice("random", only="unlabelled"),
        "one class": QueueChoice("disagreement", class_code="20"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--postgres", help="URL of a server, for a database of its own on it")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        with database(arguments.postgres) as url:
            print(json.dumps(measure(url, size, arguments.rounds)), flush=True)


if __name__ == "__main__":
    main()
