"""The whole way of a shop, from the command line: import, train, label, retrain, compare, switch.

python benchmarks/shop_flow.py CATALOGUE.csv [--images FOLDER] [--label COLUMN] [--labels 100]
    [--import-option=--split --import-option=split ...] [--train-option=--seed ...]

Every step is the command that people type, in a workspace that is thrown away; labels are given
through the labelling services, the way a page does; jobs are run by a worker that ends with the
flow. Each step asserts what it must. Prints one JSON object: the seconds of each step, and what
came of it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmcore.services import jobs
from mmcore.services.history import history
from mmcore.services.labelling import Seen, Suggestion, accept, label
from mmcore.services.opening import opened_store
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.services.queue_item import QueueItem
from mmcore.settings import read_settings
from mmcore.store import workers
from mmcore.store.engine import Store
from mmcore.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 600.0  # for a worker to show itself, to do what is due, and to end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--images", type=Path, help="folder of the photos")
    parser.add_argument("--label", default="category", help="column of the class")
    parser.add_argument("--labels", type=int, default=100, help="products to annotate")
    parser.add_argument("--import-option", action="append", default=[])
    parser.add_argument("--train-option", action="append", default=[])
    choices = parser.parse_args()
    photos = ["--images", str(choices.images)] if choices.images else []
    words = [str(choices.catalogue), "--label", choices.label, *photos, *choices.import_option]
    with tempfile.TemporaryDirectory(prefix="rayon-flow-") as folder:
        shop = Shop(Path(folder) / "home")
        with shop.worker():
            told = run_flow(shop, words, choices.train_option, choices.labels)
    taken = {name: round(seconds, 1) for name, seconds in shop.taken.items()}
    print(json.dumps({"seconds": taken, **told}))


class Shop:
    """One workspace, asked by commands; remembers what each step took."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.taken: dict[str, float] = {}
        self.worker_cpu_s = 0.0  # of the last worker that ended

    def ask(self, step: str, *words: str) -> dict:
        """Return what a command prints as JSON."""
        command = [*self._command(*words), "--json"]
        started = time.perf_counter()
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        self.taken[step] = time.perf_counter() - started
        if result.returncode:
            raise AssertionError(f"{' '.join(words)} failed: {result.stderr[-800:]}")
        return json.loads(result.stdout)

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "mmcore", "--home", str(self.home), *words]

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Give the workspace's database."""
        with opened_store(Workspace(self.home), read_settings(self.home)) as store:
            yield store

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Have jobs run by a process that ends with the block; `worker_cpu_s` is what it took.

        While it is alive no command starts one of its own, which would outlive the workspace.
        """
        command = self._command("worker", "--name", "flow")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=ROOT, **quiet) as process:
            try:
                self._wait_for_worker(process)
                yield
                self.wait_until_idle()
            finally:
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                process.terminate()
                process.wait(PATIENCE_S)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.worker_cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def wait_until_idle(self) -> None:
        """Return when no job waits or runs: what an activation or import asked for is done."""
        deadline = time.monotonic() + PATIENCE_S
        with self.store() as store:
            while jobs.list_jobs(store, time.time(), is_active=True):
                assert time.monotonic() < deadline, f"jobs go on after {PATIENCE_S:.0f} s"
                time.sleep(0.2)

    def _wait_for_worker(self, worker: subprocess.Popen) -> None:
        """Return when the worker has shown itself: nobody else is started for the job then."""
        deadline = time.monotonic() + PATIENCE_S
        with self.store() as store:
            while time.monotonic() < deadline:
                assert worker.poll() is None, f"the worker ended with {worker.returncode}"
                with store.reading() as session:
                    if workers.live_workers(session, time.time()):
                        return
                time.sleep(0.1)
        raise AssertionError(f"no worker has shown itself within {PATIENCE_S:.0f} s")

    def stages(self) -> dict[str, str]:
        """Return stage by model."""
        return {m["name"]: m["stage"] for m in self.ask("list", "models", "list")["models"]}


def run_flow(shop: Shop, import_words: list[str], train_words: list[str], num_labels: int) -> dict:
    """Return what came of the whole way; an AssertionError says where it ended.

    Args:
        shop: with a worker.
    """
    found = shop.ask("import", "import", "csv", *import_words)
    assert found["num_added"] > num_labels, f"{found['num_added']} products, {num_labels} labels"
    shop.ask("train", "train", "--name", "first", *train_words)
    assert shop.ask("activate", "models", "activate", "first", "--yes")["name"] == "first"
    started = time.perf_counter()
    shop.wait_until_idle()
    shop.taken["predict"] = time.perf_counter() - started

    started = time.perf_counter()
    with shop.store() as store:
        annotated = annotate(store, num_labels)
        assert in_history(store, annotated, "anna") == num_labels
    shop.taken["annotate"] = time.perf_counter() - started

    job = shop.ask("retrain", "retrain", "--wait")
    second = job["model"]
    assert job["state"] == "succeeded", job["error"]
    assert shop.stages() == {"first": "production", second: "candidate"}
    registered = shop.ask("show", "models", "show", second)
    assert registered["verdict"]["against"] == "first"
    compared = shop.ask("compare", "models", "compare", second)
    require_difference(compared)

    why = ["--reason", "the flow goes on whatever the gate says"]
    switched = shop.ask("switch", "models", "activate", second, "--yes", *why)
    assert (switched["name"], switched["before"]) == (second, "first")
    assert shop.stages() == {"first": "archived", second: "production"}
    back = shop.ask("rollback", "models", "rollback", "--yes")
    assert (back["name"], back["before"]) == ("first", second)
    assert shop.stages() == {"first": "production", second: "archived"}
    return {
        "products": found["num_added"],
        "annotations": num_labels,
        "started_from": registered["parent"],
        "gate": compared["passed"],
        "fused_before": round(compared["scores"]["production"]["fused"]["macro_f1"], 4),
        "fused_after": round(compared["scores"]["candidate"]["fused"]["macro_f1"], 4),
        "changes": compared["changes"]["fused"],
    }


def annotate(store: Store, count: int) -> list[int]:
    """Return the products, by number, that a person has decided as the queue gave them."""
    person = ensure_actor(store, "anna", "annotator", time.time())
    done: list[int] = []
    while len(done) < count:
        item = next_product(store, person, QueueChoice("disagreement"), time.time())
        assert item is not None, f"the queue ended after {len(done)} products"
        decide(store, person, item)
        done.append(item.id)
    assert len(set(done)) == count, "a product was given twice"
    return done


def decide(store: Store, person: Actor, item: QueueItem) -> None:
    """Accept what the model says where the catalogue agrees or is silent, else keep its label."""
    said, now = item.suggestion, time.time()
    best = said.fused[0] if said and said.fused else None
    shown = None
    if best:
        shown = Suggestion(best.code, best.probability, said.is_hidden, said.model_version_id)
    seen = Seen(item.id, item.version, item.token, shown, 3.0, item.is_second_opinion)
    if best and not said.is_hidden and item.label in (None, best.code):
        accept(store, person, seen, now)
        return
    code = item.label or (best and best.code)
    assert code, f"product {item.product_id} has neither a label nor a suggestion"
    label(store, person, seen, code, now)


def in_history(store: Store, products: list[int], name: str) -> int:
    """Return how many decisions of a person stand in the products' histories."""
    return sum(line.annotator == name for number in products for line in history(store, number))


def require_difference(compared: dict) -> None:
    """Hold a comparison to what people read of it: both sides' scores, and every product."""
    assert compared["against"] == "first" and compared["sentence"], compared
    for side in ("candidate", "production"):
        assert compared["scores"][side]["fused"]["n"] > 0, f"{side} was not judged"
    counts = compared["changes"]["fused"]
    assert sum(counts.values()) > 0, "no product was compared"
    shown = [product["outcome"] for product in compared["products"]]
    changed = sum(n for outcome, n in counts.items() if outcome not in ("same", "unchanged"))
    assert bool(shown) == bool(changed), f"{changed} products changed, {len(shown)} are shown"


if __name__ == "__main__":
    main()
