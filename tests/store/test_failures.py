"""What the database complains about reaches the user with a remedy, and never with a password."""

import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mmcore.errors import StoreError
from mmcore.store import engine
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.tables import Setting


@pytest.fixture
def database(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 10)
    monkeypatch.setattr(engine, "BEGIN_PATIENCE_S", 0.05)
    file = tmp_path / "rayon.db"
    store = Store(sqlite_url(file))
    migrate(store)
    store.close()
    return file


def put(store, size=1):
    with store.writing() as session:
        session.add(Setting(name="a", value={"x": "x" * size}))


def refused(url, message, act=put):
    store = Store(url)
    with pytest.raises(StoreError, match=message) as caught:
        act(store)
    store.close()
    return str(caught.value)


def test_a_file_that_may_not_be_written(database):
    refused(f"sqlite:///file:{database}?mode=ro&uri=true", "can't be written; give your user")


def test_a_full_disk(database):
    def fill(store):
        with store.writing() as session:
            session.execute(text("PRAGMA max_page_count = 1"))
            session.add(Setting(name="a", value={"x": "x" * 100_000}))

    refused(sqlite_url(database), "disk is full; free some space.*nothing was saved", fill)
    store = Store(sqlite_url(database))
    put(store)
    store.close()


def test_a_program_that_keeps_the_file_locked(database):
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused(sqlite_url(database), "another program keeps the database locked; close")
    other.execute("ROLLBACK")
    other.close()


def test_a_folder_that_is_not_there(tmp_path):
    refused(sqlite_url(tmp_path / "no" / "a.db"), "can't be opened; check that its folder exists")


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "a.db").write_bytes(b"not a database at all " * 100)
    refused(sqlite_url(tmp_path / "a.db"), "isn't a database; restore")


def test_a_server_that_is_not_there():
    url = "postgresql+psycopg://u:secret@127.0.0.1:1/d"
    assert "secret" not in refused(url, "can't be reached; check that it runs")


def test_what_no_user_can_mend_stays_what_it_is(database):
    store = Store(sqlite_url(database))
    put(store)
    with pytest.raises(IntegrityError):
        put(store)
    store.close()
