"""Bulk: what was selected is labelled once, others' changes are spared, and all is taken back."""

from types import SimpleNamespace

import pytest
from page_texts import texts, told

from mmcore.services.labelling import Seen, label


def button(app, label):
    return next(found for found in app.button if found.label.startswith(label))


@pytest.fixture
def select(monkeypatch):
    """Return a function that says which cards are selected, as the grid would."""
    chosen = []
    monkeypatch.setattr(
        "mmcore.ui.photo_grid.photo_grid", lambda cards, key, on_open, **more: list(chosen)
    )

    def choose(*product_ids):
        chosen[:] = product_ids

    return choose


def classes(shop, *product_ids):
    return [shop.product(product_id).class_id for product_id in product_ids]


def test_without_a_selection_nothing_can_be_labelled(visit, select):
    app = visit("bulk_page", "anna")
    assert button(app, "Label 0 products").disabled and "Select cards by click" in texts(app)


def test_a_selection_needs_a_class(visit, select):
    select("p1", "p2")
    assert button(visit("bulk_page", "anna"), "Label 2 products").disabled


def test_an_annotator_labels_a_selection_and_takes_it_back(visit, app_shop, select):
    select("p1", "p2", "p5")
    before = classes(app_shop, "p1", "p2", "p5")
    app = visit("bulk_page", "anna")
    assert "1 without a label" in texts(app), "what they are now is told first"
    app.selectbox(key="b.code").select("2583").run()
    button(app, "Label 3 products").click().run()
    assert len(set(classes(app_shop, "p1", "p2", "p5"))) == 1
    assert any(t.startswith("3 products labelled 2583.") for t in told(app))
    button(app, "Undo: 3 products labelled 2583").click().run()
    assert classes(app_shop, "p1", "p2", "p5") == before
    assert any("3 products put back" in t for t in told(app))
    assert not [b for b in app.button if b.label.startswith("Undo:")], "once"
    assert not app.exception


def test_what_another_person_changed_meanwhile_is_left_alone(visit, app_shop, select):
    select("p1", "p2")
    app = visit("bulk_page", "anna")
    app.selectbox(key="b.code").select("2583").run()
    label(app_shop.store, app_shop.people["ben"], Seen(2, 0, "ben"), "10", 9e9)
    (bens,) = classes(app_shop, "p2")
    button(app, "Label 2 products").click().run()
    assert classes(app_shop, "p2") == [bens]
    assert any("1 were changed by others meanwhile" in t for t in told(app))


def test_undo_keeps_what_was_changed_since(visit, app_shop, select):
    select("p1", "p2")
    first = classes(app_shop, "p1")
    app = visit("bulk_page", "anna")
    app.selectbox(key="b.code").select("2583").run()
    button(app, "Label 2 products").click().run()
    seen = app_shop.product("p2")
    label(app_shop.store, app_shop.people["ben"], Seen(2, seen.version, "ben"), "10", 9e9)
    (bens,) = classes(app_shop, "p2")
    button(app, "Undo: 2 products").click().run()
    assert classes(app_shop, "p1", "p2") == [*first, bens]
    assert any("1 kept because changed since" in t for t in told(app))


def test_a_viewer_is_refused(visit, select):
    assert "needs the role annotator" in texts(visit("bulk_page", "vera"))


def test_filters_that_mean_nothing_say_so(visit, select):
    app = visit("bulk_page", "anna")
    app.text_input(key="b.filter.search").input("nothing like it").run()
    assert "No product is meant by these filters" in texts(app)
    assert not [b for b in app.button if b.label.startswith("Label")]


def test_likeness_needs_a_model_that_can_be_loaded(visit, select):
    app = visit("bulk_page", "anna", like="p1")  # the folder of m1 is not there
    assert app.segmented_control(key="b.way").value == "Like a product"
    assert app.text_input(key="b.like").value == "p1"
    assert "Likeness is what a model sees" in texts(app) and not app.exception


@pytest.fixture
def like(visit, monkeypatch):
    """Return a function that opens the page on products like p1; it takes the index."""

    def open_page(index, progress=(0, 0)):
        live = SimpleNamespace(ask=lambda revision, patience_s=0: index, progress=progress)
        versions = [SimpleNamespace(name="m1")]
        monkeypatch.setattr("mmcore.ui.bulk.choosing.usable_versions", lambda desk: versions)
        monkeypatch.setattr("mmcore.ui.neighbour_wait.live_index", lambda desk, name: (live, 1))
        return visit("bulk_page", "anna", like="p1")

    return open_page


def test_products_that_are_alike_can_be_labelled_together(app_shop, select, like):
    near = [SimpleNamespace(id=app_shop.product(name).id) for name in ("p5", "p2")]
    select("p2", "p5")
    app = like(SimpleNamespace(like_product=lambda product_id, count: near))
    app.selectbox(key="b.code").select("2583").run()
    assert not button(app, "Label 2 products").disabled and not app.exception
    assert not [b for b in app.button if b.label == "Next"], "likeness has no pages"


def test_while_the_catalogue_is_read_the_page_says_how_far_and_works(select, like):
    app = like(None, progress=(4_096, 100_000))
    assert "4,096 of 100,000 products" in texts(app) and not app.exception
    assert "beginning" in texts(like(None))
    app.segmented_control(key="b.way").set_value("Filters").run()
    assert "Select cards by click" in texts(app)


def test_a_page_of_the_list_is_asked_for_once(visit, select, monkeypatch):
    from mmcore.ui.catalogue import pager

    asked, ask = [], pager.list_products
    monkeypatch.setattr(pager, "list_products", lambda *a: asked.append(1) or ask(*a))
    app = visit("bulk_page", "anna")
    assert len(asked) == 1 and [b for b in app.button if b.label == "Next"]
