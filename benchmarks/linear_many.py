"""The linear classifier for many products against the exact one, on texts of a drawn catalogue.

Both fit the same n-grams with the same strengths to choose from; told are their log-loss and
macro-F1 on products that neither has seen, and how long they took. The exact one works on the
products' Gram matrix, whose cost grows with the cube of their number.

    PYTHONPATH=. python benchmarks/linear_many.py --products 6000
    PYTHONPATH=. python benchmarks/linear_many.py --csv shop.csv --label category
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bench
import numpy as np
import pandas as pd
import training_catalogue
from scipy.special import log_softmax

from mmcore.linear_fit import LinearFit, fit_linear
from mmcore.linear_many import ManyRows, fit_many
from mmcore.metrics import macro_f1
from mmcore.ngrams import fit_ngrams
from mmcore.row_blocks import SparseBlocks

COLUMNS = ("title", "description")
SHARES = (0.6, 0.2)  # learnt from, and judging the strength; the others are unseen


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--products", type=int, default=3_000, help="of all, or of the CSV file")
    parser.add_argument("--csv", type=Path, help="a catalogue instead of a drawn one")
    parser.add_argument("--label", default="label", help="its column of the class")
    parser.add_argument("--only-many", action="store_true", help="without the exact one")
    options = parser.parse_args()
    products = catalogue(options.csv, options.products)
    figures = compare(products, options.label, options.only_many)
    facts = (f"{len(products)}-products", options.csv.parent.name if options.csv else "drawn")
    bench.report(__file__, figures, facts, options.keep)


def catalogue(path: Path | None, num_products: int) -> pd.DataFrame:
    """Return products in a drawn order."""
    if path is None:
        with tempfile.TemporaryDirectory() as folder:
            training_catalogue.draw(Path(folder), num_products, with_photos=False)
            products = pd.read_csv(Path(folder) / "products.csv", dtype=str).fillna("")
    else:
        products = pd.read_csv(path, dtype=str).fillna("")
    return products.sample(frac=1, random_state=0).head(num_products).reset_index(drop=True)


def compare(products: pd.DataFrame, label: str, only_many: bool) -> dict:
    """Return the scores of both ways."""
    labels = np.unique(products[label], return_inverse=True)[1]
    num_classes, count = labels.max() + 1, len(labels)
    fit_end, judge_end = (round(share * count) for share in (SHARES[0], sum(SHARES)))
    fold = (np.arange(fit_end), np.arange(fit_end, judge_end))
    learnt, unseen = np.arange(judge_end), np.arange(judge_end, count)
    started = time.perf_counter()
    rows = fit_ngrams(COLUMNS, products.iloc[learnt]).encode(products)
    encoded_s = time.perf_counter() - started

    def many() -> LinearFit:
        return fit_many(ManyRows(SparseBlocks([rows]), labels, num_classes), learnt, [fold])

    def exact() -> LinearFit:
        return fit_linear(rows[learnt], labels[learnt], num_classes, [fold])

    def told(way: Callable[[], LinearFit]) -> dict:
        began = time.perf_counter()
        found = way()
        seconds = time.perf_counter() - began
        log_probs = log_softmax(rows[unseen] @ found.weights + found.bias, axis=1)
        loss = -log_probs[np.arange(len(unseen)), labels[unseen]].mean()
        return {
            "seconds": round(seconds, 1),
            "strength": found.strength,
            "log_loss_of_judging": round(found.log_loss, 4),
            "log_loss_of_unseen": round(float(loss), 4),
            "macro_f1_of_unseen": round(macro_f1(labels[unseen], log_probs.argmax(axis=1)), 4),
        }

    ways = {"many": many} if only_many else {"many": many, "exact": exact}
    return {
        "products": {"learnt": fit_end, "judging": judge_end - fit_end, "unseen": len(unseen)},
        "classes": int(num_classes),
        "ngrams": {"distinct": rows.shape[1], "a_product": round(rows.nnz / count)},
        "encoding_s": round(encoded_s, 1),
        **{name: told(way) for name, way in ways.items()},
    }


if __name__ == "__main__":
    main()
