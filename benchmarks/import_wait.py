"""How long a person who labels waits while somebody else imports a catalogue of new products.

    python -m benchmarks.import_wait --products 100000 [--postgres URL]

Prints JSON. Another process labels one product after the other, with a short pause between, from
before the import until after it; what is told is the longest and the usual wait for one label.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.catalogue import COLUMNS, database, write_csv
from mmcore.catalog.csv_columns import CsvColumns
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.labelling import Seen, label, product_named
from mmcore.services.people import ensure_actor
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

PAUSE_S = 0.02
SPAWN = multiprocessing.get_context("spawn")


def keep_labelling(url: str, is_ready, is_over, results) -> None:
    """Label until told to end; hand over the seconds that each label took."""
    store = Store(url)
    actor = ensure_actor(store, "anna", "annotator", time.time())
    taken: list[float] = []
    while not is_over.is_set():
        ref = product_named(store, "old-1")
        started = time.perf_counter()
        seen = Seen(ref.id, ref.version, f"token-{len(taken)}")
        label(store, actor, seen, "AB"[len(taken) % 2], time.time())
        taken.append(time.perf_counter() - started)
        is_ready.set()
        time.sleep(PAUSE_S)
    store.close()
    results.put(taken)


def measure(postgres: str | None, num_products: int) -> dict:
    """Return the figures of one run."""
    with tempfile.TemporaryDirectory() as name, database(postgres, Path(name)) as store:
        folder = Path(name)
        actor = ensure_actor(store, "lea", "lead", time.time())
        workspace = Workspace(folder / "home")
        old = folder / "old.csv"
        old.write_text("id,title,label\nold-1,chaise rouge,A\nold-2,table bleue,B\n")
        columns = CsvColumns("id", "title", label="label")
        import_csv(store, actor, workspace, CsvImport(old, columns), time.time())
        new = folder / "new.csv"
        write_csv(new, num_products)
        url = store.engine.url.render_as_string(hide_password=False)
        is_ready, is_over, results = SPAWN.Event(), SPAWN.Event(), SPAWN.Queue()
        person = SPAWN.Process(target=keep_labelling, args=(url, is_ready, is_over, results))
        person.start()
        is_ready.wait()
        started = time.perf_counter()
        import_csv(store, actor, workspace, CsvImport(new, COLUMNS), time.time())
        seconds = time.perf_counter() - started
        is_over.set()
        taken = results.get()
        person.join()
    return {
        "database": "postgresql" if postgres else "sqlite",
        "products": num_products,
        "import_s": round(seconds, 2),
        "labels": len(taken),
        "wait_p50_ms": round(float(np.median(taken)) * 1000, 1),
        "wait_max_s": round(max(taken), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--postgres", metavar="URL", help="server to make a database on")
    options = parser.parse_args()
    print(json.dumps(measure(options.postgres, options.products)))


if __name__ == "__main__":
    main()
