"""Of the drawn catalogue's planted wrong labels, the queue of suspects finds most at its start."""

import time

from sqlalchemy import select

from mmcore.cli.app import main
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.labelling import Seen, label
from mmcore.services.opening import opened_store
from mmcore.services.people import ensure_actor
from mmcore.services.queue import QueueChoice, next_product
from mmcore.settings import read_settings
from mmcore.store.tables import Product

FIRST_SHARE = 0.1  # of the catalogue
FOUND_SHARE = 0.6  # of its wrong labels


def test_a_tenth_of_the_catalogue_holds_most_of_its_wrong_labels(drawn, monkeypatch):
    monkeypatch.setattr("mmcore.jobs.local.start_worker", lambda *arguments: None)
    settings = read_settings(drawn.home)
    model = next(path.name for path in drawn.models.iterdir() if path.is_dir())
    assert main(["models", "activate", model, "--yes", "--home", str(drawn.home)]) == 0
    assert main(["worker", "--once", "--home", str(drawn.home)]) == 0  # predicts, checks labels
    with opened_store(drawn, settings) as store:
        products = load_catalogue(store).products.set_index("product_id")
        is_wrong = products["label"] != products["_true_label"]
        assert is_wrong.sum() >= 10
        lead = ensure_actor(store, "lead", "lead", time.time())
        served: list[str] = []
        with store.reading() as session:
            names = dict(session.execute(select(Product.id, Product.product_id)).all())
        while len(served) < len(products) * FIRST_SHARE:
            item = next_product(store, lead, QueueChoice("suspicion"), time.time())
            assert item is not None, f"the queue of suspects ends after {len(served)} products"
            served.append(names[item.id])
            seen = Seen(item.id, item.version, item.token)
            label(store, lead, seen, item.label, time.time())  # it stays as it was
    found = is_wrong[served].sum()
    assert found >= FOUND_SHARE * is_wrong.sum(), f"{found} of {is_wrong.sum()} found"
