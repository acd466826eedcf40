"""The whole way of a shop from the command line, on a drawn catalogue.

The same flow on a real one is `benchmarks/shop_flow.py CATALOGUE.csv`.
"""

import sys
from pathlib import Path

from mmcore.catalog.demo import draw_catalogue

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from shop_flow import Shop, run_flow  # noqa: E402

STEPS = {"import", "train", "activate", "annotate", "retrain", "compare", "switch", "rollback"}


def test_import_train_label_retrain_compare_activate_and_back(tmp_path):
    table = draw_catalogue(tmp_path / "drawn", products_per_class=8)
    shop = Shop(tmp_path / "home")
    words = [str(table), "--label", "label", "--images", str(table.parent)]
    with shop.worker():
        told = run_flow(shop, words, ["--epochs1", "3"], num_labels=100)
    assert told["annotations"] == 100 and told["products"] > 200
    assert told["started_from"] == "first", "without a wish a retrain starts from production"
    assert STEPS <= set(shop.taken)
