"""Text search: the same words found the same way in both databases, and never all by mistake."""

import pytest
from catalogue_files import open_shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from mmcore.services.browse import list_products
from mmcore.store.product_filter import ProductFilter, conditions
from mmcore.store.search import MAX_WORD, folded_words, search_text
from mmcore.store.tables import Product, QueueEntry

ROWS = {
    "1": ("Piscine d'été", "Gonflable, bleue"),
    "2": ("ETE indien", "un <b>disque</b> &eacute;tonnant"),
    "REF-77/b": ("Œuvre complète", "tome 2,5"),
    "4": ("Straße nach Ελλάδα", "写真集 ガラス"),
    "5": ("\U0001e900\U0001e901 adlam", "100% coton % _ ' \" * : &"),
}


@pytest.fixture
def shop(store, tmp_path):
    shop = open_shop(store, tmp_path)
    cells = [(i, *texts) for i, texts in ROWS.items()]
    quoted = [",".join('"' + c.replace('"', '""') + '"' for c in row) for row in cells]
    shop.run("id,title,description\n" + "\n".join(quoted) + "\n")
    return shop


FOUND = (
    ("ete", ["1", "2"]),
    ("ÉTÉ", ["1", "2"]),
    ("été piscine", ["1"]),
    ("pisc", ["1"]),
    ("iscine", []),
    ("piscine disque", []),
    ("disque etonnant", ["2"]),
    ("b", ["REF-77/b", "1"]),
    ("oeuvre", ["REF-77/b"]),
    ("œuv", ["REF-77/b"]),
    ("ref 77", ["REF-77/b"]),
    ("REF-77/B", ["REF-77/b"]),
    ("2,5", ["REF-77/b"]),
    ("strasse", ["4"]),
    ("ελλαδα", ["4"]),
    ("写真", ["4"]),
    ("ガラス", ["4"]),
    ("\U0001e922\U0001e923", ["5"]),
    ("100%", ["5"]),
    ('" OR piscine', []),
    ("piscine*", ["1"]),
    ("NOT disque", []),
    ("'été':*", ["1", "2"]),
    ("  ", list(ROWS)),
    ("!!!", []),
    ("%", []),
)


def test_a_search_finds_the_same_in_every_database(shop):
    for search, expected in FOUND:
        rows = list_products(shop.store, ProductFilter(search=search)).rows
        assert sorted(row.product_id for row in rows) == sorted(expected), search


def test_search_follows_changes_and_removals(shop):
    def found(search):
        return [r.product_id for r in list_products(shop.store, ProductFilter(search=search)).rows]

    shop.run("id,title\n1,Toboggan\n")
    assert found("piscine") == [] and found("toboggan") == ["1"] and found("gonflable") == ["1"]
    shop.run("id,title\n2,Toboggan\n", replace=True)
    assert found("toboggan") == ["2"] and found("gonflable") == []
    with shop.store.writing() as session:
        session.execute(delete(QueueEntry))  # it waits for a person
        session.execute(delete(Product).where(Product.product_id == "2"))
        session.execute(update(Product).values(removed_at=None))
    assert found("indien") == []


def test_a_filter_with_a_search_works_in_an_update(shop):
    with shop.store.writing() as session:
        wanted = conditions(ProductFilter(search="été", has_photo=False))
        assert session.execute(update(Product).where(*wanted).values(is_flagged=True)).rowcount == 2
        flagged = select(Product.product_id).where(Product.is_flagged.is_(True))
        assert sorted(session.scalars(flagged)) == ["1", "2"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_no_search_is_an_error(shop, search):
    list_products(shop.store, ProductFilter(search=search))


def test_words_are_kept_once_and_cut():
    assert search_text(("a A b", "b" * 100)) == f"a b {'b' * MAX_WORD}"
    assert folded_words("_a_b-c") == ["a", "b", "c"]
