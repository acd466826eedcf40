"""Rows written in bulk are those that were given, to the letter, or none at all."""

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from mmcore.errors import StoreError
from mmcore.store import bulk_insert as module
from mmcore.store.bulk_insert import bulk_insert
from mmcore.store.search import matches
from mmcore.store.tables import Act, Annotator, Product

HARD = ("", "a\tb\nc\r\\N \\. \\x", "'\" % %s {0} ; --", "é œ 漢字 👟", "\\N", "x" * 100_000)
_product = Product.__table__


def rows():
    """Return products whose texts are hard to carry; further columns are left to their defaults."""
    return [
        {
            "product_id": f"p{i}",
            "title": HARD[i],
            "photo": "",
            "group_id": "g",
            "split": "train",
            "extra": {"price": HARD[i], "n": [i, None, True]},
            "class_id": None,
            "is_split_given": i % 2 == 0,
            "random_rank": i / 7,
            "created_at": 1.5,
            "removed_at": None,
        }
        for i in range(len(HARD))
    ]


def stored(store):
    with store.reading() as session:
        found = session.execute(select(_product).order_by(_product.c.id)).mappings()
        return [{k: v for k, v in row.items() if k != "id"} for row in found]


def test_rows_are_as_an_insert_writes_them_and_in_their_order(store):
    with store.writing() as session:
        session.connection().execute(insert(_product), rows())
    wanted = stored(store)
    assert [row["title"] for row in wanted] == list(HARD), "else nothing is compared"
    with store.writing() as session:
        session.connection().execute(_product.delete())
        bulk_insert(session.connection(), _product, rows())
    assert stored(store) == wanted
    assert wanted[0]["version"] == 0 and wanted[0]["is_flagged"] is False  # defaults


def test_a_callable_default_is_made_anew(store):
    with store.writing() as session:
        session.add(Annotator(id=1, name="anna", role="lead", created_at=0.0))
        session.flush()
        row = {"kind": "single", "annotator_id": 1, "token": "t", "created_at": 0.0}
        bulk_insert(session.connection(), Act.__table__, [row])
    with store.reading() as session:
        assert session.scalars(select(Act.details)).all() == [{}]


def test_no_rows_are_no_statement(store):
    with store.writing() as session:
        bulk_insert(session.connection(), _product, [])
    assert stored(store) == []


def test_it_is_part_of_the_transaction(store):
    with pytest.raises(RuntimeError), store.writing() as session:
        bulk_insert(session.connection(), _product, rows())
        raise RuntimeError("the power of the caller")
    assert stored(store) == []
    for start in (0, 3):  # and the same connection can do it again, twice in a transaction too
        with store.writing() as session:
            bulk_insert(session.connection(), _product, rows()[start : start + 2])
            bulk_insert(session.connection(), _product, rows()[start + 2 : start + 3])
    assert [row["product_id"] for row in stored(store)] == [f"p{i}" for i in range(6)]


def test_what_the_database_refuses_is_an_error_of_its_usual_kind(store):
    with pytest.raises(DBAPIError), store.writing() as session:
        bulk_insert(session.connection(), _product, [*rows(), rows()[0]])
    assert stored(store) == []


def test_a_lost_server_is_explained(store, monkeypatch):
    if store.is_sqlite:
        pytest.skip("SQLite is no server")

    with pytest.raises(StoreError, match="can't be reached"), store.writing() as session:
        pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar()

        def cut(*_):
            with store.engine.connect() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            yield from ()

        monkeypatch.setattr(module, "_values", cut)
        bulk_insert(session.connection(), _product, rows())
    assert stored(store) == []


def test_text_search_finds_what_came_in_bulk(store):
    values = [{**row, "search_text": f"mot{i}"} for i, row in enumerate(rows())]
    with store.writing() as session:
        bulk_insert(session.connection(), _product, values)
    with store.reading() as session:
        found = session.scalars(select(_product.c.product_id).where(matches("mot3"))).all()
    assert found == ["p3"]
