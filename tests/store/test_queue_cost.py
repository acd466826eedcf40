"""The next product costs the same however large the catalogue is and whatever one has done in it.

Cost is counted in steps of SQLite's virtual machine: the same on every machine, however busy.
"""

import re

import pytest
from queue_acts import add_model, add_products, make_shop, scores_of_any

from mmcore.services.queue import MIX, QueueChoice, next_product, refresh
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.queue import fill
from mmcore.store.queue_next import ORDERS, _for_person, _walk

SMALL, LARGE = 60, 3_000
CHOICES = {
    **{order: QueueChoice(order) for order in (MIX, *ORDERS)},
    "unlabelled": QueueChoice("random", only="unlabelled"),
    "class": QueueChoice("disagreement", class_code="40"),
}


def catalogue(folder, num_products):
    folder.mkdir()
    store = Store(sqlite_url(folder / "rayon.db"))
    migrate(store)
    labels = {i: i % 3 + 1 for i in range(1, num_products + 1) if i % 4}
    shop = make_shop(store, num_products, labels)
    add_model(store, 1, {i: scores_of_any(i, labels.get(i)) for i in range(1, num_products + 1)})
    refresh(store, 1)
    return shop


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """Return a small and a large catalogue."""
    folder = tmp_path_factory.mktemp("cost")
    made = [catalogue(folder / str(size), size) for size in (SMALL, LARGE)]
    yield made
    for shop in made:
        shop.store.close()


def steps(shop, actor, choice):
    """Return how many steps the database takes for the next product."""
    counted = 0

    def count():
        nonlocal counted
        counted += 1
        return 0

    connections = []
    with shop.store.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.set_progress_handler(count, 1)
        connections.append(raw)
    item = next_product(shop.store, actor, choice, shop.now)
    raw.set_progress_handler(None, 1)
    assert item is not None and counted > 50, "the steps of another connection were counted"
    shop.act(actor, [item.id], "skip")
    return counted


@pytest.mark.parametrize("name", CHOICES)
def test_a_fifty_times_larger_catalogue_costs_the_same(shops, name):
    costs = []
    for shop in shops:
        shop.now += 1
        costs.append(min(steps(shop, shop.anna, CHOICES[name]) for _ in range(3)))
    assert costs[1] < 1.5 * costs[0]


def test_what_one_has_skipped_and_decided_is_not_walked_over(tmp_path):
    shop = catalogue(tmp_path / "a", 2_000)
    shop.settings(overlap_share=1.0)
    choice = QueueChoice("newest")
    fresh = steps(shop, shop.ben, choice)
    # one act each, which is quicker to make than a thousand
    shop.label(shop.anna, *range(1_001, 2_001, 2))
    shop.skip(shop.anna, *range(1_002, 2_001, 2))
    after = steps(shop, shop.anna, choice)
    shop.store.close()
    assert after < 1.5 * fresh


def test_filling_a_queue_later_costs_the_same_too(tmp_path):
    """Rows that come in after the statements were planned are found by the same walk."""
    shop = catalogue(tmp_path / "a", 100)
    before = steps(shop, shop.anna, QueueChoice("newest"))
    with shop.store.writing() as session:
        add_products(session, range(101, 2_101), {})
        fill(session)
    assert steps(shop, shop.anna, QueueChoice("newest")) < 1.5 * before
    shop.store.close()


def test_postgresql_walks_the_order_s_own_index_from_its_end(store):
    """Also with statistics, and for audiences that have nothing: no plan reads the whole queue."""
    if store.is_sqlite:
        pytest.skip("counted in steps above")
    shop = make_shop(store, LARGE, {i: i % 3 + 1 for i in range(1, LARGE + 1) if i % 4})
    add_model(store, 1, {i: scores_of_any(i, i % 3 + 1) for i in range(1, LARGE + 1)})
    refresh(store, 1)
    values = {"annotator": shop.anna.id, "now": shop.now, "class_key": 2}
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        for order in ORDERS:
            for has_class in (False, True):
                walk = _walk("postgresql", order, has_class, _for_person)
                compiled = walk.compile(dialect=connection.dialect)
                explain = f"EXPLAIN ANALYZE {compiled}"
                rows = connection.exec_driver_sql(explain, {**compiled.params, **values})
                plan = "\n".join(row[0] for row in rows)
                assert "Index Scan Backward using ix_queue_entry_" in plan, plan
                removed = [int(n) for n in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
                assert sum(removed) < 100, plan
