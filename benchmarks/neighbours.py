"""How long it takes to find the products most like one, and to read a catalogue for it, by size.

    PYTHONPATH=. python benchmarks/neighbours.py [--sizes 1000 10000 100000] [--questions 60]

Each size has a made-up workspace of its own, every product with words and most with a photo of
their own whose features are cached. The question is asked by the index (n-grams turned round on the
disk, features mapped) and, in turn with it, the plain way: products of whole matrices in memory.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import bench
import numpy as np
from made_shop import MODEL, make_shop, photo_bytes
from scipy import sparse

from mmcore.features import open_cache
from mmcore.runtime import ProductInput
from mmcore.services.neighbour_texts import text_encoder
from mmcore.services.neighbours import NeighbourIndex, build_index, plan_of
from mmcore.services.prediction import load_runtime

COUNT = 48  # products asked for: what twelve labelled ones are looked for among


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--questions", type=int, default=60)
    options = parser.parse_args()
    found = {size: measure(size, options.questions) for size in options.sizes}
    facts = (f"{max(options.sizes)}-products",)
    bench.report(__file__, {"products": found}, facts, options.keep)


def measure(num_products: int, num_questions: int) -> dict:
    """Return the waits at one size, and what reading the catalogue takes."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        shop = make_shop(Path(folder) / "home", num_products, "features")
        runtime = load_runtime(shop.workspace, shop.settings, MODEL)
        reading = bench.seconds(lambda: read_elsewhere(shop.workspace.home))
        before = own_mb()
        opening = bench.seconds(lambda: build_index(runtime, shop.store, shop.workspace))
        index = build_index(runtime, shop.store, shop.workspace)
        figures = {
            "reading_texts_s": round(reading, 1),
            "texts_on_disk_mb": size_mb(shop.workspace.cache / "neighbours"),
            "opening_s": round(opening, 2),
            "one_product_changed_s": round(bench.seconds(lambda: change(shop, runtime)), 2),
        }
        figures |= questions(shop, index, num_products, num_questions)
        # without the pages of files, which the system takes back where memory is short
        figures["memory_of_its_own_mb"] = own_mb() - before
        figures |= against_matrices(shop, runtime, index, num_products)
        shop.store.close()
    return figures


def read_elsewhere(home: Path) -> None:
    """Read the texts as the app does: in a process of its own."""
    command = [sys.executable, "-m", "mmcore.services.neighbour_texts", str(home), MODEL]
    subprocess.run(command, check=True)


def own_mb() -> int:
    """Return the memory of this process that no file stands behind (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) // 1024


def size_mb(folder: Path) -> int:
    """Return what the files of a folder take of the disk."""
    return sum(path.stat().st_size for path in folder.rglob("*.npy")) // 2**20


def change(shop, runtime) -> NeighbourIndex:
    """Return the index after an import has changed one text."""
    with shop.store.writing() as session:
        session.connection().exec_driver_sql("UPDATE product SET title = 'neuf' WHERE id = 77")
    return build_index(runtime, shop.store, shop.workspace)


def questions(shop, index: NeighbourIndex, num_products: int, num: int) -> dict:
    """Return the waits for products of the catalogue, and for texts that are none."""
    numbers = np.random.default_rng(3).integers(1, num_products, num)
    waits: dict[str, list[float]] = {}
    photo = photo_bytes(np.random.default_rng(5))
    with shop.store.reading() as session:
        query = "SELECT title, description FROM product WHERE id = ?"
        connection = session.connection()
        texts = [connection.exec_driver_sql(query, (int(n),)).one() for n in numbers]
    for number, (title, description) in zip(numbers, texts, strict=True):
        given = ProductInput(title + " neuf", description)
        asked = {
            "like_product": lambda n=number: index.like_product(f"ref-{n}", COUNT),
            "like_input": lambda given=given: index.like_input(given, COUNT),
            "like_input_with_photo": lambda given=given: index.like_input(
                replace(given, photo=photo), COUNT
            ),
        }
        for name, ask in asked.items():
            waits.setdefault(name, []).append(bench.seconds(ask))
    return {name: bench.percentiles(found) for name, found in waits.items()}


def against_matrices(shop, runtime, index: NeighbourIndex, num_products: int) -> dict:
    """Return how much longer whole matrices take, and whether both find the same."""
    plain = Plain(shop, runtime, index)
    ratios, differences = [], []
    for number in np.random.default_rng(4).integers(1, num_products, 10):
        name = f"ref-{number}"
        started = time.perf_counter()
        found = index.like_product(name, COUNT)
        between = time.perf_counter()
        expected = plain.like_product(name, COUNT)
        ratios.append((time.perf_counter() - between) / (between - started))
        differences.append(np.abs(np.array([n.likeness for n in found]) - expected).max())
    return {
        "matrices_take_times_as_long": round(statistics.median(ratios), 2),
        "largest_difference_of_likeness": float(f"{max(differences):.1g}"),
        "memory_of_matrices_mb": plain.num_bytes // 2**20,
    }


class Plain:
    """The whole catalogue as matrices in memory."""

    def __init__(self, shop, runtime, index: NeighbourIndex) -> None:
        segments = [segment._turned.T.tocsr() for segment in index._segments]
        self.texts = sparse.csr_array(sparse.vstack(segments, format="csr"))
        cache = open_cache(shop.workspace.cache, runtime.artifact.model.image_tower.backbone)
        plan = plan_of(runtime, shop.store, shop.workspace)
        self.has = np.array([key in cache for key in plan.photos])
        features = cache.gather(plan.photos).astype(np.float32)
        features -= features[self.has].mean(axis=0)
        features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
        self.photos = features
        self.places = {name: i for i, name in enumerate(plan.product_ids)}
        assert text_encoder(runtime.artifact) is not None
        self.num_bytes = features.nbytes + self.texts.data.nbytes + self.texts.indices.nbytes

    def like_product(self, name: str, count: int) -> np.ndarray:
        """Return the likeness of the products most like one, without itself."""
        at = self.places[name]
        total = np.clip((self.texts @ self.texts[[at]].T).toarray()[:, 0], 0, 1)
        parts = np.ones(len(total), np.float32)
        if self.has[at]:
            total = total + np.where(self.has, np.clip(self.photos @ self.photos[at], 0, 1), 0)
            parts = parts + self.has
        likeness = total / parts
        likeness[at] = -1
        return np.sort(likeness[np.argpartition(-likeness, count)[:count]])[::-1]


if __name__ == "__main__":
    main()
