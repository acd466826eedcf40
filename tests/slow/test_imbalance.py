"""27 classes of 65 products down to 5, one absent from val: nothing breaks, scores are sane."""

import csv

import numpy as np
import pandas as pd
import pytest

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.catalog.demo import draw_catalogue
from mmcore.config import RunChoices
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.services.prediction import load_runtime
from mmcore.services.training import train
from mmcore.settings import Settings
from mmcore.workspace import Workspace

LARGEST, SMALLEST = 65, 5
COLUMNS = CsvColumns(
    *("product_id", "title", "description", "image", "label"), split="split", group="product_id"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return workspace, settings, the class absent from val, and the run's end."""
    folder = tmp_path_factory.mktemp("imbalanced")
    drawn = draw_catalogue(folder / "drawn", products_per_class=LARGEST)
    with drawn.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    codes = sorted({row["label"] for row in rows}, key=int)
    sizes = np.geomspace(LARGEST, SMALLEST, len(codes)).round().astype(int)
    absent, chosen = codes[9], []
    for code, size in zip(codes, sizes, strict=True):
        for i, row in enumerate([r for r in rows if r["label"] == code][:size]):
            split = ("train", "train", "val", "test", "train")[i % 5]
            chosen.append({**row, "split": "train" if (code, split) == (absent, "val") else split})
    with (drawn.parent / "some.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(chosen[0]))
        writer.writeheader()
        writer.writerows(chosen)
    workspace = Workspace(folder / "home")
    settings = Settings(workspace.home, "cpu", 2, offline=True)
    with opened_store(workspace, settings) as store:
        actor = ensure_actor(store, "lea", "lead", 0.0)
        options = CsvImport(drawn.parent / "some.csv", COLUMNS, drawn.parent)
        import_csv(store, actor, workspace, options, 0.0)
    return workspace, settings, absent, list(train(workspace, settings, RunChoices(), "m1"))[-1]


def test_scores_are_sane(shop):
    test = shop[3].scores["test"]
    scores = {view: row["macro_f1"] for view, row in test.items() if row}
    assert scores["fused"] > 0.5 and scores["text"] > 0.3 and scores["image"] > 0.3, scores
    assert scores["fused"] >= max(scores["text"], scores["image"]) - 0.03, scores
    assert all(0 <= row["ece"] < 0.25 for row in test.values() if row)


def test_the_largest_class_does_not_swallow_the_others(shop):
    table = pd.read_parquet(shop[0].models / "m1" / "predictions.parquet")
    fused = table[(table["view"] == "fused") & (table["split"] == "test")]
    largest = fused["label"].value_counts()
    told = (fused["predicted"] == largest.index[0]).sum()
    assert told <= 2 * largest.iloc[0]
    assert fused["predicted"].nunique() > 20


def test_a_class_without_val_product_is_still_known(shop):
    workspace, settings, absent, _ = shop
    table = pd.read_parquet(workspace.models / "m1" / "predictions.parquet")
    assert absent not in set(table[table["split"] == "val"]["label"])
    of_class = table[(table["label"] == absent) & (table["view"] == "fused")]
    assert len(of_class) >= 5 and (of_class["predicted"] == absent).mean() > 0.4
    runtime = load_runtime(workspace, settings, "m1")
    assert absent in runtime.artifact.class_codes and len(runtime.artifact.class_codes) == 27
