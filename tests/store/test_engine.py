"""Transactions that lose nothing, and migrations that several processes may start at once."""

import multiprocessing
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError

from mmcore.errors import StoreError
from mmcore.store.engine import Store
from mmcore.store.migrate import migrate, migrate_to, newest_revision
from mmcore.store.search import is_in_tables
from mmcore.store.tables import Base, Setting

PROCESSES, THREADS, ROUNDS = 4, 4, 15
SPAWN = multiprocessing.get_context("spawn")


def test_migrations_make_exactly_the_tables_of_the_code(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_in_tables})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == newest_revision()


def test_migrating_twice_changes_nothing(store):
    migrate(store)
    with store.reading() as session:
        assert session.scalars(select(Setting)).all() == []


def test_an_older_database_with_people_and_jobs_is_brought_up_to_date(empty_url):
    store = Store(empty_url)
    migrate_to(store, "0001")
    with store.writing() as session:
        session.execute(
            text(
                "INSERT INTO annotator (id, name, role, is_active, created_at) "
                "VALUES (1, 'a', 'admin', true, 0)"
            )
        )
    migrate(store)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_in_tables})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.execute(text("SELECT role FROM annotator")).scalar() == "admin"
    store.close()


def migrate_at(url):
    store = Store(url)
    migrate(store)
    store.close()


def test_many_processes_may_migrate_at_once(empty_url):
    workers = [SPAWN.Process(target=migrate_at, args=(empty_url,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    store = Store(empty_url)
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    store.close()
    assert [tuple(row) for row in rows] == [(newest_revision(),)]


def test_a_newer_database_is_refused(store):
    with store.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(StoreError, match="at revision ffff.*update Rayon, or restore an older"):
        migrate(store)


def count_up(url):
    store = Store(url)

    def work():
        for _ in range(ROUNDS):
            with store.writing() as session:
                # FOR UPDATE is PostgreSQL's way; SQLite has locked the whole file by then
                row = session.get(Setting, "counter", with_for_update=True)
                row.value = {"n": row.value["n"] + 1}

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def test_no_update_is_lost_between_processes_and_threads(store):
    with store.writing() as session:
        session.add(Setting(name="counter", value={"n": 0}))
    url = store.url
    workers = [SPAWN.Process(target=count_up, args=(url,)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    with store.reading() as session:
        assert session.get(Setting, "counter").value == {"n": PROCESSES * THREADS * ROUNDS}


def test_a_failed_transaction_leaves_nothing(store):
    with pytest.raises(RuntimeError), store.writing() as session:
        session.add(Setting(name="x", value={}))
        session.flush()
        raise RuntimeError
    with store.reading() as session:
        assert session.get(Setting, "x") is None


def test_foreign_keys_and_checks_hold(store):
    for statement in (
        "INSERT INTO lease (product_id, annotator_id, expires_at) VALUES (1, 1, 0)",
        "INSERT INTO annotator (id, name, role, is_active, created_at) "
        "VALUES (1, 'a', 'king', true, 0)",
    ):
        with pytest.raises(IntegrityError), store.writing() as session:
            session.execute(text(statement))


def test_sqlite_is_set_up_as_measured(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    with store.engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert values == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url", "can't be used.*use sqlite:///FILE or postgresql"),
        ("mysql://u:secret@h/d", "is of kind mysql"),
        ("postgresql+nodriver://h/d", "can't be used"),
    ],
)
def test_a_url_that_cannot_serve_is_refused_without_its_password(url, message):
    with pytest.raises(StoreError, match=message) as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_sqlalchemys_own_default_would_lose_updates(tmp_path):
    """The measuring stick for the test above: without BEGIN IMMEDIATE it must be able to fail."""
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}", connect_args={"timeout": 10})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE c (n INTEGER)"))
        connection.execute(text("INSERT INTO c VALUES (0)"))
    both_have_read = threading.Barrier(2)

    def work():
        with engine.begin() as connection:
            n = connection.execute(text("SELECT n FROM c")).scalar_one()
            both_have_read.wait(10)
            connection.execute(text("UPDATE c SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM c")).scalar_one() == 1
    engine.dispose()
