"""Catalogues of any size for the queue's benchmarks, made inside the database."""

import contextlib
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from mmcore.services.people import Actor, ensure_actor
from mmcore.services.queue import refresh
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.migrate import migrate
from mmcore.store.tables import ModelVersion, ProductClass

NUM_CLASSES = 27
DESCRIPTION = "Un article comme on en trouve dans tous les rayons, décrit avec soin. " * 6

_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS "
    "(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count) ",
    "postgresql": "WITH numbers AS (SELECT n FROM generate_series(1, :count) AS n) ",
}
# multiples of odd numbers stand in for chance
_PRODUCTS = """INSERT INTO product (id, product_id, title, description, search_text, photo,
 photo_hash, group_id, split, extra, class_id, version, is_flagged, random_rank, created_at)
{numbers} SELECT n, 'p' || n, 'Article numéro ' || n, :description, '', 'photo' || n, '', 'g' || n,
 'train', '{{"price": 12.5, "brand": "Tralalou"}}',
 CASE WHEN n % 5 = 0 THEN NULL ELSE n % 27 + 1 END, 0, FALSE, {chance_a}, 0 FROM numbers"""
_PREDICTIONS = """INSERT INTO prediction (model_version_id, product_id, fused_class_id,
 fused_probability, margin, entropy, disagreement, suspicion, label_class_id, top)
SELECT :model, id, 1 + id % 27, 0.5, {chance_b}, {chance_a}, {chance_c},
 CASE WHEN class_id IS NULL THEN 0 ELSE {chance_b} END, class_id, :top FROM product"""


def _chance(column: str, factor: int) -> str:
    return f"((CAST({column} AS BIGINT) * {factor}) % 1048573) / 1048573.0"


@contextlib.contextmanager
def database(postgres: str | None) -> Iterator[str]:
    """Give the URL of an empty database: a file, or one of its own on a PostgreSQL server."""
    if postgres is None:
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
            yield sqlite_url(Path(folder) / "rayon.db")
        return
    name = f"rayon_bench_{uuid.uuid4().hex[:8]}"
    _on_server(postgres, f"CREATE DATABASE {name}")
    try:
        yield f"{postgres.rsplit('/', 1)[0]}/{name}"
    finally:
        _on_server(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def make_catalogue(url: str, num_products: int, num_people: int) -> tuple[list[Actor], dict]:
    """Return the people of a new catalogue with predictions and a full queue, and what it took."""
    store = Store(url)
    migrate(store)
    started = time.perf_counter()
    with store.writing() as session:
        _add_rows(session, num_products)
    made = time.perf_counter()
    if not store.is_sqlite:
        with store.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    refresh_started = time.perf_counter()
    refresh(store, 1)
    refreshed = time.perf_counter()
    refresh(store, 1)
    taken = {
        "make_s": round(made - started, 1),
        "first_refresh_s": round(refreshed - refresh_started, 1),
        "second_refresh_s": round(time.perf_counter() - refreshed, 1),
    }
    people = [ensure_actor(store, f"person {i}", "lead", 0.0) for i in range(num_people)]
    store.close()
    return people, taken


def _add_rows(session, num_products: int) -> None:
    for i in range(1, NUM_CLASSES + 1):
        names = {"name_fr": f"Classe {i}", "name_en": f"Class {i}"}
        session.add(ProductClass(id=i, code=str(i * 10), position=i, **names))
    session.add(ModelVersion(id=1, name="m", stage="production", snapshot="", created_at=0))
    session.flush()
    dialect = session.get_bind().dialect.name
    chances = {f"chance_{k}": _chance("n", f) for k, f in zip("a", (7_919,), strict=True)}
    statement = _PRODUCTS.format(numbers=_NUMBERS[dialect], **chances)
    session.execute(text(statement), {"count": num_products, "description": DESCRIPTION})
    add_predictions(session, 1)


def add_predictions(session, model_version_id: int) -> None:
    """Say something about every product, as the model in production might."""
    factors = zip("abc", (104_729, 611_953, 15_485_863), strict=True)
    statement = _PREDICTIONS.format(**{f"chance_{k}": _chance("id", f) for k, f in factors})
    view = str([[i, round(0.5 / i, 3)] for i in range(1, 6)])
    top = f'{{"fused": {view}, "text": {view}, "image": {view}}}'
    session.execute(text(statement), {"top": top, "model": model_version_id})


def _on_server(url: str, statement: str) -> None:
    server = Store(url)
    with server.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))
    server.close()
