"""How long texts are, how many near-copies there are; and the filters that a click sets."""

import pytest
from sqlalchemy import insert, update

from mmcore.photos import PhotoStore
from mmcore.services.browse import list_products
from mmcore.services.catalogue_shapes import group_sizes, photo_sizes, text_lengths
from mmcore.services.product_choice import ProductChoice, find_filter
from mmcore.store.tables import Product
from mmcore.workspace import Workspace

TEXTS = {"a": ("", ""), "b": ("x" * 20, ""), "c": ("x" * 20, "y"), "d": ("x", "y" * 999)}


@pytest.fixture
def shop(store):
    with store.writing() as session:
        rows = [
            {
                "product_id": key,
                "title": title,
                "description": description,
                "group_id": "g" if key in "bc" else f"g{key}",
                "split": "train",
                "random_rank": 0.0,
                "created_at": 0.0,
            }
            for key, (title, description) in TEXTS.items()
        ]
        session.execute(insert(Product), rows)
    return store


def meant(store, **choice):
    rows = list_products(store, find_filter(store, ProductChoice(**choice))).rows
    return [row.product_id for row in rows]


def test_texts_are_counted_by_their_length(shop):
    counts = {(b.low, b.high): b.count for b in text_lengths(shop) if b.count}
    assert counts == {(0, 0): 1, (1, 20): 1, (21, 40): 1, (641, 1280): 1}
    assert [b.name for b in text_lengths(shop)][:2] == ["0", "1 to 20"]
    assert text_lengths(shop)[-1].name == "2,561+"


def test_a_bar_means_the_products_that_it_counts(shop):
    for bucket in text_lengths(shop):
        assert len(meant(shop, text_chars=(bucket.low, bucket.high))) == bucket.count


def test_photos_are_counted_by_size_and_a_bar_means_their_products(shop, tmp_path, make_photo):
    workspace = Workspace(tmp_path / "home").create()
    photos = PhotoStore(workspace.photos)
    small, large = photos.add(make_photo(px=90)), photos.add(make_photo(px=250))
    with shop.writing() as session:
        for key, photo in {"a": small, "b": large, "c": large, "d": "0" * 64}.items():
            session.execute(update(Product).where(Product.product_id == key).values(photo=photo))
    found = photo_sizes(shop, workspace)
    assert (found.num_looked_at, found.num_unreadable) == (3, 1)
    counts = {b.name: b.count for b in found.buckets if b.count}
    assert counts == {"0 to 100": 1, "201 to 300": 1}
    place = next(i for i, b in enumerate(found.buckets) if b.name == "201 to 300")
    assert meant(shop, photos=found.keys[place]) == ["b", "c"]


def test_near_copies_are_counted_and_found(shop):
    found = group_sizes(shop)
    assert (found.num_groups, found.num_products, found.largest) == (1, 2, 2)
    assert meant(shop, has_copies=True) == ["b", "c"]
    assert meant(shop, has_copies=False) == ["a", "d"]
    assert meant(shop, group_id="g") == ["b", "c"]


def test_a_copy_that_left_the_catalogue_is_none(shop):
    with shop.writing() as session:
        session.execute(update(Product).where(Product.product_id == "c").values(removed_at=1.0))
    assert group_sizes(shop).num_groups == 0 and meant(shop, has_copies=True) == []
