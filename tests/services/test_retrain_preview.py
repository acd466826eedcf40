"""What a retrain would learn from: counts, the classes that get little, what stands in the way."""

import pytest
from app_shop import open_app_shop
from sqlalchemy import delete, update

from mmcore.services.retrain_preview import preview
from mmcore.services.training_data import MIN_TRAIN
from mmcore.store.tables import ModelVersion, Prediction, Product, StageChange


@pytest.fixture
def shop(tmp_path):
    shop = open_app_shop(tmp_path / "home")
    yield shop
    shop.store.close()


def change(shop, statement):
    with shop.store.writing() as session:
        session.execute(statement)


def keep_train(shop, num):
    """Leave the labels of the first train products only; those of val and test stay."""
    with shop.store.writing() as session:
        rows = session.query(Product.id).where(
            Product.split == "train", Product.class_id.is_not(None)
        )
        ids = [row.id for row in rows.order_by(Product.id)]
        session.execute(update(Product).where(Product.id.in_(ids[num:])).values(class_id=None))


def test_products_are_counted_as_a_retrain_finds_them(shop):
    found = preview(shop.store)
    # 24 products, every fifth without a label, every third without a photo
    assert (found.num_products, found.num_unlabelled, found.num_with_photo) == (24, 4, 16)
    assert (found.num_train, found.num_val, found.num_test) == (10, 5, 5)
    assert (found.num_learnt, found.num_labelled) == (15, 20)
    assert (found.production, found.production_at, found.obstacle) == ("m1", 0.0, "")


def test_classes_that_get_little_are_named_with_the_reason(shop):
    found = {c.code: c for c in preview(shop.store).classes}
    assert {code: (c.num_train, c.num_val, c.num_test) for code, c in found.items()} == {
        "10": (5, 0, 0),
        "40": (5, 0, 0),
        "1280": (0, 5, 0),
        "2583": (0, 0, 5),
    }
    assert [c.code for c in preview(shop.store).small] == ["1280", "2583"]
    assert found["1280"].problem == "no train product: it can't be learnt"
    change(shop, update(Product).where(Product.product_id == "p1").values(class_id=None))
    assert (
        "fewer than 5 train products"
        in {c.code: c for c in preview(shop.store).classes}["40"].problem
    )


def test_a_product_that_left_the_catalogue_is_not_learnt(shop):
    change(shop, update(Product).where(Product.product_id == "p1").values(removed_at=1.0))
    found = preview(shop.store)
    assert (found.num_products, found.num_train) == (23, 9)


def test_without_production_there_is_none_to_hold_it_to(shop):
    for table in (Prediction, StageChange, ModelVersion):
        change(shop, delete(table))
    found = preview(shop.store)
    assert (found.production, found.production_at) == (None, None)


def test_one_class_is_an_obstacle_and_so_are_too_few_products(shop):
    keep_train(shop, MIN_TRAIN)
    assert preview(shop.store).obstacle == "", "as many as are needed are enough"
    keep_train(shop, MIN_TRAIN - 1)
    assert f"There are {MIN_TRAIN - 1} labelled train products" in preview(shop.store).obstacle
    keep_train(shop, 1)
    assert "The train products have 1 class, at least 2" in preview(shop.store).obstacle
    keep_train(shop, 0)
    assert "The train products have 0 classes, at least 2" in preview(shop.store).obstacle
