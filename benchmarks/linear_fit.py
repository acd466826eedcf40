"""The linear classifier against scikit-learn's, on texts of a drawn catalogue.

Ours chooses its strength; scikit-learn's `LogisticRegression` (lbfgs, to its usual tolerance) is
fitted once, with that strength. Told are their log-loss and macro-F1 on products that neither has
seen, and how long they took: ours for all its fits, scikit-learn's for one.

    PYTHONPATH=. python benchmarks/linear_fit.py --products 6000
    PYTHONPATH=. python benchmarks/linear_fit.py --csv shop.csv --label category
"""

import tempfile
import time
from pathlib import Path

import bench
import numpy as np
import pandas as pd
import training_catalogue
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from mmcore.linear_fit import LinearRows, fit_linear
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
    parser.add_argument("--ours-alone", action="store_true", help="without scikit-learn's")
    options = parser.parse_args()
    products = catalogue(options.csv, options.products)
    figures = compare(products, options.label, options.ours_alone)
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


def compare(products: pd.DataFrame, label: str, ours_alone: bool) -> dict:
    """Return the scores of both ways."""
    labels = np.unique(products[label], return_inverse=True)[1]
    num_classes, count = labels.max() + 1, len(labels)
    fit_end, judge_end = (round(share * count) for share in (SHARES[0], sum(SHARES)))
    fold = (np.arange(fit_end), np.arange(fit_end, judge_end))
    learnt, unseen = np.arange(judge_end), np.arange(judge_end, count)
    started = time.perf_counter()
    rows = fit_ngrams(COLUMNS, products.iloc[learnt]).encode(products)
    encoded_s = time.perf_counter() - started

    began = time.perf_counter()
    classifier = LinearRows(SparseBlocks([rows]), labels, num_classes)
    found = fit_linear(classifier, learnt, [fold])
    ours_s = time.perf_counter() - began

    def told(logits: np.ndarray, seconds: float) -> dict:
        log_probs = log_softmax(logits, axis=1)
        loss = -log_probs[np.arange(len(unseen)), labels[unseen]].mean()
        return {
            "seconds": round(seconds, 1),
            "log_loss_of_unseen": round(float(loss), 4),
            "macro_f1_of_unseen": round(macro_f1(labels[unseen], log_probs.argmax(axis=1)), 4),
        }

    ways = {"ours": told(rows[unseen] @ found.weights + found.bias, ours_s)}
    if not ours_alone:
        began = time.perf_counter()
        theirs = LogisticRegression(C=found.strength, max_iter=1000)
        theirs.fit(rows[learnt], labels[learnt])
        seconds = time.perf_counter() - began
        ways["scikit-learn"] = told(theirs.decision_function(rows[unseen]), seconds)
    return {
        "products": {"learnt": fit_end, "judging": judge_end - fit_end, "unseen": len(unseen)},
        "classes": int(num_classes),
        "ngrams": {"distinct": rows.shape[1], "a_product": round(rows.nnz / count)},
        "encoding_s": round(encoded_s, 1),
        "strength": found.strength,
        **ways,
    }


if __name__ == "__main__":
    main()
