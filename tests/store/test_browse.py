"""Lists: every product once on some page, each filter as its words say, counts that end."""

import itertools

import pytest
from catalogue_files import NOW, open_shop
from sqlalchemy import event, insert, select, update

from mmcore.errors import ConfigError, NotFoundError
from mmcore.services import browse
from mmcore.services.browse import Count, PageRequest, count_products, list_products, product_detail
from mmcore.services.catalogue_numbers import catalogue_numbers
from mmcore.store.product_filter import ProductFilter
from mmcore.store.tables import ModelVersion, Prediction, Product, ProductClass

NUM = 24
SPLITS = ("train", "train", "val", "test")


@pytest.fixture
def shop(store, tmp_path):
    """Return a shop of 24 products; all but the last are predicted by the production model."""
    shop = open_shop(store, tmp_path)
    rows = [
        f"p{i},{'' if i == 5 else f'mot{i % 3} titre {i}'},{'texte' if i % 2 else ''},"
        f"{'ABC'[i % 3] if i % 5 else ''},{SPLITS[i % 4]}\n"
        for i in range(NUM)
    ]
    shop.run("id,title,description,label,split\n" + "".join(rows))
    shop.mark("p1", "C")
    shop.mark("p1", "A", now=NOW + 5)
    shop.mark("p2", "C", "flag")
    with store.writing() as session:
        session.execute(update(Product).where(Product.id % 3 == 0).values(photo="ab" * 32))
        models = [
            ModelVersion(name=name, stage=stage, snapshot="", created_at=NOW)
            for name, stage in (("old", "archived"), ("now", "production"))
        ]
        session.add_all(models)
        session.flush()
        classes = list(session.scalars(select(ProductClass.id).order_by(ProductClass.code)))
        labels = session.execute(select(Product.id, Product.class_id).order_by(Product.id)).all()
        rows = [
            prediction(model.id, id, classes[(i + shift) % 3], i) | {"label_class_id": label}
            for shift, model in enumerate(models)
            for i, (id, label) in enumerate(labels[:-1])
        ]
        session.execute(insert(Prediction), rows)
    return shop


def prediction(model_id, product_id, class_id, i):
    return {
        "model_version_id": model_id,
        "product_id": product_id,
        "fused_class_id": class_id,
        "fused_probability": 0.5,
        "margin": (i % 4) / 10,
        "entropy": (i * 7 % 24) / 24,
        "disagreement": 0.0,
        "suspicion": 0.3 if i == 3 else 0.0,
    }


def walk(store, wanted, order, size):
    rows, after = [], None
    for _ in range(NUM + 1):
        page = list_products(store, wanted, order, PageRequest(after, size))
        rows += page.rows
        after = page.next_page
        if after is None:
            return rows
    raise AssertionError("the pages never end")


def test_every_product_is_on_one_page_in_order(shop, monkeypatch):
    with shop.store.reading() as session:
        rank = dict(session.execute(select(Product.id, Product.random_rank)).all())
        statement = select(Prediction).join(ModelVersion).where(ModelVersion.name == "now")
        says = {row.product_id: row for row in session.scalars(statement)}
    keys = {
        "catalogue": lambda id: id,
        "newest": lambda id: -id,
        "random": rank.get,
        "margin": lambda id: says[id].margin,
    }
    # both ways to find a page: along an index, and among a few
    for order, few in itertools.product(browse.ORDERS, (0, 2_000)):
        monkeypatch.setattr("mmcore.store.browse.FEW", few)
        whole = list_products(shop.store, None, order, PageRequest(size=100))
        ids = [row.id for row in whole.rows]
        by_model = order not in ("catalogue", "newest", "random")
        assert len(ids) == len(set(ids)) == NUM - by_model and whole.next_page is None
        key = keys.get(order, lambda id, order=order: -getattr(says[id], order))
        assert list(map(key, ids)) == sorted(map(key, ids)), order
        for size in (1, 7, NUM):
            assert [row.id for row in walk(shop.store, None, order, size)] == ids, order


def test_a_row_tells_label_prediction_and_marks(shop):
    rows = {row.product_id: row for row in list_products(shop.store).rows}
    first = rows["p1"]
    assert (first.label.code, first.predicted.code, first.predicted.probability) == ("A", "C", 0.5)
    assert (first.num_annotations, first.version, first.is_flagged) == (3, 3, False)
    assert rows["p2"].is_flagged and rows["p2"].has_photo and not first.has_photo
    assert rows["p0"].label is None and rows[f"p{NUM - 1}"].predicted is None


def test_filters_mean_what_they_say(shop):
    with shop.store.reading() as session:
        of_code = {c.code: c.id for c in session.scalars(select(ProductClass))}
        old = session.scalars(select(ModelVersion.id).where(ModelVersion.name == "old")).one()
    rows = list_products(shop.store).rows
    a_and_b = (of_code["A"], of_code["B"])
    cases = [
        (ProductFilter(class_ids=a_and_b), lambda r: r.label and r.label.code in "AB"),
        (ProductFilter(class_ids=()), lambda r: False),
        (ProductFilter(split="test"), lambda r: r.split == "test"),
        (ProductFilter(is_labelled=True), lambda r: r.label),
        (ProductFilter(is_labelled=False), lambda r: not r.label),
        (ProductFilter(is_flagged=True), lambda r: r.is_flagged),
        (ProductFilter(is_flagged=False), lambda r: not r.is_flagged),
        (ProductFilter(has_photo=True), lambda r: r.has_photo),
        (ProductFilter(has_photo=False), lambda r: not r.has_photo),
        (ProductFilter(annotator_id=shop.anna.id), lambda r: r.product_id in ("p1", "p2")),
        (ProductFilter(search="mot1"), lambda r: "mot1" in r.title),
        (ProductFilter(product_ids=(rows[0].id, rows[4].id)), lambda r: r in (rows[0], rows[4])),
        (
            ProductFilter(predicted_class_ids=(of_code["B"],)),
            lambda r: r.predicted and r.predicted.code == "B",
        ),
    ]
    for (one, is_one), (other, is_other) in itertools.combinations_with_replacement(cases, 2):
        parts = {k: v for f in (one, other) for k, v in vars(f).items() if v not in (None, "")}
        if len(parts) < 2 and one is not other:
            continue  # two values of one part don't add up
        wanted = ProductFilter(**parts)
        expected = [r for r in rows if is_other(r) and (is_one(r) or parts == vars(other))]
        found = list_products(shop.store, wanted).rows
        assert list(found) == expected, parts
        assert count_products(shop.store, wanted) == Count(len(expected), False)
    by_old = list_products(
        shop.store, ProductFilter(predicted_class_ids=(of_code["A"],), model_version_id=old)
    )
    assert {r.predicted.code for r in by_old.rows} == {"A"} and len(by_old.rows) == 8


def test_no_list_reads_all_products_rows(shop):
    """On SQLite, which has no statistics to go by, every list is found along an index."""
    if not shop.store.is_sqlite:
        pytest.skip("PostgreSQL reads a table of 24 rows whole, and is right")
    plans = []

    def explain(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in rows)

    event.listen(shop.store.engine, "before_cursor_execute", explain)
    for wanted in (ProductFilter(), ProductFilter(search="mot1", has_photo=True, split="val")):
        for order in browse.ORDERS:
            list_products(shop.store, wanted, order)
        count_products(shop.store, wanted)
    event.remove(shop.store.engine, "before_cursor_execute", explain)
    assert len(plans) > 50
    whole = [p for p in plans if p.startswith(("SCAN product", "SCAN prediction", "SCAN annot"))]
    assert [p for p in whole if "VIRTUAL TABLE" not in p and "product_class" not in p] == []


def test_counting_ends_at_its_limit(shop):
    assert count_products(shop.store, at_most=NUM) == Count(NUM, False)
    assert count_products(shop.store, at_most=NUM - 1) == Count(NUM - 1, True)


def test_a_list_refuses_what_it_does_not_have(shop):
    for message, arguments in (
        ("order 'best': use one of catalogue, newest", {"order": "best"}),
        ("page size 0: use a number from 1", {"page": PageRequest(size=0)}),
        ("page 'xyz' is no page of a list; take", {"page": PageRequest("xyz")}),
        (r"page '\[1\]' is no page", {"page": PageRequest("[1]")}),
        (r"page '\[NaN, 1\]' is no page", {"page": PageRequest("[NaN, 1]")}),
    ):
        with pytest.raises(ConfigError, match=message):
            list_products(shop.store, **arguments)


def test_without_a_model_there_are_no_predictions(store, tmp_path):
    open_shop(store, tmp_path).run("id,title\n1,a b\n")
    (row,) = list_products(store).rows
    assert row.predicted is None
    assert list_products(store, order="suspicion").rows == ()
    assert list_products(store, ProductFilter(predicted_class_ids=(1,))).rows == ()


def test_the_detail_tells_the_whole_story(shop):
    detail = product_detail(shop.store, "p1")
    assert (detail.title, detail.description, detail.split) == ("mot1 titre 1", "texte", "train")
    assert detail.label.code == "A" and detail.removed_at is None
    assert [(h.kind, h.annotator, h.label_before, h.label) for h in detail.history] == [
        ("import", "import", None, "B"),
        ("label", "anna", "B", "C"),
        ("label", "anna", "C", "A"),
    ]
    assert detail.history[2].created_at == NOW + 5 and detail.history[2].suggestion == {}
    assert [(p.model, p.stage, p.fused) for p in detail.predictions] == [
        ("now", "production", "C"),
        ("old", "archived", "B"),
    ]
    with pytest.raises(NotFoundError, match="there is no product 'p99'; search"):
        product_detail(shop.store, "p99")


def test_the_catalogue_in_numbers(shop):
    numbers = catalogue_numbers(shop.store)
    assert (numbers.source, numbers.num_products) == ("csv", NUM)
    assert (numbers.num_labelled, numbers.num_unlabelled) == (19, 5)
    assert (numbers.num_without_title, numbers.num_without_description) == (1, 12)
    assert (numbers.num_without_photo, numbers.num_flagged) == (16, 1)
    assert numbers.by_split == {"train": 12, "val": 6, "test": 6}
    assert sum(numbers.labelled_by_split.values()) == 19
    assert [c.code for c in numbers.classes] == ["A", "B", "C"]
    assert sum(c.num_products for c in numbers.classes) == 19
    assert all(c.num_products == sum(c.by_split.values()) for c in numbers.classes)


def test_an_empty_store_has_numbers_and_lists(store):
    numbers = catalogue_numbers(store)
    assert (numbers.source, numbers.num_products, numbers.classes) == (None, 0, ())
    assert list_products(store).rows == () and count_products(store) == Count(0, False)
