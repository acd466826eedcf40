"""What people do on the pages, through AppTest: buttons, filters, refusals, undo."""

import pytest
import streamlit as st
from page_texts import texts, told

from mmcore.services.catalogue_numbers import catalogue_numbers
from mmcore.services.people import actor_named, list_people


def button(app, label):
    return next(found for found in app.button if found.label == label)


def test_a_product_is_labelled_and_the_act_undone(visit, app_shop):
    before = app_shop.product("p1")
    app = visit("product_page", "anna", id="p1")
    app.selectbox(key=f"o.label.{before.id}.{before.version}").select("2583").run()
    button(app, "Save the label").click().run()
    after = app_shop.product("p1")
    assert after.class_id != before.class_id and after.version == before.version + 1
    button(app, "Undo the last act").click().run()
    assert app_shop.product("p1").class_id == before.class_id
    assert not app.exception


def test_an_old_screen_overwrites_nobody(visit, app_shop):
    seen = app_shop.product("p2")
    app = visit("product_page", "anna", id="p2")
    app.selectbox(key=f"o.label.{seen.id}.{seen.version}").select("10").run()
    from mmcore.services.labelling import Seen, label

    label(app_shop.store, app_shop.people["ben"], Seen(seen.id, seen.version, "ben"), "40", 9e8)
    button(app, "Save the label").click().run()
    assert any("was labelled" in toast and "ben" in toast for toast in told(app))
    assert len(app_shop.annotations("anna")) == 0


def test_the_label_of_an_archived_class_is_shown_and_not_offered(visit, app_shop):
    from mmcore.services.classes import archive_class

    archive_class(app_shop.store, app_shop.people["lena"], "40", "archive", 9e8)
    app = visit("product_page", "anna", id="p1")
    product = app_shop.product("p1")
    box = app.selectbox(key=f"o.label.{product.id}.{product.version}")
    assert box.value == "40" and "40 (archived)" in box.options
    other = visit("product_page", "anna", id="p2")
    product = app_shop.product("p2")
    box = other.selectbox(key=f"o.label.{product.id}.{product.version}")
    assert not any("40" in option for option in box.options)


def test_a_viewer_may_look_but_not_decide(visit):
    app = visit("product_page", "vera", id="p1")
    assert button(app, "Save the label").disabled and button(app, "Undo the last act").disabled


def test_a_product_that_is_none_is_told(visit):
    assert "there is no product 'p999'" in texts(visit("product_page", "vera", id="p999"))
    assert "Choose a product" in texts(visit("product_page", "vera"))


def test_the_catalogue_counts_what_a_search_means(visit):
    app = visit("catalogue_page", "vera")
    assert "24 products" in [h.value for h in app.subheader]
    app.text_input(key="c.filter.search").input("p7").run()
    assert "1 products" in [h.value for h in app.subheader]
    app.text_input(key="c.filter.search").input("nothing like it").run()
    assert "No product is meant" in texts(app)


def test_bulk_needs_a_lead_for_a_whole_filter(visit, app_shop):
    app = visit("bulk_page", "anna")
    app.selectbox(key="b.code").select("2583").run()
    app.segmented_control(key="b.whom").set_value("all that the filters mean").run()
    assert button(app, "Label 24 products").disabled


def test_bulk_labels_what_the_filters_mean_and_takes_it_back(visit, app_shop):
    before = catalogue_numbers(app_shop.store).by_split, _labels(app_shop)
    app = visit("bulk_page", "lena")
    app.multiselect(key="b.filter.labels").set_value(["10"]).run()
    app.selectbox(key="b.code").select("2583").run()
    app.segmented_control(key="b.whom").set_value("all that the filters mean").run()
    count = before[1]["10"]
    assert any(f"They are now: {count} 10" in caption.value for caption in app.caption)
    button(app, f"Label {count} products").click().run()
    assert _labels(app_shop)["10"] == 0
    button(app, f"Undo: {count} products labelled 2583").click().run()
    assert (catalogue_numbers(app_shop.store).by_split, _labels(app_shop)) == before


def _labels(app_shop):
    return {c.code: c.num_products for c in catalogue_numbers(app_shop.store).classes}


def test_an_admin_changes_roles_and_nobody_else(visit, app_shop):
    app = visit("team_page", "adam")
    app.segmented_control(key="t.part").set_value("People").run()
    anna = next(p for p in list_people(app_shop.store) if p.name == "anna")
    app.selectbox(key=f"t.role.{anna.id}.annotator").select("lead").run()
    assert actor_named(app_shop.store, "anna").role == "lead"
    app = visit("team_page", "lena")
    app.segmented_control(key="t.part").set_value("People").run()
    assert all(b.disabled for b in app.button if b.label in ("Add", "Deactivate"))


def test_the_last_admin_stays(visit, app_shop):
    app = visit("team_page", "adam")
    app.segmented_control(key="t.part").set_value("People").run()
    adam = next(p for p in list_people(app_shop.store) if p.name == "adam")
    app.button(key=f"t.out.{adam.id}").click().run()
    assert actor_named(app_shop.store, "adam").role == "admin"
    assert any("admin" in toast for toast in told(app))


@pytest.mark.parametrize("part", ["Classes", "Queue", "Quality gate", "Storage", "Backup", "About"])
def test_every_part_of_the_settings_opens(visit, part):
    app = visit("settings_page", "lena")
    app.segmented_control(key="s.part").set_value(part).run()
    assert not app.exception and not app.error


def test_a_class_is_added_and_the_change_undone(visit, app_shop):
    app = visit("settings_page", "lena")
    app.text_input(key="s.add.code").input("9000").run()
    button(app, "Add").click().run()
    assert "9000" in _labels(app_shop)
    next(b for b in app.button if b.label == "Undo").click().run()
    assert "9000" not in _labels(app_shop)


def test_an_empty_workspace_says_what_to_do(tmp_path, monkeypatch, visit):
    monkeypatch.setenv("MMCORE_HOME", str(tmp_path / "empty"))
    st.cache_resource.clear()
    wanted = {
        "catalogue_page": "The catalogue is empty",
        "predict_page": "No model is here yet",
        "models_page": "There is no model yet",
        "team_page": "Nobody has labelled yet",
        "retrain_page": "are needed",
    }
    for key, words in wanted.items():
        app = visit(key, "local")
        assert not app.exception and words in texts(app), key
