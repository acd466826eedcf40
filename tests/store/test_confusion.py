"""Which class is taken for which: counted and listed as a loop in Python would have it."""

from collections import Counter

import numpy as np
import pytest
from sqlalchemy import update
from store_rows import add_classes, add_predictions, add_products, add_version

from mmcore.errors import ConfigError, NotFoundError
from mmcore.services.confusion import confusion, list_confused
from mmcore.store.tables import ProductClass

NUM = 60


@pytest.fixture
def judged(store):
    """Return product id -> (label, answer) as codes, of the test products that count."""
    ids = add_classes(store)
    draw = np.random.default_rng(3)
    codes = list(ids)
    labels = [None if i % 7 == 0 else str(draw.choice(codes)) for i in range(NUM)]
    answers = [str(draw.choice(codes)) for _ in range(NUM)]
    products = add_products(
        store,
        NUM,
        split=lambda i: "test" if i % 3 else "train",
        class_id=lambda i: labels[i] and ids[labels[i]],
    )
    add_predictions(store, add_version(store), products, fused_class_id=lambda i: ids[answers[i]])
    return {
        product: (labels[i], answers[i])
        for i, product in enumerate(products)
        if i % 3 and labels[i]
    }


def test_cells_are_those_of_a_loop(store, judged):
    found = confusion(store, "v")
    assert {(c.label, c.answer): c.count for c in found.cells} == Counter(judged.values())
    assert found.num_products == len(judged)
    by_label = Counter(label for label, _ in judged.values())
    for cell in found.cells:
        assert cell.share == pytest.approx(cell.count / by_label[cell.label])
        assert cell.is_right == (cell.label == cell.answer)


def test_pages_of_a_cell_hold_each_of_its_products_once(store, judged):
    pair = Counter(judged.values()).most_common(1)[0][0]
    seen, after = [], 0
    while page := list_confused(store, "v", ("fused", "test"), pair, after, limit=2):
        seen += [row.id for row in page]
        after = page[-1].id
    assert seen == sorted(p for p, found in judged.items() if found == pair)


def test_a_merged_class_counts_as_what_it_became(store, judged):
    ids = add_classes(store)
    with store.writing() as session:
        merged = update(ProductClass).where(ProductClass.code == "30")
        session.execute(merged.values(merged_into_id=ids["10"], is_archived=True))
    answers = {cell.answer for cell in confusion(store, "v").cells}
    assert answers == {"10", "20"}


def test_a_view_without_answers_is_empty(store, judged):
    assert confusion(store, "v", "image").cells == ()


def test_what_is_not_there_is_named(store, judged):
    with pytest.raises(ConfigError, match="'sound' is unknown; use one of fused, text, image"):
        confusion(store, "v", "sound")
    with pytest.raises(NotFoundError, match="there is no class '99'"):
        list_confused(store, "v", ("fused", "test"), ("99", "10"))
    with pytest.raises(ConfigError, match="limit is 0; it must lie from 1 to"):
        list_confused(store, "v", ("fused", "test"), ("10", "10"), limit=0)
