"""How long acts on many products take: bulk label, class merge, import, export, and their undo.

    python benchmarks/many_labels.py --products 100000 [--url postgresql+psycopg://...]

The database must be empty (a new SQLite file without --url). Prints one JSON object of seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from label_stress import CODES, fill  # noqa: E402

from mmcore.services.annotation_export import ExportChoices, export_labels  # noqa: E402
from mmcore.services.annotation_import import import_labels  # noqa: E402
from mmcore.services.bulk import BulkRequest, bulk_label, preview  # noqa: E402
from mmcore.services.class_merge import merge_classes, preview_merge  # noqa: E402
from mmcore.services.people import ensure_actor  # noqa: E402
from mmcore.services.undoing import undo  # noqa: E402
from mmcore.store.engine import Store, sqlite_url  # noqa: E402
from mmcore.store.product_filter import ProductFilter  # noqa: E402


def measure(store: Store, folder: Path, num_products: int) -> dict[str, float]:
    """Return the seconds of each act on all products."""
    fill(store, num_products)
    lead = ensure_actor(store, "lead", "lead", time.time())
    everything, seconds = ProductFilter(), {}

    def timed(name, work):
        started = time.perf_counter()
        result = work()
        seconds[name] = round(time.perf_counter() - started, 2)
        return result

    def taken_back(name, act_id):
        result = timed(
            f"undo of {name}", lambda: undo(store, lead, f"undo {name}", time.time(), act_id)
        )
        assert result.restored == num_products, result

    seen = timed("bulk preview", lambda: preview(store, everything))
    request = BulkRequest(everything, "bulk", seen.seen, seen.count)
    act = timed("bulk label", lambda: bulk_label(store, lead, request, "A", time.time()))
    timed("merge preview", lambda: preview_merge(store, "A", "B", time.time()))
    merge = timed("merge", lambda: merge_classes(store, lead, "A", "B", "merge", time.time()))
    taken_back("merge", merge.act_id)
    taken_back("bulk label", act.act_id)
    path = folder / "labels.csv"
    rows = [f"p{i},{CODES[i % 8]},someone,{time.time()}" for i in range(num_products)]
    path.write_text("\n".join(["product_id,label,annotator,time", *rows]))
    found = timed("import csv", lambda: import_labels(store, lead, path, time.time()))
    for kind in ("csv", "jsonl", "parquet"):
        timed(f"export {kind}", lambda kind=kind: export_labels(store, folder / f"out.{kind}"))
    history = ExportChoices(with_history=True)
    timed("export history csv", lambda: export_labels(store, folder / "h.csv", history))
    taken_back("import csv", found.act_id)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        store = Store(options.url or sqlite_url(Path(name) / "rayon.db"))
        seconds = measure(store, Path(name), options.products)
        database = store.engine.dialect.name
        store.close()
    print(json.dumps({"database": database, "products": options.products, **seconds}, indent=2))


if __name__ == "__main__":
    main()
