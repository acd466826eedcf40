"""Team, as each role has it: who is at work, what people agree on, what a lead has to settle."""

import pytest
from page_texts import texts

from mmcore.services.labelling import Seen, label
from mmcore.services.queue import QueueChoice, next_product
from mmcore.services.queue_settings import QueueSettings, put_queue_settings
from mmcore.ui.team.quality import opinion_lines


def show(visit, part, person="adam"):
    app = visit("team_page", person)
    app.segmented_control(key="t.part").set_value(part).run()
    assert not app.exception
    return app


@pytest.fixture
def disagreed(app_shop):
    """Let anna and ben decide the same product differently; return its shop id."""
    whole = QueueSettings(overlap_share=1.0, hidden_share=0.0)
    put_queue_settings(app_shop.store, app_shop.people["lena"], whole)
    item = next_product(app_shop.store, app_shop.people["anna"], QueueChoice(), 1e9)
    seen = Seen(item.id, item.version, "anna", seconds=4.0)
    label(app_shop.store, app_shop.people["anna"], seen, "10", 1e9)
    again = Seen(item.id, item.version, "ben", seconds=5.0, is_second_opinion=True)
    label(app_shop.store, app_shop.people["ben"], again, "2583", 1e9 + 60)
    return item.product_id


@pytest.mark.parametrize("person", ["vera", "anna", "lena", "adam"])
@pytest.mark.parametrize("part", ["Work", "Quality", "People"])
def test_every_role_may_look_at_every_part(visit, disagreed, person, part):
    app = show(visit, part, person)
    assert not app.error


def test_whoever_sits_down_works_in_their_own_role(visit):
    app = visit("team_page", "adam")
    app.selectbox(key="t.me").select("vera").run()
    assert app.query_params["person"] == "vera"
    app.segmented_control(key="t.part").set_value("People").run()
    buttons = [b for b in app.button if b.label in ("Add", "Deactivate")]
    assert buttons and all(b.disabled for b in buttons)


def test_who_was_deactivated_may_not_sit_down(visit, app_shop):
    app = show(visit, "People")
    ben = app_shop.people["ben"]
    app.button(key=f"t.out.{ben.id}").click().run()
    assert "ben" not in app.selectbox(key="t.me").options
    app.button(key=f"t.out.{ben.id}").click().run()
    assert "ben" in app.selectbox(key="t.me").options


def test_a_conflict_is_counted_and_names_classes(visit, disagreed):
    app = show(visit, "Quality", "lena")
    assert "Conflicts: 1 open, 0 settled" in [h.value for h in app.subheader]
    assert [m.value for m in app.metric] == ["0%", "0.00"]


def test_opinions_name_the_class_in_french(app_shop, disagreed):
    from mmcore.services.quality import conflicts

    (found,) = conflicts(app_shop.store)
    lines = [line.text for line in opinion_lines(found, {"10": "Livres d'occasion"})]
    assert lines == ["anna: 10 Livres d'occasion", "ben: 2583"]


def test_without_two_opinions_it_says_how_to_get_them(visit):
    assert "No product has two opinions yet" in texts(show(visit, "Quality"))
