"""The check of labels reaches the queue."""

from queue_acts import add_model, make_shop
from sqlalchemy import select, update

from mmcore.services.queue import refresh
from mmcore.services.suspects import cross_check
from mmcore.store.tables import Prediction, Product

WORDS = ["piscine gonflable enfant", "roman policier poche", "console jeu manette"]


def test_wrong_labels_come_first_in_the_queue_of_suspects(store):
    """The model itself suspects nobody: it has learnt the wrong labels by heart."""
    true = {i: i % 3 + 1 for i in range(1, 61)}
    labels = {**true, 7: 3, 20: 2, 60: None}
    shop = make_shop(store, 60, labels)
    with store.writing() as session:
        for i, class_id in true.items():
            title = f"{WORDS[class_id - 1]} {i}"
            session.execute(update(Product).where(Product.id == i).values(title=title))
    add_model(store, 1, {i: (0.1, 0.9, 0.1, 0.0, labels[i]) for i in range(1, 61) if i != 9})
    report = cross_check(store, 1)
    assert (report.num_checked, report.has_photos) == (59, False)
    refresh(store, 1)
    assert set(shop.ids(shop.anna, "suspicion", 2)) == {7, 20}
    with store.reading() as session:
        rows = dict(session.execute(select(Prediction.product_id, Prediction.label_class_id)).all())
    assert 9 not in rows and rows[7] == 3 and rows[60] is None


def test_an_empty_catalogue_is_checked_in_no_time(store):
    make_shop(store, 0)
    assert cross_check(store, 1).num_checked == 0
