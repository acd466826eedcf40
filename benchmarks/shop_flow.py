"""The whole way of a shop, from the command line: import, train, label, retrain, compare, switch.

python benchmarks/shop_flow.py CATALOGUE.csv [--images FOLDER] [--label COLUMN] [--labels 100]
    [--import-option=--split --import-option=split ...]

Every step is the command that people type, in a workspace that is thrown away; labels are
given through the labelling services, the way a page does. Each step asserts what it must, and the
seconds it took are printed as JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mmcore.services.history import history
from mmcore.services.labelling import Seen, Suggestion, accept, label
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.settings import read_settings
from mmcore.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--label", default="category")
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--import-option", action="append", default=[])
    arguments = parser.parse_args()
    # the worker of the retrain waits for more work, and writes a moment longer
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        shop = Shop(Path(folder) / "home")
        shop.run_all(arguments)
        print(json.dumps({name: round(value, 1) for name, value in shop.taken.items()}))
        print(json.dumps(shop.told))


class Shop:
    """One workspace, and what each step took and told."""

    def __init__(self, home: Path) -> None:
        self.home, self.taken, self.told = home, {}, {}

    def run_all(self, arguments: argparse.Namespace) -> None:
        photos = ["--images", str(arguments.images)] if arguments.images else []
        found = self.step(
            "import",
            *("import", "csv", str(arguments.catalogue), "--label", arguments.label),
            *(*photos, *arguments.import_option),
        )
        assert found["num_added"] > 0, found
        self.step("train", "train", "--name", "first", as_json=False)
        assert self.step("activate", "models", "activate", "first", "--yes")["name"] == "first"
        self.step("predict", "models", "predict")
        self.timed("label", lambda: self.label(arguments.labels))
        job = self.step("retrain", "retrain", "--wait")
        assert job["state"] == "succeeded", job
        second = job["model"]
        compared = self.step("compare", "models", "compare", second)
        assert compared, "there is no difference to show"
        reason = ["--reason", "the flow goes on whatever the gate says"]
        self.step("switch", "models", "activate", second, "--yes", *reason)
        assert self.production() == second
        self.step("rollback", "models", "rollback", "--yes")
        assert self.production() == "first"
        self.told |= {"retrain_started_from": job.get("choices", {}).get("fresh")}

    def step(self, name: str, *words: str, as_json: bool = True) -> dict:
        command = [sys.executable, "-m", "mmcore", *words, "--home", str(self.home)]
        command += ["--json"] if as_json else []
        started = time.perf_counter()
        result = subprocess.run(command, capture_output=True, text=True)
        self.taken[name] = time.perf_counter() - started
        if result.returncode:
            sys.exit(f"{' '.join(words)} failed: {result.stderr[-800:]}")
        return json.loads(result.stdout) if as_json else {}

    def timed(self, name: str, act) -> None:
        started = time.perf_counter()
        act()
        self.taken[name] = time.perf_counter() - started

    def label(self, count: int) -> None:
        """Decide products as the queue gives them: the label of the catalogue is taken as right."""
        settings = read_settings(self.home)
        with opened_store(Workspace(self.home), settings) as store:
            actor = ensure_actor(store, "anna", "annotator", time.time())
            done = []
            for _ in range(count):
                item = next_product(store, actor, QueueChoice("disagreement"), time.time())
                assert item is not None, f"the queue ended after {len(done)} products"
                said = item.suggestion
                best = said.fused[0] if said and said.fused and not said.is_hidden else None
                shown = best and Suggestion(
                    best.code, best.probability, False, said.model_version_id
                )
                seen = Seen(item.id, item.version, item.token, shown, 3.0)
                if best and item.label in (None, best.code):
                    accept(store, actor, seen, time.time())
                else:
                    label(
                        store, actor, seen, item.label or item.suggestion.fused[0].code, time.time()
                    )
                done.append(item.id)
            assert len(set(done)) == count, "a product was given twice"
            people = [h.annotator for product in done for h in history(store, product)]
            assert people.count("anna") == count, "a label is missing from the history"
            self.told["labels_in_history"] = people.count("anna")

    def production(self) -> str:
        found = self.step("list", "models", "list")
        return next(m["name"] for m in found["models"] if m["stage"] == "production")


if __name__ == "__main__":
    main()
