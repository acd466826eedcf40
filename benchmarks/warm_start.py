"""A retrain with 5% new labels, from production's weights and from the start: scores and seconds.

python benchmarks/warm_start.py CATALOGUE.csv [--images FOLDER] [--label COLUMN] [--seeds 0 1 2]
    [--csv FILE]

Of the train products (by the file's split column) every twentieth loses its label. A model is
trained on the rest and put in production; then the labels come back, and two retrains learn from
all of them: fresh, and warm. Both are judged on the same test products.
"""

import argparse
import csv
import json
import tempfile
from datetime import datetime
from pathlib import Path

from shop_flow import Shop

NEW_SHARE = 20  # every so many-th train product is new
VIEWS = ("text", "image", "fused")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--label", default="category")
    parser.add_argument("--id", default="product_id")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--csv", type=Path, help="a row is added for each retrain")
    arguments = parser.parse_args()
    rows = [row for seed in arguments.seeds for row in measure(arguments, seed)]
    if arguments.csv:
        keep(arguments.csv, rows)


def measure(arguments: argparse.Namespace, seed: int) -> list[dict]:
    """Return one row a retrain, of one seed."""
    # the worker of the retrain waits for more work, and writes a moment longer
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        shop = Shop(Path(folder) / "home")
        new = without_some_labels(arguments, seed, Path(folder) / "old.csv")
        photos = ["--images", str(arguments.images)] if arguments.images else []
        names = ["--id", arguments.id, "--label", arguments.label, *photos]
        shop.step("import", "import", "csv", str(Path(folder) / "old.csv"), *names)
        shop.step("train", "train", "--name", "first", "--seed", str(seed), as_json=False)
        shop.step("activate", "models", "activate", "first", "--yes")
        shop.step("predict", "models", "predict")
        write_labels(Path(folder) / "new.csv", new)
        shop.step("labels", "labels", "import", str(Path(folder) / "new.csv"))
        found = []
        for how in ("--fresh", "--warm"):
            job = shop.step(how, "retrain", how, "--seed", str(seed), "--wait")
            model = shop.step("show", "models", "show", job["model"])
            scores = {view: round(model["scores"][view]["macro_f1"], 4) for view in VIEWS}
            row = {
                "set": f"{arguments.catalogue.resolve().parent.name} {arguments.label}",
                "seed": seed,
            }
            row |= {"start": how.lstrip("-"), "new_labels": len(new), **scores}
            began, ended = (datetime.fromisoformat(job[k]) for k in ("started_at", "ended_at"))
            row["seconds"] = round((ended - began).total_seconds(), 1)
            print(json.dumps(row), flush=True)
            found.append(row)
        return found


def without_some_labels(arguments: argparse.Namespace, seed: int, target: Path) -> dict[str, str]:
    """Write the catalogue without the labels that come later; return those, by product id."""
    with arguments.catalogue.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    train = [row for row in rows if row["split"] == "train" and row[arguments.label]]
    new = {}
    for row in train[seed % NEW_SHARE :: NEW_SHARE]:
        new[row[arguments.id]] = row[arguments.label]
        row[arguments.label] = ""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return new


def write_labels(path: Path, labels: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["product_id", "label"])
        writer.writerows(labels.items())


def keep(path: Path, rows: list[dict]) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
