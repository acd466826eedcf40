"""A product's own page: flags, what left the catalogue, near-copies, its history."""

from page_texts import texts, told
from sqlalchemy import update

from mmcore.store.tables import Product


def button(app, label):
    return next(found for found in app.button if found.label == label)


def change(shop, product_id, **values):
    with shop.store.writing() as session:
        session.execute(update(Product).where(Product.product_id == product_id).values(**values))


def test_a_flag_is_set_with_its_reason_and_taken_away(visit, app_shop):
    app = visit("product_page", "anna", id="p1")
    seen = app_shop.product("p1")
    app.text_input(key=f"o.comment.{seen.id}.{seen.version}").input("deux articles").run()
    button(app, "Flag it for a lead").click().run()
    assert app_shop.product("p1").is_flagged and "It is flagged" in texts(app)
    assert app_shop.annotations("anna")[-1].comment == "deux articles"
    button(app, "Take the flag away").click().run()
    assert not app_shop.product("p1").is_flagged and "It is flagged" not in texts(app)
    assert not app.exception


def test_the_undo_of_a_flag_takes_it_away(visit, app_shop):
    app = visit("product_page", "anna", id="p1")
    button(app, "Flag it for a lead").click().run()
    button(app, "Undo the last act").click().run()
    assert not app_shop.product("p1").is_flagged
    assert any(toast.startswith("Undone: ") for toast in told(app))


def test_without_a_history_there_is_nothing_to_undo(visit):
    app = visit("product_page", "anna", id="p1")
    assert button(app, "Undo the last act").disabled
    assert "Nobody has decided anything about it yet" in texts(app)


def test_what_people_did_is_listed(visit, app_shop):
    app = visit("product_page", "anna", id="p1")
    seen = app_shop.product("p1")
    app.selectbox(key=f"o.label.{seen.id}.{seen.version}").select("2583").run()
    button(app, "Save the label").click().run()
    rows = next(t.value for t in app.dataframe if "who" in t.value)
    assert list(rows["who"]) == ["anna"]
    assert rows["label before"][0].startswith("40") and rows["label after"][0].startswith("2583")


def test_the_label_it_has_cannot_be_saved_again(visit):
    assert button(visit("product_page", "anna", id="p1"), "Save the label").disabled


def test_a_product_that_left_the_catalogue_is_shown_and_not_decided(visit, app_shop):
    change(app_shop, "p1", removed_at=1_750_000_000.0)
    app = visit("product_page", "lena", id="p1")
    assert "took it out of the catalogue" in texts(app) and not app.exception
    seen = app_shop.product("p1")
    app.selectbox(key=f"o.label.{seen.id}.{seen.version}").select("2583").run()
    assert button(app, "Save the label").disabled
    assert button(app, "Flag it for a lead").disabled


def test_near_copies_are_shown_where_there_are_some(visit, app_shop):
    assert "Near-copies" not in [h.value for h in visit("product_page", "vera", id="p1").subheader]
    change(app_shop, "p2", group_id="g1")
    for product_id in ("p1", "p2"):
        app = visit("product_page", "vera", id=product_id)
        assert "Near-copies" in [h.value for h in app.subheader] and not app.exception


def test_a_product_without_photo_or_prediction_opens(visit, app_shop):
    from sqlalchemy import delete

    from mmcore.store.tables import Prediction

    with app_shop.store.writing() as session:
        session.execute(delete(Prediction))
    app = visit("product_page", "vera", id="p3")
    assert not app.exception and not app.error
