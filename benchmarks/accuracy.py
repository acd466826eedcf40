"""Five folds of a catalogue through the command line, test predictions pooled.

    python benchmarks/accuracy.py products.csv IMAGES --label category -- --preset strong

The file needs columns product_id, title, description, image, group_id and the label. A group's
bucket is its hash modulo 10; fold k tests on buckets 2k and 2k + 1, has the two before them as val
(wrapping) and learns from the other six, so near-copies are never on two sides. Classes with fewer
than --min-count products, and products without photo, are left out. What follows `--` goes to
`train`. Prints one JSON object: macro-F1 of each view, accuracy and calibration error (15 bins) of
the fused answer, and the seconds each command took, all folds together.
"""

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

NUM_BUCKETS = 10
ECE_BINS = 15
ROOT = Path(__file__).resolve().parents[1]
COLUMNS = {
    "--id": "product_id",
    "--title": "title",
    "--description": "description",
    "--image": "image",
    "--group": "group_id",
    "--split": "fold_split",
}


def main() -> None:
    options = parse()
    products = read(options.products, options.label, options.min_count)
    pooled, seconds = [], Counter()
    for fold in options.folds:
        with tempfile.TemporaryDirectory(prefix="rayon-accuracy-") as folder:
            pooled.append(run_fold(fold, products, options, Path(folder), seconds))
        print(f"fold {fold}: {dict(seconds)}", file=sys.stderr, flush=True)
    predictions = pd.concat(pooled)
    views = {view: macro_f1(rows) for view, rows in predictions.groupby("view", sort=False)}
    fused = predictions[predictions["view"] == "fused"]
    report = {
        "products": len(fused),
        "folds": options.folds,
        "macro_f1": views,
        "accuracy": round(float((fused["label"] == fused["predicted"]).mean()), 4),
        "ece": calibration_error(fused),
        "seconds": {name: round(s) for name, s in seconds.items()},
        "train": options.train,
    }
    print(json.dumps(report))


def parse() -> argparse.Namespace:
    place = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("products", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--label", default="category")
    parser.add_argument("--min-count", type=int, default=1)
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(NUM_BUCKETS // 2)))
    options = parser.parse_args(sys.argv[1:place])
    options.train = sys.argv[place + 1 :]
    return options


def read(path: Path, label: str, min_count: int) -> list[dict]:
    """Return the products that have a label, a photo and enough company in their class."""
    csv.field_size_limit(10**9)
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row[label] and row["image"]]
    counts = Counter(row[label] for row in rows)
    return [row for row in rows if counts[row[label]] >= min_count]


def split_of(row: dict, fold: int) -> str:
    key = "s" + (row.get("group_id") or row["product_id"])
    bucket = int(hashlib.md5(key.encode()).hexdigest(), 16) % NUM_BUCKETS
    if bucket // 2 == fold:
        return "test"
    return "val" if bucket // 2 == (fold - 1) % (NUM_BUCKETS // 2) else "train"


def run_fold(
    fold: int, products: list[dict], options: argparse.Namespace, folder: Path, seconds: Counter
) -> pd.DataFrame:
    """Return the test predictions of one fold."""
    source, target = folder / "products.csv", folder / "predictions.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*products[0], "fold_split"])
        writer.writeheader()
        writer.writerows({**row, "fold_split": split_of(row, fold)} for row in products)
    names = [word for pair in COLUMNS.items() for word in pair]
    for command in (
        [
            "import",
            "csv",
            str(source),
            *names,
            "--label",
            options.label,
            "--images",
            options.images,
        ],
        ["train", *options.train],
        ["evaluate", "--split", "test", "--predictions", target],
    ):
        started = time.perf_counter()
        line = [sys.executable, "-m", "mmcore", "--home", folder / "home", *command]
        done = subprocess.run([str(w) for w in line], cwd=ROOT, capture_output=True, text=True)
        seconds[command[0]] += time.perf_counter() - started
        if done.returncode:
            raise SystemExit(f"{command[0]} of fold {fold} failed: {done.stderr.strip()}")
    return pd.read_csv(target, dtype={"label": str, "predicted": str, "product_id": str})


def macro_f1(rows: pd.DataFrame) -> float:
    labels = sorted(rows["label"].unique())
    score = f1_score(rows["label"], rows["predicted"], average="macro", labels=labels)
    return round(float(score), 4)


def calibration_error(rows: pd.DataFrame) -> float:
    is_right = (rows["label"] == rows["predicted"]).to_numpy()
    sure = rows["probability"].to_numpy()
    bins = np.clip(np.ceil(sure * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    gaps = np.bincount(bins, weights=is_right - sure, minlength=ECE_BINS)
    return round(float(np.abs(gaps).sum() / len(rows)), 4)


if __name__ == "__main__":
    main()
