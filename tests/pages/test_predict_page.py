"""Predict through AppTest, with a model that answers by rule: no network is behind it."""

from types import SimpleNamespace

import pytest
from page_texts import texts

from mmcore.catalog.class_names import Ranked
from mmcore.errors import ArtifactError, ProductError
from mmcore.services.answers import Answer, ViewAnswer, Word
from mmcore.services.neighbours import Neighbour
from mmcore.services.why import ViewWhy, Why

COLUMNS = "mmcore.services.prediction.further_columns"
BOOK, POOL = (
    Ranked("10", "Livres d'occasion", "Second-hand books", 0.0),
    Ranked("2583", "Piscine", "", 0),
)


def says(model, product) -> Answer:
    """Return pool for pools, else book; m2 is less sure; the photo always shows a pool."""
    text = f"{product.title} {product.description}".strip()
    if not text and product.photo is None:
        raise ProductError("nothing to predict from: text is not given")
    share = 0.9 if model == "m1" else 0.6
    first = POOL if "piscine" in text.lower() or not text else BOOK
    views = []
    for name, best, there in (
        ("text", first, text),
        ("image", POOL, product.photo),
        ("fused", first, True),
    ):
        other = BOOK if best is POOL else POOL
        probs = {best.code: share, other.code: 1 - share} if there else {}
        bar = Ranked(best.code, best.name_fr, best.name_en, share) if there else None
        views.append(ViewAnswer(name, bar, probs, "" if there else f"no {name} is given"))
    words = tuple(Word(word, True) for word in text.lower().split())
    fused = views[2].best
    other = BOOK if fused.code == POOL.code else POOL
    return Answer(model, (fused, other), tuple(views), "told", first is POOL, words, ())


class Index:
    def like_input(self, product, count):
        return [Neighbour(i, f"p{i}", 0.9 - i / 100, 0.5, None) for i in (5, 1, 2, 3)]


@pytest.fixture
def asked(monkeypatch):
    """Put two models behind the page; return the list of (what, model) that they were asked."""
    found = []

    def answer(runtime, product):
        found.append(("answer", runtime.name))
        return says(runtime.name, product)

    def explain(runtime, product, said):
        found.append(("why", runtime.name))
        why = ViewWhy("text", said.fused.code, said.fused.name_fr, {"piscine": 0.5}, (), ())
        return Why((why,), b"")

    result, choice = "mmcore.ui.predict.result", "mmcore.ui.predict.choice"
    versions = [SimpleNamespace(name=n, stage=s) for n, s in (("m1", "production"), ("m2", "cand"))]
    monkeypatch.setattr(f"{choice}.usable_versions", lambda desk: versions)
    monkeypatch.setattr(COLUMNS, lambda workspace, settings, model: ["price"])
    monkeypatch.setattr(f"{result}.runtime_of", lambda desk, name: SimpleNamespace(name=name))
    monkeypatch.setattr(f"{result}.neighbours_or_wait", lambda desk, name: Index())
    monkeypatch.setattr(f"{result}.answer", answer)
    monkeypatch.setattr(f"{result}.explain_views", explain)
    monkeypatch.setattr(
        f"{result}.given_product",
        lambda t, d, p, e: SimpleNamespace(title=t, description=d, photo=p, extra=e),
    )
    return found


def button(app, label):
    return next(found for found in app.button if found.label == label)


def test_nothing_typed_yet_says_what_to_do(visit, asked):
    app = visit("predict_page", "vera")
    assert "Type a title" in texts(app) and asked == [] and not app.exception


def test_an_answer_comes_once_and_its_reasons_after_it(visit, asked):
    app = visit("predict_page", "vera")
    app.text_input(key="p.title").input("Piscine ronde").run()
    assert asked == [("answer", "m1"), ("why", "m1")]
    assert "Nothing of this is stored" in texts(app)
    assert "Labels of these 3" in texts(app), "p5 has no label"
    app.selectbox(key="p.save.2583").select("10").run()
    assert asked == [("answer", "m1"), ("why", "m1")], "a click asks nothing anew"
    app.text_area(key="p.description").input("bleue").run()
    assert asked[2:] == [("answer", "m1"), ("why", "m1")]


def test_an_address_brings_a_product_of_the_catalogue(visit, app_shop, asked):
    app = visit("predict_page", "lena", product="p1")
    product = app_shop.product("p1")
    assert app.text_input(key="p.title").value == product.title
    assert app.text_input(key="p.extra.price").value == "1.50"
    assert app.session_state["p.photo"][0] is not None
    assert "It is in the catalogue already" in texts(app)
    assert "Save to the catalogue" not in [b.label for b in app.button]
    assert "Labels of these 2" in texts(app), "p1 itself is not among its neighbours"
    app.text_input(key="p.title").input("Autre chose").run()
    assert "Save to the catalogue" in [b.label for b in app.button]


def test_an_address_that_leads_nowhere_is_told(visit, asked):
    assert "there is no product 'p999'" in texts(visit("predict_page", "vera", product="p999"))
    assert "there is no batch 'none'" in texts(visit("predict_page", "vera", batch="none", row="a"))


def test_a_photo_that_is_none_is_told_where_it_was_given(visit, asked, make_photo):
    app = visit("predict_page", "vera")
    app.file_uploader(key="p.upload.0").upload("a.jpg", b"nothing", "image/jpeg").run()
    assert "no photo we can read" in texts(app) and asked == []
    app.file_uploader(key="p.upload.1").upload("a.jpg", make_photo(), "image/jpeg").run()
    assert "no photo we can read" not in texts(app) and ("answer", "m1") in asked
    app.file_uploader(key="p.upload.2").upload("b.jpg", b"nothing", "image/jpeg").run()
    assert "no photo we can read" in texts(app), "and the one before stays"
    assert app.session_state["p.photo"][0] == make_photo()


def test_a_random_product_of_a_class(visit, app_shop, asked):
    app = visit("predict_page", "vera")
    app.selectbox(key="p.example.class").select("2583").run()
    button(app, "Take one").click().run()
    product_id = app.query_params["product"]
    found = app_shop.product(product_id)
    assert found.class_id == app_shop.product("p3").class_id and found.split == "test"
    assert app.text_input(key="p.title").value == found.title
    button(app, "Clear").click().run()
    assert "product" not in app.query_params and app.text_input(key="p.title").value == ""
    assert "Type a title" in texts(app)


def test_what_if_a_part_were_missing(visit, app_shop, asked):
    app = visit("predict_page", "vera", product="p1")
    app.pills(key="p.without").set_value(["photo"]).run()
    assert "Without photo: still Livres d'occasion, as sure as before (90%)." in texts(app)
    app.pills(key="p.without").set_value(["title", "description"]).run()
    told = "Without title and description: Piscine 90% instead of Livres d'occasion 90%."
    assert told in texts(app)
    assert app.text_input(key="p.title").value == app_shop.product("p1").title
    app.pills(key="p.without").set_value(["title", "description", "photo"]).run()
    assert "nothing to predict from" in texts(app) and not app.exception


def test_what_it_lacks_anyway_is_told(visit, asked):
    app = visit("predict_page", "vera")
    app.text_input(key="p.title").input("Piscine").run()
    app.pills(key="p.without").set_value(["photo"]).run()
    assert "It has no photo anyway." in texts(app)


def test_a_second_model_stands_beside_the_first(visit, asked):
    app = visit("predict_page", "vera")
    app.text_input(key="p.title").input("Piscine").run()
    app.selectbox(key="p.other").select("m2").run()
    assert ("answer", "m2") in asked and ("why", "m2") not in asked
    assert "Model m2: still Piscine, 60% instead of 90%." in texts(app)


def test_saving_acts_once_however_often_it_is_clicked(visit, app_shop, asked, no_worker):
    app = visit("predict_page", "lena")
    app.text_input(key="p.title").input("Piscine à bulles").run()
    save = button(app, "Save to the catalogue")
    save.click().run()
    assert not app.exception and "Saved as product hand-" in texts(app)
    button(app, "Save to the catalogue").click().run()
    marks = app_shop.annotations("lena")
    assert [mark.kind for mark in marks] == ["label"]
    product_id = app.session_state["p.saved"][1].product_id
    assert app_shop.product(product_id).title == "Piscine à bulles"
    button(app, "Undo the label").click().run()
    assert app_shop.product(product_id).class_id is None
    assert "Undo the label" not in [b.label for b in app.button]
    assert "Nothing of this is stored" not in texts(app)
    assert [mark.kind for mark in app_shop.annotations("lena")] == ["label", "undo"]


@pytest.mark.parametrize("person", ["vera", "anna"])
def test_saving_needs_a_lead(visit, asked, person):
    app = visit("predict_page", person)
    app.text_input(key="p.title").input("Piscine").run()
    save = button(app, "Save to the catalogue")
    assert save.disabled and "needs the role lead" in save.help


def test_a_damaged_model_is_told(visit, asked, monkeypatch):
    def refuse(workspace, settings, model):
        raise ArtifactError("the folder of m1 is damaged; roll back")

    monkeypatch.setattr(COLUMNS, refuse)
    assert "the folder of m1 is damaged" in texts(visit("predict_page", "vera"))


@pytest.fixture
def no_worker(monkeypatch):
    """Keep a job from starting a process."""
    monkeypatch.setattr("mmcore.jobs.local.LocalBackend.wake", lambda self, now: None)
