"""Databases to test the store on: always SQLite, PostgreSQL where one is named."""

import os
import uuid

import pytest
from sqlalchemy import text

from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate

# e.g. postgresql+psycopg://postgres@127.0.0.1:5433/postgres; .ci/run starts one and sets it
POSTGRES = os.environ.get("RAYON_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """Return the URL of a database without tables, of each kind in turn."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "rayon.db")
        return
    if not POSTGRES:
        pytest.skip("no PostgreSQL: set RAYON_TEST_POSTGRES to the URL of a server")
    name = f"rayon_{uuid.uuid4().hex[:12]}"
    on_server(f"CREATE DATABASE {name}")
    yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


def on_server(statement):
    server = Store(POSTGRES)
    with server.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))
    server.close()


@pytest.fixture
def store(empty_url):
    """Return a store with this version's tables."""
    store = Store(empty_url)
    migrate(store)
    yield store
    store.close()
