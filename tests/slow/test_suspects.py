"""Of the drawn catalogue's planted wrong labels, the queue of suspects finds most at its start."""

from sqlalchemy import insert, select

from mmcore.catalog.products import load_catalogue
from mmcore.services.queue import refresh
from mmcore.services.suspects import cross_check, photo_features
from mmcore.settings import read_settings
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.queue import fill
from mmcore.store.tables import ModelVersion, Prediction, Product, ProductClass, QueueEntry


def fill_store(store, products):
    """Put a catalogue into a store, with predictions that suspect nobody."""
    codes = sorted(set(products["label"]))
    ids = {code: i for i, code in enumerate(codes, start=1)}
    with store.writing() as session:
        names = [
            {"id": i, "code": c, "name_fr": c, "name_en": c, "position": i} for c, i in ids.items()
        ]
        session.execute(insert(ProductClass), names)
        session.add(ModelVersion(id=1, name="m", stage="production", snapshot="", created_at=0))
        session.flush()
        rows, predictions = [], []
        for i, row in enumerate(products.itertuples(), start=1):
            rows.append(
                {
                    "id": i,
                    **{
                        name: getattr(row, name)
                        for name in Product.__table__.c.keys()
                        if name in TEXTS
                    },
                    "class_id": ids[row.label],
                    "random_rank": 0.5,
                    "created_at": 0.0,
                }
            )
            scores = dict.fromkeys(("margin", "entropy", "disagreement", "suspicion"), 0.0)
            predictions.append(
                {
                    **{"model_version_id": 1, "product_id": i, "fused_class_id": 1},
                    **{"fused_probability": 1.0, "label_class_id": ids[row.label], **scores},
                }
            )
        session.execute(insert(Product), rows)
        session.execute(insert(Prediction), predictions)
        fill(session)


TEXTS = ("product_id", "title", "description", "photo", "group_id", "split")


def test_a_tenth_of_the_catalogue_holds_most_of_its_wrong_labels(drawn, tmp_path):
    products = load_catalogue(drawn.catalogue_file).products
    is_wrong = (products["label"] != products["true_label"]).to_numpy()
    assert is_wrong.sum() >= 10
    store = Store(sqlite_url(tmp_path / "rayon.db"))
    migrate(store)
    fill_store(store, products)
    model = next(path.name for path in drawn.models.iterdir() if path.is_dir())
    features = photo_features(drawn, read_settings(drawn.home), model)
    report = cross_check(store, 1, features)
    assert report.has_photos and report.num_checked == len(products)
    refresh(store, 1, 0.0)
    with store.reading() as session:
        # the order in which the queue serves them
        by_suspicion = (QueueEntry.suspicion.desc(), QueueEntry.product_id.desc())
        served = session.scalars(
            select(QueueEntry.product_id)
            .where(QueueEntry.suspicion > 0)
            .order_by(*by_suspicion)
            .limit(len(products) // 10)
        ).all()
    store.close()
    assert len(served) == len(products) // 10
    assert sum(is_wrong[i - 1] for i in served) >= 0.6 * is_wrong.sum()
