"""How many of a drawn catalogue's planted wrong labels come first in the queue of suspects.

python -m mmcore demo --home DIR --products 48
python benchmarks/suspects.py --home DIR

Prints JSON: the share of the planted wrong labels among the most suspect 5% and 10% of all
products, once as the model's own towers see it and once by labels checked out of fold.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from mmcore.cross_check import Checked, cross_checked_suspicions
from mmcore.photos import PhotoStore
from mmcore.runtime import ProductInput
from mmcore.scoring import suspicions
from mmcore.services.catalogue_frame import read_catalogue
from mmcore.services.prediction import load_runtime
from mmcore.services.suspects import photo_features
from mmcore.settings import read_settings
from mmcore.workspace import Workspace

PIECE = 64


def towers(workspace: Workspace, products, codes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return what text and image tower say of every product, (N, K) each; 0 without."""
    runtime = load_runtime(workspace, read_settings(workspace.home), None)
    photos = PhotoStore(workspace.photos)
    found = {view: np.zeros((len(products), len(codes))) for view in ("text", "image")}
    rows = list(products.itertuples())
    for start in range(0, len(rows), PIECE):
        inputs = [
            ProductInput(r.title, r.description, photos.read(r.photo) if r.photo else None)
            for r in rows[start : start + PIECE]
        ]
        for i, answer in enumerate(runtime.predict(inputs), start=start):
            places = [codes.index(c.code) for c in answer.classes]
            for view in found:
                if view in answer.probs:
                    found[view][i, places] = answer.probs[view]
    return found["text"], found["image"]


def shares(suspicion: np.ndarray, is_wrong: np.ndarray) -> dict[str, float]:
    """Return the share of the wrong labels within the first 5% and 10% of the products."""
    order = np.argsort(-suspicion, kind="stable")
    return {
        f"first_{percent}%": round(
            float(is_wrong[order[: len(order) * percent // 100]].sum() / is_wrong.sum()), 3
        )
        for percent in (5, 10)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="of a drawn demo")
    workspace = Workspace(parser.parse_args().home)
    settings = read_settings(workspace.home)
    products = read_catalogue(workspace, settings).products
    codes = sorted(set(products["label"]))
    labels = np.array([codes.index(code) for code in products["label"]])
    is_wrong = (products["label"] != products["_true_label"]).to_numpy()
    text, image = towers(workspace, products, codes)
    by_towers = suspicions(text, image, labels, text.any(axis=1), image.any(axis=1))
    model = load_runtime(workspace, settings, None).artifact.manifest.name
    columns = [products[name].tolist() for name in ("title", "description", "photo")]
    started = time.perf_counter()
    features = photo_features(workspace, settings, model)
    groups = products["group_id"].tolist()
    checked = cross_checked_suspicions(Checked(*columns, labels, groups), features)
    result = {
        "products": len(products),
        "wrong_labels": int(is_wrong.sum()),
        "towers": shares(by_towers, is_wrong),
        "checked_out_of_fold": shares(checked, is_wrong),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
