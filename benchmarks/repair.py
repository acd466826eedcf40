"""Does repairing suspect labels help? On the drawn catalogue, whose wrong labels are known.

    python benchmarks/repair.py [--products 44] [--share 0.1]

Draws the demo, trains, and looks at the first tenth of the queue of suspects as a person would who
knows the truth (the side column `_true_label`): wrong labels are put right, the others kept. Then
trains again and scores both models on the same test products, against their true labels. Prints one
JSON object.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from pathlib import Path

from sklearn.metrics import f1_score

from mmcore.catalog.products import Catalogue
from mmcore.cli.app import main as command
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.evaluation import evaluate
from mmcore.services.labelling import Seen, label
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.settings import read_settings
from mmcore.store.engine import Store
from mmcore.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=44, help="drawn products a class")
    parser.add_argument("--share", type=float, default=0.1, help="of the catalogue to look at")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rayon-repair-") as folder:
        print(json.dumps(run(Path(folder), options)))


def run(home: Path, options: argparse.Namespace) -> dict:
    """Return what was found, repaired and gained."""
    workspace, settings = Workspace(home), read_settings(home)
    ask("demo", "--products", str(options.products), "--json", home=home)
    first = next(path.name for path in workspace.models.iterdir() if path.is_dir())
    ask("models", "activate", first, "--yes", home=home)
    ask("models", "predict", home=home)  # what a worker does by itself in a moment
    with opened_store(workspace, settings) as store:
        catalogue = load_catalogue(store)
        looked_at, repaired = repair(store, catalogue, options.share)
    ask("train", "--epochs1", "20", "--name", "repaired", home=home)
    truth = dict(catalogue.products[["product_id", "_true_label"]].itertuples(index=False))
    wrong = catalogue.products["label"] != catalogue.products["_true_label"]
    return {
        "products": len(catalogue.products),
        "wrong_labels": int(wrong.sum()),
        "looked_at": looked_at,
        "repaired": repaired,
        "before": score(workspace, first, truth),
        "after": score(workspace, "repaired", truth),
    }


def ask(*words: str, home: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):  # stdout is for the one JSON object
        code = command([*words, "--home", str(home)])
    if code:
        raise SystemExit(f"{words[0]} failed")


def repair(store: Store, catalogue: Catalogue, share: float) -> tuple[int, int]:
    """Return how many products were looked at and how many labels were put right."""
    products = catalogue.products
    truth = dict(products[["product_id", "_true_label"]].itertuples(index=False))
    person = ensure_actor(store, "repairer", "lead", time.time())
    looked_at = repaired = 0
    while looked_at < share * len(products):
        item = next_product(store, person, QueueChoice("suspicion"), time.time())
        if item is None:
            break
        right = truth[item.product_id]
        label(store, person, Seen(item.id, item.version, item.token), right, time.time())
        looked_at += 1
        repaired += right != item.label
    return looked_at, repaired


def score(workspace: Workspace, model: str, truth: dict[str, str]) -> dict[str, float]:
    """Return macro-F1 of each view against the true labels of the test products."""
    found = evaluate(workspace, read_settings(workspace.home), "test", model).predictions
    return {
        view: round(
            float(f1_score(rows["product_id"].map(truth), rows["predicted"], average="macro")),
            4,
        )
        for view, rows in found.groupby("view", sort=False)
    }


if __name__ == "__main__":
    main()
