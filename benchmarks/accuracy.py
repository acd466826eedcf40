"""Accuracy of the presets, of their parts and of plain baselines: five folds of any catalogue.

    PYTHONPATH=. python benchmarks/accuracy.py products.csv IMAGES --label category \
        --variants strong seed baseline --shares 0.1 0.25 0.5 1 --csv benchmarks/accuracy.csv

The file needs columns product_id, title, description, image and the label; group_id, where there is
one, ties near-copies together. A group's bucket is its hash modulo 10; fold k tests on buckets 2k
and 2k + 1, has the two before them as val (wrapping) and learns from the other six, so near-copies
are never on two sides. Classes with fewer than --min-count products are left out, and products
without photo, where IMAGES isn't "-".

Each fold is imported, trained and evaluated through the command line, every variant in the same
workspace, one after the other. A --share below 1 keeps that share of the groups of train and of
val; test is whole. Test predictions of all folds are pooled, then scored. Prints one JSON object a
row; --csv adds them to a file. `train_s` is the seconds of a `train` command, the mean of the
folds; the first variant of a fold has to read the photos, the others find their features in the
cache (`photos`). `peak_mb` is the largest memory that any of these commands held.

What follows `--` goes to every `train`.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import torch
from accuracy_baseline import baseline_views
from accuracy_folds import FOLDS, Fold, read_catalogue
from accuracy_scores import Pooled, scores

ROOT = Path(__file__).resolve().parents[1]
BASELINE = "baseline"
# what `train` is told; strong and seed on one backbone, so that the rows differ in one thing each
VARIANTS = {
    "strong": (),
    "seed": ("--preset", "seed", "--backbone", "efficientnet_lite0"),
    "strong, no folds": ("--set", "refit=false"),
    "strong, no linear heads": ("--set", "linear_heads=false"),
    "strong, feature fusion alone": ("--set", "use_combiner=false"),
    "strong, no modality dropout": ("--set", "modality_dropout=0"),
    "strong, towers apart": ("--separate",),
    "strong, fine-tuned": ("--epochs2", "3"),
    BASELINE: (),
}


def main() -> None:
    options = parse()
    catalogue = read_catalogue(options.products, options.images, options.label, options.min_count)
    for share in options.shares:
        pooled = {variant: Pooled() for variant in options.variants}
        for number in options.folds:
            with tempfile.TemporaryDirectory(prefix="rayon-accuracy-") as folder:
                measure(catalogue.fold(number, share), Path(folder), pooled, options)
            print(f"share {share}, fold {number} done", file=sys.stderr, flush=True)
        for variant, found in pooled.items():
            row = report(variant, share, found, catalogue, options)
            print(json.dumps(row), flush=True)
            if options.csv:
                add(options.csv, row)


def parse() -> argparse.Namespace:
    place = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("products", type=Path)
    parser.add_argument("images", type=Path, help="folder of the photos; - for none")
    parser.add_argument("--name", help="of the set in the rows; without: the file's folder")
    parser.add_argument("--label", default="category")
    parser.add_argument("--min-count", type=int, default=1)
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--shares", type=float, nargs="+", default=[1.0], help="of train and val")
    parser.add_argument(
        "--variants", nargs="+", default=["strong", "seed", BASELINE], choices=list(VARIANTS)
    )
    parser.add_argument("--csv", type=Path, help="a row is added for each variant and share")
    options = parser.parse_args(sys.argv[1:place])
    options.train = sys.argv[place + 1 :]
    options.variants.sort(key=lambda variant: variant == BASELINE)  # reads the others' features
    return options


def measure(
    fold: Fold, folder: Path, pooled: dict[str, Pooled], options: argparse.Namespace
) -> None:
    """Add what every variant says of a fold's test products."""
    source, home = folder / "products.csv", folder / "home"
    fold.write(source)
    given = () if str(options.images) == "-" else ("--images", options.images)
    run(home, "import", "csv", source, *fold.columns(), *given)
    has_read = False
    for number, (variant, found) in enumerate(pooled.items()):
        if variant == BASELINE:
            found.add_views(baseline_views(fold, home))
            continue
        name, target = f"v{number}", folder / f"{number}.csv"
        words = (*VARIANTS[variant], *options.train)
        seconds, peak_mb = run(home, "train", "--name", name, *words)
        run(home, "evaluate", "--model", name, "--split", "test", "--predictions", target)
        found.add_file(target)
        found.add_cost(seconds, peak_mb, "cached" if has_read else "read")
        has_read = True


def run(home: Path, *command: object) -> tuple[float, float]:
    """Run a command of Rayon's; return its seconds and its largest memory in MB."""
    started = time.perf_counter()
    line = [sys.executable, "-m", "mmcore", "--home", str(home), *map(str, command)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(line)} failed: {errors.read().decode().strip()}")
    unit = 1024 if sys.platform == "linux" else 1024**2  # bytes on macOS
    return time.perf_counter() - started, usage.ru_maxrss / unit


def report(variant, share, found: Pooled, catalogue, options: argparse.Namespace) -> dict:
    return {
        "set": options.name or options.products.resolve().parent.name,
        "label": options.label,
        "classes": catalogue.num_classes,
        "products": len(found),
        "variant": variant,
        "share": share,
        "folds": len(options.folds),
        **scores(found),
        **found.cost(),
        "train_options": " ".join([*VARIANTS[variant], *options.train]),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }


def add(path: Path, row: dict) -> None:
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if is_new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
