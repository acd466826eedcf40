"""A product typed by hand goes into the catalogue once, with its photo and label."""

import pytest
from app_shop import open_app_shop
from sqlalchemy import func, select

from mmcore.errors import CatalogueError, ImageError, NotFoundError, RefusedError
from mmcore.services.add_product import NewProduct, save_product
from mmcore.services.browse import product_detail
from mmcore.store.tables import Product

NOW = 1_800_000_000.0


@pytest.fixture
def shop(tmp_path):
    shop = open_app_shop(tmp_path / "home", num_products=4)
    yield shop
    shop.store.close()


@pytest.fixture
def save(shop):
    def act(new, code="2583", person="lena", now=NOW):
        return save_product(shop.store, shop.people[person], shop.workspace, new, code, now)

    return act


@pytest.fixture
def new(make_photo):
    text = 'Bouée "licorne"; été, 3 m\n**gonflable**'
    return NewProduct(text, "Description", make_photo(seed=5), (("price", "9.90"),))


def test_it_is_there_with_photo_label_and_columns(shop, save, new):
    saved = save(new)
    found = product_detail(shop.store, saved.product_id)
    assert (found.title, found.description) == (new.title, new.description)
    assert found.photo and found.label.code == "2583" and found.extra["price"] == "9.90"
    assert [(e.kind, e.annotator, e.act_id) for e in found.history] == [
        ("label", "lena", saved.act_id)
    ]


def test_a_second_click_adds_nothing(shop, save, new):
    first, again = save(new), save(new, now=NOW + 1)
    assert again.product_id == first.product_id and again.act_id is None
    assert len(product_detail(shop.store, first.product_id).history) == 1


def test_another_label_is_given_to_the_same_product(shop, save, new):
    first, other = save(new), save(new, "10", now=NOW + 1)
    back = save(new, "2583", now=NOW + 2)
    assert first.product_id == other.product_id == back.product_id
    found = product_detail(shop.store, first.product_id)
    assert [e.label for e in found.history] == ["2583", "10", "2583"]


def test_without_a_label_it_waits_for_one(shop, save, new):
    saved = save(new, None)
    assert saved.act_id is None and product_detail(shop.store, saved.product_id).label is None


def test_other_words_or_another_photo_are_another_product(save, make_photo):
    ids = {
        save(product, None).product_id
        for product in (
            NewProduct("a", "b"),
            NewProduct("ab", ""),
            NewProduct("a", "b", make_photo()),
            NewProduct("a", "b", make_photo(seed=2)),
        )
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("product", "code", "person", "error"),
    [
        (NewProduct("a", ""), "10", "anna", RefusedError),
        (NewProduct("a", "", b"no photo"), "10", "lena", ImageError),
        (NewProduct(" ", ""), "10", "lena", CatalogueError),
    ],
)
def test_what_cannot_be_saved_leaves_nothing(shop, save, product, code, person, error):
    before = shop.product("p4").id
    with pytest.raises(error):
        save(product, code, person)
    with shop.store.reading() as session:
        assert session.scalar(select(func.max(Product.id))) == before


def test_a_class_that_is_none_is_told(save, new):
    with pytest.raises(NotFoundError, match="999"):
        save(new, "999")
