"""The Catalogue: filters together, the table, pages, and filters that a click has set."""

import pytest
from app_shop import open_app_shop
from page_texts import texts
from sqlalchemy import update

from mmcore.store.tables import Product


def button(app, label):
    return next(found for found in app.button if found.label.startswith(label))


def count(app):
    return app.subheader[0].value


def ids(app):
    """Return the ids in the table; the list has to be one."""
    return list(app.dataframe[0].value["id"])


@pytest.fixture
def table(visit):
    app = visit("catalogue_page", "vera")
    app.segmented_control(key="c.form").set_value("table").run()
    return app


def test_filters_narrow_each_other(visit):
    app = visit("catalogue_page", "vera")
    app.multiselect(key="c.filter.labels").set_value(["10"]).run()
    assert count(app) == "5 products"  # p4, p8, p12, p16, p24; p20 has no label
    app.multiselect(key="c.filter.states").set_value(["without photo"]).run()
    assert count(app) == "2 products"  # p12, p24
    app.selectbox(key="c.filter.split").select("val").run()
    assert "No product is meant by these filters" in texts(app)
    app.selectbox(key="c.filter.split").select("any").run()
    assert count(app) == "2 products" and not app.exception


def test_a_predicted_class_finds_products_without_a_label(table):
    table.multiselect(key="c.filter.predicted").set_value(["10"]).run()
    table.multiselect(key="c.filter.states").set_value(["without a label"]).run()
    assert ids(table) == ["p20"]


def test_the_table_shows_label_prediction_and_marks(table, app_shop):
    with app_shop.store.writing() as session:
        session.execute(update(Product).where(Product.product_id == "p4").values(is_flagged=True))
    table.text_input(key="c.filter.search").input("p4").run()
    (row,) = table.dataframe[0].value.to_dict("records")
    assert (row["id"], row["label"], row["split"]) == ("p4", "Livres d'occasion", "train")
    assert row["predicted"].startswith("Livres d'occasion 70") and row["flagged"]
    table.text_input(key="c.filter.search").input("p5").run()
    assert list(table.dataframe[0].value["label"]) == [""], "it has no label"


def test_who_annotated_is_a_filter(table, app_shop):
    from mmcore.services.labelling import Seen, label

    label(app_shop.store, app_shop.people["ben"], Seen(3, 0, "t"), "10", 9e8)
    table.selectbox(key="c.filter.person").select("ben").run()
    assert ids(table) == ["p3"]
    table.selectbox(key="c.filter.person").select("anna").run()
    assert "No product is meant" in texts(table)


def test_the_order_is_the_one_chosen(table):
    table.selectbox(key="c.order").select("newest").run()
    assert ids(table) == [f"p{i}" for i in range(24, 0, -1)]


def test_a_filter_set_by_a_click_is_told_and_lifted(visit):
    app = visit("catalogue_page", "vera")
    app.session_state["c.filter.chars"] = (21, 80)
    app.run()
    # an even product has no description: 16 or 17 characters in all
    assert count(app) == "12 products"
    button(app, "Text of 21 to 80 characters").click().run()
    assert count(app) == "24 products"
    assert not [b for b in app.button if b.label.startswith("Text of")]


class TestPages:
    @pytest.fixture
    def app_shop(self, tmp_path, monkeypatch):
        import streamlit as st

        monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "home"))
        shop = open_app_shop(tmp_path / "home", num_products=100)
        yield shop
        shop.store.close()
        st.cache_resource.clear()
        st.cache_data.clear()

    def test_every_product_is_on_one_page_and_the_way_back_is_the_same(self, table):
        assert button(table, "Before").disabled
        pages = [ids(table)]
        while not button(table, "Next").disabled:
            button(table, "Next").click().run()
            pages.append(ids(table))
        assert [len(page) for page in pages] == [48, 48, 4]
        assert sorted(sum(pages, [])) == sorted(f"p{i}" for i in range(1, 101))
        button(table, "Before").click().run()
        assert ids(table) == pages[1] and "page 2" in texts(table)

    def test_another_filter_begins_at_its_first_page(self, table):
        button(table, "Next").click().run()
        table.multiselect(key="c.filter.states").set_value(["labelled"]).run()
        assert "page 1" in texts(table) and len(ids(table)) == 48
        assert button(table, "Before").disabled
