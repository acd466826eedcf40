"""What it costs to bring the queue in line with a new model, in full and little by little, by size.

    PYTHONPATH=. python benchmarks/queue_refresh.py [--sizes 1000 10000 100000] [--check-labels]

Each size has a made-up workspace of its own whose photo features are cached. A new model version is
activated: it predicts every product, and the queue is refreshed, while another process labels one
product after the other; its longest wait is told. Then 100 labels are given, and 1,000 products
imported, and the same is done again. The network's time (encoding, logits, views) is told apart
from that of the database.
"""

import argparse
import multiprocessing
import os
import secrets
import tempfile
import time
from pathlib import Path

import bench
import numpy as np
from made_shop import PERSON, MadeShop, add_model, make_shop, photo_names, product_rows
from queue_label import label
from sqlalchemy import func, insert, select

from mmcore.services import predictions, queue
from mmcore.services.people import Actor, ensure_actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.store.acts import NewAct, begin_act
from mmcore.store.engine import Store
from mmcore.store.queue import settle
from mmcore.store.tables import Product

SPAWN = multiprocessing.get_context("spawn")
PAUSE_S = 0.1  # a quick person takes longer
NUM_LABELS, NUM_NEW = 100, 1_000


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--check-labels", action="store_true", help="cross-check them, too: slow")
    parser.add_argument(
        "--second-model", action="store_true", help="another one is activated at the end, too"
    )
    options = parser.parse_args()
    found = {size: measure(size, options) for size in options.sizes}
    facts = (f"{max(options.sizes)}-products",)
    bench.report(__file__, {"products": found}, facts, options.keep)


def measure(num_products: int, options: argparse.Namespace) -> dict:
    """Return the figures of one size."""
    checks_labels = options.check_labels
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        shop = make_shop(Path(folder) / "home", num_products, "features")
        lead = ensure_actor(shop.store, PERSON, "admin", 0.0)
        alone = Labeller(shop, lead)
        time.sleep(min(10, max(3, num_products / 10_000)))
        figures = {"waits_before": alone.end()}
        figures["full"] = refreshed(shop, lead, checks_labels)
        give_labels(shop.store, lead)
        figures[f"after_{NUM_LABELS}_labels"] = refreshed(shop, lead, checks_labels)
        import_products(shop.store, lead, num_products)
        figures[f"after_{NUM_NEW}_new_products"] = refreshed(shop, lead, checks_labels)
        if options.second_model:
            keys = photo_names(num_products)
            version_id = add_model(shop.workspace, shop.settings, shop.store, keys[:1], "m2")
            shop = MadeShop(shop.workspace, shop.settings, shop.store, version_id)
            figures["full_with_an_older_model"] = refreshed(shop, lead, checks_labels)
        shop.store.close()
    return figures


def refreshed(shop: MadeShop, lead: Actor, checks_labels: bool) -> dict:
    """Return what predicting what is missing and refreshing the queue took, and who waited."""
    labeller = Labeller(shop, lead)
    network, storing = Timed("_predict"), Timed("_store")
    started = time.perf_counter()
    report = predictions.predict_missing(
        shop.store, shop.workspace, shop.settings, shop.version_id, checks_labels=checks_labels
    )
    predicted = time.perf_counter()
    queue.refresh(shop.store, shop.version_id)
    ended = time.perf_counter()
    network.undo(), storing.undo()
    return {
        "num_predicted": report.num_predicted,
        "predicting_s": round(predicted - started, 2),
        "of_which_network_s": round(network.seconds, 2),
        "of_which_storing_s": round(storing.seconds, 2),
        "refreshing_queue_s": round(ended - predicted, 2),
        "waits_meanwhile": labeller.end(),
    }


class Timed:
    """Adds up the seconds spent in a method of the predictor."""

    def __init__(self, name: str) -> None:
        self.seconds, self._name = 0.0, name
        self._method = method = getattr(predictions._Predictor, name)

        def timed(*arguments):
            started = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - started

        setattr(predictions._Predictor, name, timed)

    def undo(self) -> None:
        """Put the method back."""
        setattr(predictions._Predictor, self._name, self._method)


class Labeller:
    """A person in a process of their own, who labels until told to end."""

    def __init__(self, shop: MadeShop, actor: Actor) -> None:
        self._end, self._waits, started = SPAWN.Event(), SPAWN.Queue(), SPAWN.Event()
        arguments = (shop.store.url, actor, started, self._end, self._waits)
        self._process = SPAWN.Process(target=work, args=arguments)
        self._process.start()
        started.wait(60)

    def end(self) -> dict:
        """Return the spread of the waits: a label, and the next product."""
        self._end.set()
        waits = self._waits.get()
        self._process.join()
        return bench.percentiles(waits)


def work(url: str, actor: Actor, started, end, results) -> None:
    """Label until the end, and hand over the seconds of each label with its next product."""
    store, waits = Store(url), []
    item = next_product(store, actor, QueueChoice(), time.time())
    started.set()
    while not end.is_set() or not waits:
        asked = time.perf_counter()
        label(store, actor, item, time.time())
        item = next_product(store, actor, QueueChoice(), time.time())
        waits.append(time.perf_counter() - asked)
        time.sleep(PAUSE_S)
    queue.release(store, actor)
    store.close()
    results.put(waits)


def give_labels(store: Store, actor: Actor) -> None:
    """Label the next products of the queue."""
    for _ in range(NUM_LABELS):
        item = next_product(store, actor, QueueChoice(), time.time())
        label(store, actor, item, time.time())


def import_products(store: Store, actor: Actor, num_before: int) -> None:
    """Put new products into the catalogue and the queue, as an import does."""
    keys, draw = photo_names(num_before), np.random.default_rng(9)
    with store.writing() as session:
        first = session.scalar(select(func.max(Product.id))) + 1
        for rows in product_rows(NUM_NEW, keys, draw, first):
            session.execute(insert(Product), rows)
        token = secrets.token_hex(8)
        act_id = begin_act(session, NewAct("import", "import", actor.id, token, {}, 0.0))
        settle(session, act_id, 0.0)


if __name__ == "__main__":
    main()
