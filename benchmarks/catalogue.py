"""How long the catalogue's verbs take, by size: importing, each filter of a list, search, counts.

    PYTHONPATH=. python benchmarks/catalogue.py [--sizes 1000 ...] [--postgres URL] [--plans]

Every size has a database of its own, gone afterwards: a file in a temporary folder, or
a database made on the PostgreSQL server that the URL names. Products are made of random words with
French frequencies; a tenth have no label, a third no description, half no photo.
"""

import csv
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bench
import numpy as np
from made_shop import NUM_CLASSES, Texts
from queue_catalogue import database
from sqlalchemy import event, insert, select, text

from mmcore.catalog.csv_columns import CsvColumns
from mmcore.services import browse
from mmcore.services.catalogue import CsvImport, import_csv
from mmcore.services.catalogue_frame import load_catalogue
from mmcore.services.catalogue_numbers import catalogue_numbers
from mmcore.services.people import Actor, ensure_actor
from mmcore.store.engine import Store
from mmcore.store.migrate import migrate
from mmcore.store.product_filter import ProductFilter
from mmcore.store.tables import Act, Annotation, ModelVersion, Prediction, Product, ProductClass
from mmcore.workspace import Workspace

REPEATS = 5
RARE = "piscine gonflable"
COLUMNS = CsvColumns("id", "title", "description", label="label", extra=("price", "brand"))


def write_csv(path: Path, count: int) -> None:
    """Write a catalogue of made-up products."""
    rng, texts = random.Random(0), Texts(np.random.default_rng(0))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "description", "label", "price", "brand"])
        for i in range(count):
            title = texts.some(1, 8)[0] + (f" {RARE}" if i % 1000 == 7 else "")
            description = "" if rng.random() < 1 / 3 else texts.some(1, 60)[0]
            label = "" if rng.random() < 0.1 else str(rng.randrange(NUM_CLASSES) + 10)
            writer.writerow([f"ref-{i}", title, description, label, i % 97, f"marque {i % 50}"])


def add_marks(store: Store, actor: Actor) -> int:
    """Give the products photos, flags, predictions and annotations; return an annotator's id."""
    with store.writing() as session:
        session.execute(
            text("UPDATE product SET photo = CAST(10000000000 + id AS TEXT) WHERE id % 2 = 0")
        )
        session.execute(text("UPDATE product SET is_flagged = true WHERE id % 500 = 3"))
        version = ModelVersion(name="m", stage="production", snapshot="", created_at=0)
        act = Act(kind="single", annotator_id=actor.id, token="b", details={}, created_at=0)
        session.add_all([version, act])
        session.flush()
        classes = list(session.scalars(select(ProductClass.id)))
        ids = list(session.scalars(select(Product.id)))
        rng = random.Random(1)
        session.execute(
            insert(Prediction),
            [prediction(version.id, id, rng, classes) for id in ids],
        )
        marks = [
            {
                "act_id": act.id,
                "product_id": id,
                "annotator_id": actor.id,
                "kind": "label",
                "class_id": classes[0],
                "version": 2,
                "created_at": 0.0,
            }
            for id in ids[::10]
        ]
        session.execute(insert(Annotation), marks)
    return actor.id


def prediction(version_id: int, id: int, rng: random.Random, classes: list[int]) -> dict:
    return {
        "model_version_id": version_id,
        "product_id": id,
        "fused_class_id": rng.choice(classes),
        "fused_probability": rng.random(),
        "margin": rng.random(),
        "entropy": rng.random(),
        "disagreement": rng.random(),
        "suspicion": max(0.0, rng.random() - 0.8),
        "top": {},
    }


def filters(store: Store, annotator_id: int) -> dict[str, tuple[ProductFilter, str]]:
    with store.reading() as session:
        classes = tuple(session.scalars(select(ProductClass.id).order_by(ProductClass.id)))
    one, three = classes[3:4], classes[3:6]
    wanted = {
        "everything": ProductFilter(),
        "one class": ProductFilter(class_ids=one),
        "three classes": ProductFilter(class_ids=three),
        "no such class": ProductFilter(class_ids=(0,)),
        "predicted class": ProductFilter(predicted_class_ids=one),
        "label and prediction differ": ProductFilter(class_ids=one, predicted_class_ids=three[1:]),
        "split": ProductFilter(split="test"),
        "unlabelled": ProductFilter(is_labelled=False),
        "flagged": ProductFilter(is_flagged=True),
        "flagged, no photo, val": ProductFilter(is_flagged=True, has_photo=False, split="val"),
        "with photo": ProductFilter(has_photo=True),
        "without photo": ProductFilter(has_photo=False),
        "annotator": ProductFilter(annotator_id=annotator_id),
        "nobody's": ProductFilter(annotator_id=0),
        "rare words": ProductFilter(search="PISCINE gonflable"),
        "an accent": ProductFilter(search="ete"),
        "one letter": ProductFilter(search="b"),
        "common words": ProductFilter(search="ba be"),
        "an id": ProductFilter(search="ref-77"),
        "no such word": ProductFilter(search="xyzzy"),
        "common words, class, flagged": ProductFilter(search="ba", class_ids=one, is_flagged=True),
    }
    cases = {name: (found, "catalogue") for name, found in wanted.items()}
    for order in browse.ORDERS[1:]:
        cases[f"by {order}"] = (ProductFilter(), order)
        cases[f"by {order}, flagged"] = (ProductFilter(is_flagged=True), order)
        cases[f"by {order}, rare words"] = (wanted["rare words"], order)
        cases[f"by {order}, no such word"] = (wanted["no such word"], order)
    return cases


def milliseconds(work: Callable[[], object]) -> dict[str, float]:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return {"median": round(statistics.median(times), 1), "best": round(min(times), 1)}


def seconds(work: Callable[[], object]) -> float:
    return round(bench.seconds(work), 2)


def measure(store: Store, folder: Path, count: int) -> dict:
    actor = ensure_actor(store, "lea", "lead", 0.0)
    path = folder / "shop.csv"
    write_csv(path, count)
    workspace, options = Workspace(folder / "home"), CsvImport(path, COLUMNS)

    def run() -> None:
        import_csv(store, actor, workspace, options, time.time())

    result = {"import_s": seconds(run), "import_again_s": seconds(run)}
    annotator_id = add_marks(store, actor)
    result["load_frame_s"] = seconds(lambda: load_catalogue(store))
    result["lists_ms"], result["counts_ms"], result["second_pages_ms"] = {}, {}, {}
    for name, (wanted, order) in filters(store, annotator_id).items():
        page = browse.list_products(store, wanted, order)
        result["lists_ms"][name] = milliseconds(
            lambda wanted=wanted, order=order: browse.list_products(store, wanted, order)
        )
        if page.next_page:
            request = browse.PageRequest(page.next_page)
            result["second_pages_ms"][name] = milliseconds(
                lambda w=wanted, o=order, r=request: browse.list_products(store, w, o, r)
            )
        if order == "catalogue":
            result["counts_ms"][name] = milliseconds(
                lambda wanted=wanted: browse.count_products(store, wanted)
            )
    result["detail_ms"] = milliseconds(lambda: browse.product_detail(store, "ref-7"))
    result["numbers_ms"] = milliseconds(lambda: catalogue_numbers(store))
    figures = [
        figure["median"]
        for part in ("lists_ms", "counts_ms", "second_pages_ms")
        for figure in result[part].values()
    ]
    result["slowest_list_or_count_ms"] = max(figures)
    return result


def plans(store: Store, annotator_id: int) -> dict[str, list[str]]:
    """Return what EXPLAIN says about each list."""
    found: dict[str, list[str]] = {}
    prefix = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN ANALYZE "

    def explain(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT") and "EXPLAIN" not in statement:
            rows = connection.exec_driver_sql(prefix + statement, parameters).all()
            lines.extend(str(row[-1]) for row in rows)

    for name, (wanted, order) in filters(store, annotator_id).items():
        lines: list[str] = []
        event.listen(store.engine, "before_cursor_execute", explain)
        browse.list_products(store, wanted, order)
        event.remove(store.engine, "before_cursor_execute", explain)
        found[name] = lines
    return found


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--postgres", metavar="URL", help="server to make databases on")
    parser.add_argument("--plans", action="store_true", help="add what EXPLAIN says")
    options = parser.parse_args()
    found = {}
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder, database(options.postgres) as url:
            store = Store(url)
            migrate(store)
            found[size] = measure(store, Path(folder), size)
            if options.plans:
                annotator_id = ensure_actor(store, "lea", "lead", 0.0).id
                found[size]["plans"] = plans(store, annotator_id)
            store.close()
    facts = ("postgresql" if options.postgres else "sqlite", f"{max(options.sizes)}-products")
    bench.report(__file__, {"products": found}, facts, options.keep)


if __name__ == "__main__":
    main()
