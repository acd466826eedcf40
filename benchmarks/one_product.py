"""How long one product takes on a loaded model: both modalities, and why.

python benchmarks/one_product.py [products.csv IMAGES] [--preset strong]
    [--backbone efficientnet_lite0] [--times 200]

Timed are `Runtime.predict_one` from the bytes of a 500 x 500 JPEG and the words, and the same with
`answers.answer` and `why.explain_views`, which is what the Predict screen shows.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd
import torch
from bench import parser, percentiles, report
from bench_shop import add_catalogue, make_photos, train_quickly

from mmcore.artifact import load_artifact
from mmcore.runtime import ProductInput, Runtime
from mmcore.services.answers import answer
from mmcore.services.why import explain_views

WARM_UP = 5


def main() -> None:
    options = parser(__doc__)
    add_catalogue(options)
    options.add_argument("--photos", type=int, default=256, help="to learn from and to ask about")
    options.add_argument("--preset", default="strong")
    options.add_argument("--backbone", default="efficientnet_lite0")
    options.add_argument("--times", type=int, default=200)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), arguments)
    report(__file__, figures, (arguments.preset, arguments.backbone), arguments.keep)


def measure(folder: Path, arguments: argparse.Namespace) -> dict:
    """Return the waits for an answer, and for an answer with its reasons."""
    table = make_photos(folder, arguments.photos, arguments.products, arguments.images)
    model = train_quickly(folder / "home", table, arguments.preset, arguments.backbone)
    runtime = Runtime(load_artifact(model), torch.device("cpu"))
    rows = pd.read_csv(table, dtype=str, keep_default_na=False).itertuples()
    asked = [
        ProductInput(row.title, row.description, (folder / row.image_path).read_bytes())
        for row in rows
    ]

    def with_reasons(product: ProductInput) -> None:
        explain_views(runtime, product, answer(runtime, product))

    return {
        "words_a_product": round(sum(len(p.title.split()) for p in asked) / len(asked), 1),
        "answer": waits(runtime.predict_one, asked, arguments.times),
        "answer with reasons": waits(with_reasons, asked, max(20, arguments.times // 5)),
    }


def waits(run, asked: list[ProductInput], times: int) -> dict:
    """Return the spread of how long a call takes, warm, over products in turn."""
    found = []
    for number in range(-WARM_UP, times):
        started = time.perf_counter()
        run(asked[number % len(asked)])
        if number >= 0:
            found.append(time.perf_counter() - started)
    return percentiles(found)


if __name__ == "__main__":
    main()
