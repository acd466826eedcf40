"""A retrain from production's weights beside one from the start, after some new labels.

python benchmarks/warm_start.py CATALOGUE.csv [--images FOLDER] [--label COLUMN] [--share 0.05]
    [--seeds 0 1 2] [--csv FILE] [--import-option=--brand ...]

Of the train products (by the file's split column) a share loses its label. A model is trained on
the rest and put in production; then the labels come back, and two retrains learn from all of them:
fresh and warm, in turns first. Each is run by a worker process of its own, so both pay for its
start; the photos' features are in the cache for both. Scores are macro-F1 on the test products;
training_s is the training alone, job_s the whole job with the comparison, cpu_s what the worker
took of the processor (on a machine with other work it tells more than the clock).
"""

import argparse
import csv
import json
import os
import platform
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
from shop_flow import Shop

from mmcore.manifest import read_json
from mmcore.workspace import Workspace

VIEWS = ("text", "image", "fused")


def main() -> None:
    choices = parse()
    rows = [row for seed in choices.seeds for row in measure(choices, seed)]
    print(json.dumps(summary(rows)))
    if choices.csv:
        keep(choices.csv, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--images", type=Path, help="folder of the photos")
    parser.add_argument("--id", default="product_id", help="column of the shop's id")
    parser.add_argument("--label", default="category", help="column of the class")
    parser.add_argument("--split", default="split", help="column of the split: train, val, test")
    parser.add_argument("--share", type=float, default=0.05, help="of train labels that are new")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--csv", type=Path, help="a row is added for each retrain")
    parser.add_argument("--import-option", action="append", default=[])
    choices = parser.parse_args()
    if not 0 < choices.share < 1:
        parser.error(f"--share is {choices.share}; it must lie between 0 and 1")
    return choices


def measure(choices: argparse.Namespace, seed: int) -> list[dict]:
    """Return one row a retrain, of one seed."""
    with tempfile.TemporaryDirectory(prefix="rayon-warm-") as name:
        folder = Path(name)
        shop = Shop(folder / "home")
        new, num_train = without_some_labels(choices, seed, folder / "old.csv")
        words = ["--id", choices.id, "--label", choices.label, "--split", choices.split]
        words += ["--images", str(choices.images)] if choices.images else []
        words += choices.import_option
        shop.ask("import", "import", "csv", str(folder / "old.csv"), *words)
        shop.ask("train", "train", "--name", "first", "--seed", str(seed))
        write_labels(folder / "new.csv", new)
        with shop.worker():  # production catches up, before anything is timed
            shop.ask("activate", "models", "activate", "first", "--yes")
            shop.ask("labels", "labels", "import", str(folder / "new.csv"))
        same = {
            "catalogue": choices.catalogue.resolve().parent.name,
            "label": choices.label,
            "train_labels": num_train,
            "new_labels": len(new),
            "seed": seed,
        }
        ways = ("fresh", "warm") if seed % 2 else ("warm", "fresh")
        return [{**conditions(), **same, **retrain(shop, way, seed)} for way in ways]


def retrain(shop: Shop, way: str, seed: int) -> dict:
    """Return what one retrain scored and took."""
    with shop.worker():
        job = shop.ask("retrain", "retrain", f"--{way}", "--seed", str(seed), "--wait")
    assert job["state"] == "succeeded", job["error"]
    version = shop.ask("show", "models", "show", job["model"])
    assert version["parent"] == ("first" if way == "warm" else None), version["parent"]
    metrics = read_json(Workspace(shop.home).models / job["model"] / "metrics.json")
    began, ended = (datetime.fromisoformat(job[key]) for key in ("started_at", "ended_at"))
    row = {
        "way": way,
        **{view: round(version["scores"][view]["macro_f1"], 4) for view in VIEWS},
        "epochs": len(metrics["history"]),
        "training_s": metrics["seconds"],
        "job_s": round((ended - began).total_seconds(), 1),
        "cpu_s": round(shop.worker_cpu_s, 1),
    }
    print(json.dumps({"seed": seed, **row}), flush=True)
    return row


def conditions() -> dict:
    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"
    return {"date": f"{datetime.now():%Y-%m-%d}", "machine": machine}


def without_some_labels(
    choices: argparse.Namespace, seed: int, target: Path
) -> tuple[dict[str, str], int]:
    """Write the catalogue without the labels that come later.

    Returns those, by product id, and how many train labels there are in all.
    """
    csv.field_size_limit(10**9)
    with choices.catalogue.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    lacking = {choices.id, choices.label, choices.split} - set(rows[0])
    if lacking:
        raise SystemExit(
            f"{choices.catalogue.name} has no column {sorted(lacking)[0]!r}; it has "
            f"{', '.join(rows[0])}: name others with --id, --label, --split"
        )
    train = [row for row in rows if row[choices.split] == "train" and row[choices.label]]
    picked = np.random.default_rng(seed).permutation(len(train))[
        : round(choices.share * len(train))
    ]
    new = {train[i][choices.id]: train[i][choices.label] for i in picked}
    for i in picked:
        train[i][choices.label] = ""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return new, len(train)


def write_labels(path: Path, labels: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["product_id", "label"])
        writer.writerows(labels.items())


def summary(rows: list[dict]) -> dict:
    """Return the means over the seeds by way, and warm's share of fresh's seconds."""
    measured = (*VIEWS, "training_s", "job_s", "cpu_s")
    found = {
        way: {
            k: round(float(np.mean([r[k] for r in rows if r["way"] == way])), 4) for k in measured
        }
        for way in ("fresh", "warm")
    }
    share = {k: round(found["warm"][k] / found["fresh"][k], 2) for k in measured if k[-2:] == "_s"}
    return {**found, "warm_share": share}


def keep(path: Path, rows: list[dict]) -> None:
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
