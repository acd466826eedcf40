"""Products and predictions put straight into the tables."""

from sqlalchemy import insert, select

from mmcore.store.tables import ModelVersion, Prediction, Product, ProductClass

CODES = ("10", "20", "30")


def add_classes(store, codes=CODES):
    """Return code -> id, added where they are not yet."""
    with store.writing() as session:
        known = set(session.scalars(select(ProductClass.code)))
        for i, code in enumerate(codes):
            if code not in known:
                session.add(ProductClass(code=code, name_fr=code, name_en=code, position=i))
        session.flush()
        return dict(session.execute(select(ProductClass.code, ProductClass.id)).all())


def add_products(store, num, split="test", **columns):
    """Return the row ids of new products, labelled with each class in turn.

    Args:
        columns: name -> function of the product's number.
    """
    classes = list(add_classes(store).values())
    with store.writing() as session:
        first = len(session.scalars(select(Product.id)).all())
        rows = [
            {
                "product_id": f"p{first + i}",
                "title": f"titre {i}",
                "description": "",
                "search_text": "",
                "photo": "",
                "photo_hash": "",
                "group_id": f"g{first + i}",
                "split": split if isinstance(split, str) else split(i),
                "extra": {},
                "class_id": classes[i % len(classes)],
                "version": 0,
                "is_flagged": False,
                "random_rank": i / num,
                "created_at": 0.0,
                **{name: value(i) for name, value in columns.items()},
            }
            for i in range(num)
        ]
        session.execute(insert(Product), rows)
        ids = select(Product.id).order_by(Product.id).offset(first)
        return list(session.scalars(ids))


def add_predictions(store, version_id, product_ids, **columns):
    """Store one row a product; by default every view says the first class with 0.9."""
    first = next(iter(add_classes(store).values()))
    rows = [
        {
            "model_version_id": version_id,
            "product_id": product_id,
            "fused_class_id": first,
            "fused_probability": 0.9,
            "text_class_id": first,
            "text_probability": 0.9,
            "image_class_id": None,
            "image_probability": None,
            "margin": 0.8,
            "entropy": 0.1,
            "disagreement": 0.0,
            "suspicion": 0.0,
            "label_class_id": first,
            "top": {},
            **{name: value(i) for name, value in columns.items()},
        }
        for i, product_id in enumerate(product_ids)
    ]
    with store.writing() as session:
        session.execute(insert(Prediction), rows)


def add_version(store, name="v", **columns):
    """Return the id of a new model version, registered by nothing but its row."""
    with store.writing() as session:
        version = ModelVersion(**{"name": name, "snapshot": "s", "created_at": 0.0, **columns})
        session.add(version)
        session.flush()
        return version.id
