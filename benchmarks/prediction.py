"""From JPEG files to fused probabilities: photos a second, beside the bare backbone and Keras.

python benchmarks/prediction.py [products.csv IMAGES] [--photos 512] [--rounds 5]
    [--preset seed --backbone mobilenet_v2] [--keras-python PYTHON --keras-seed FILE]

Photos are JPEG files of 500 x 500, texts those of the catalogue (drawn ones without it). Timed
are: the whole path, `Runtime.stream` from files on disk to every view's probabilities; the same
path with the backbone in integers, and under PyTorch; the bare backbone under ONNX Runtime over
pixels that lie in memory, with spinning threads, as its own default has it, at two batch sizes.
Keras is the peer's own script, its line "predict", in a process of its own before and after.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import torch
from bench import pairs, parser, report, seconds
from bench_shop import add_catalogue, make_photos, train_quickly

from mmcore.artifact import Artifact, load_artifact
from mmcore.engines import TorchEngine
from mmcore.images import decode_file
from mmcore.onnx_export import BACKBONE_FILE
from mmcore.quantizing import quantize_backbone
from mmcore.runtime import PIECE, ProductInput, Runtime

CPU = torch.device("cpu")
BARE_BATCHES = (8, 32)
CALIBRATED = 32  # photos on which the ranges of integers are found


def main() -> None:
    options = parser(__doc__)
    add_catalogue(options)
    options.add_argument("--photos", type=int, default=512)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--preset", default="seed")
    options.add_argument("--backbone", default="mobilenet_v2")
    options.add_argument("--keras-python", type=Path, help="of an environment with TensorFlow")
    options.add_argument("--keras-seed", type=Path, help="the peer's script")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), arguments)
    facts = (arguments.preset, arguments.backbone, f"{arguments.photos}-photos")
    report(__file__, figures, facts, arguments.keep)


def measure(folder: Path, arguments: argparse.Namespace) -> dict:
    """Return photos a second by way, and their ratios."""
    table = make_photos(folder, arguments.photos, arguments.products, arguments.images)
    model = train_quickly(folder / "home", table, arguments.preset, arguments.backbone)
    runtime, torch_runtime = Runtime(load_artifact(model), CPU), Runtime(load_artifact(model), CPU)
    torch_runtime.engine = TorchEngine(torch_runtime.artifact.model)
    products = pd.read_csv(table, dtype=str, keep_default_na=False)
    int8_runtime = Runtime(in_integers(load_artifact(model), products, folder), CPU)
    rate = len(products)
    ways = {
        "whole path": lambda: rate / seconds(lambda: list(runtime.stream(read(products, folder)))),
        "whole path, backbone in integers": lambda: (
            rate / seconds(lambda: list(int8_runtime.stream(read(products, folder))))
        ),
        "whole path under PyTorch": lambda: (
            rate / seconds(lambda: list(torch_runtime.stream(read(products, folder))))
        ),
    }
    bare = (model / BACKBONE_FILE).read_bytes()
    for size in BARE_BATCHES:
        ways[f"bare backbone, batch {size}"] = bare_rate(bare, size, arguments.photos)
    keras = [keras_rate(table, arguments)]
    for run in ways.values():
        run()  # the first one allocates
    figures = {"photos_per_second": pairs(ways, arguments.rounds)}
    keras.append(keras_rate(table, arguments))
    if keras[0] is not None:
        whole = figures["photos_per_second"]["whole path"]["median"]
        figures["keras_predict_photos_per_second"] = keras
        figures["whole path / Keras"] = round(whole / float(np.mean(keras)), 2)
    return figures


def in_integers(artifact: Artifact, products: pd.DataFrame, folder: Path) -> Artifact:
    """Return the model with its backbone in 8-bit integers, as `models int8` makes it."""
    photos = [decode_file(folder / name) for name in products["image_path"][:CALIBRATED]]
    graph = quantize_backbone(artifact.graphs[BACKBONE_FILE], photos)
    return replace(artifact, graphs={**artifact.graphs, BACKBONE_FILE: graph})


def read(products: pd.DataFrame, folder: Path) -> Iterator[list[ProductInput]]:
    """Yield the products in pieces, their photos read from disk."""
    rows = products[["title", "description", "image_path"]].itertuples(index=False)
    given = (ProductInput(t, d, (folder / image).read_bytes()) for t, d, image in rows)
    while piece := [product for _, product in zip(range(PIECE), given, strict=False)]:
        yield piece


def bare_rate(graph: bytes, batch: int, count: int):
    """Return what measures the backbone's photos a second."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (batch, 224, 224, 3), np.uint8)
    passes = max(1, count // batch)

    def run() -> float:
        spent = seconds(lambda: [session.run(None, {"pixels": pixels}) for _ in range(passes)])
        return passes * batch / spent

    return run


def keras_rate(table: Path, arguments: argparse.Namespace) -> float | None:
    """Return the photos a second of the peer's prediction, None where it isn't at hand."""
    if arguments.keras_python is None:
        return None
    script = [str(arguments.keras_python), str(arguments.keras_seed)]
    words = [str(table), str(table.parent), str(min(arguments.photos, 256)), "1"]
    done = subprocess.run([*script, *words], capture_output=True, text=True, check=False)
    found = re.search(r"predict images/s ([\d.]+)", done.stdout)
    if found is None:
        sys.exit(f"the peer ended with {done.returncode}: {done.stderr[-2000:]}")
    return float(found[1])


if __name__ == "__main__":
    main()
