"""How long a writer waits on SQLite: many processes and threads that read, add 1 and write back.

python benchmarks/store_writes.py                    with the queue of writers (as shipped)
python benchmarks/store_writes.py --without-queue    SQLite's own waiting, for comparison

Prints JSON: milliseconds a transaction took from asking to committed, and whether the sum is right.
"""

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.tables import Setting

SPAWN = multiprocessing.get_context("spawn")


def count_up(url: str, choices: argparse.Namespace, start, results) -> None:
    """Run one process's threads and hand over (process, milliseconds) of each transaction."""
    store = Store(url)
    if choices.without_queue:
        store._turn = nullcontext
    taken: list[float] = []

    def work() -> None:
        for _ in range(choices.rounds):
            asked = time.perf_counter()
            with store.writing() as session:
                row = session.get(Setting, "counter")
                row.value = {"n": row.value["n"] + 1}
            taken.append((time.perf_counter() - asked) * 1000)

    threads = [threading.Thread(target=work) for _ in range(choices.threads)]
    start.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    results.put(taken)


def measure(choices: argparse.Namespace) -> dict:
    """Return the figures of one run."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(sqlite_url(Path(folder) / "a.db"))
        migrate(store)
        with store.writing() as session:
            session.add(Setting(name="counter", value={"n": 0}))
        start, results = SPAWN.Barrier(choices.processes + 1), SPAWN.Queue()
        arguments = (store.url, choices, start, results)
        workers = [SPAWN.Process(target=count_up, args=arguments) for _ in range(choices.processes)]
        for worker in workers:
            worker.start()
        start.wait()
        began = time.perf_counter()
        taken = np.concatenate([results.get() for _ in workers])
        seconds = time.perf_counter() - began
        for worker in workers:
            worker.join()
        with store.reading() as session:
            counted = session.get(Setting, "counter").value["n"]
        store.close()
    p50, p95, p99 = np.percentile(taken, (50, 95, 99))
    return {
        **vars(choices),
        "transactions": len(taken),
        "lost": len(taken) - counted,
        "per_second": round(len(taken) / seconds, 1),
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
        "p99_ms": round(p99, 1),
        "max_ms": round(taken.max(), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=50, help="transactions a thread")
    parser.add_argument("--without-queue", action="store_true")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
