"""Going through a review by key: suspects, conflicts, and what is put off or taken back."""

import itertools

import pytest
from sqlalchemy import update

from mmcore.errors import ConfigError
from mmcore.services.labelling import Seen, label
from mmcore.services.queue import refresh
from mmcore.services.queue_settings import QueueSettings, put_queue_settings
from mmcore.services.reviewing import flag_precision, open_case, review_counts, review_list
from mmcore.store.tables import Prediction, Product
from mmcore.ui.review.round import Round, go_on, handle
from mmcore.ui.review.view import review_data

NOW = 2_000_000.0


@pytest.fixture
def suspects(app_shop):
    """Return the ids of two products whose labels are opposed, the surer one first."""
    with app_shop.store.writing() as session:
        for product_id, suspicion in ((1, 0.9), (2, 0.6)):
            session.execute(
                update(Prediction)
                .where(Prediction.product_id == product_id)
                .values(suspicion=suspicion, label_class_id=_label(session, product_id))
            )
    refresh(app_shop.store, 1)
    return ("p1", "p2")


def _label(session, product_id):
    return session.get(Product, product_id).class_id


class Hands:
    def __init__(self, desk, kind):
        self.desk, self.turn, self.clock = desk, Round(kind), itertools.count(NOW)
        go_on(desk, self.turn, next(self.clock))

    def act(self, kind, **more):
        act = {"kind": kind, "token": f"{kind}-{next(self.clock)}"}
        if self.turn.case and kind != "undo":
            product = self.turn.case.product
            act |= {"id": product.id, "version": product.version, "token": self.turn.token}
        handle(self.desk, self.turn, act | more, next(self.clock))
        assert self.turn.answer["error"] is None, self.turn.answer
        go_on(self.desk, self.turn, next(self.clock))

    @property
    def on_screen(self):
        return self.turn.case and self.turn.case.product.product_id


def test_suspects_come_the_surest_first_and_leave_when_decided(desk_of, app_shop, suspects):
    lena = Hands(desk_of("lena"), "suspects")
    assert review_list(app_shop.store, "suspects") == suspects
    assert lena.on_screen == "p1"
    item = review_data(lena.desk, lena.turn)["item"]
    assert item["candidates"][0]["told"].startswith("label now")
    assert any("haven't seen this label" in line for line in item["told"])
    lena.act("label", code="2583")
    assert lena.on_screen == "p2"
    lena.act("label", code=item["label"])
    assert lena.on_screen is None and review_counts(app_shop.store)["suspects"] == 0
    assert "Of 2 suspect labels" in flag_precision(app_shop.store)


def test_what_is_put_off_comes_again_another_time(desk_of, suspects):
    lena = Hands(desk_of("lena"), "suspects")
    lena.act("skip")
    assert lena.on_screen == "p2"
    assert Hands(desk_of("lena"), "suspects").on_screen == "p1"


def test_undo_opens_the_product_again(desk_of, suspects):
    lena = Hands(desk_of("lena"), "suspects")
    lena.act("label", code="2583")
    lena.act("undo")
    assert lena.on_screen == "p1"


def test_two_leads_get_different_suspects(desk_of, suspects):
    assert Hands(desk_of("lena"), "suspects").on_screen == "p1"
    assert Hands(desk_of("adam"), "suspects").on_screen == "p2"


def test_a_conflict_shows_both_opinions_and_a_lead_settles_it(desk_of, app_shop):
    store, people = app_shop.store, app_shop.people
    shared = QueueSettings(overlap_share=1.0, hidden_share=0.0)
    put_queue_settings(store, people["lena"], shared)
    version = app_shop.product("p1").version
    label(store, people["anna"], Seen(1, version, "a"), "10", NOW)
    seen = Seen(1, version, "b", is_second_opinion=True)
    label(store, people["ben"], seen, "40", NOW + 1)
    lena = Hands(desk_of("lena"), "conflicts")
    assert lena.on_screen == "p1"
    who = {(o.code, o.who) for o in open_case(store, "p1").opinions}
    assert {("10", "anna"), ("40", "ben")} <= who
    lena.act("label", code="10")
    assert lena.on_screen is None and review_counts(store)["conflicts"] == 0


def test_a_label_that_was_not_checked_since_it_changed_is_no_suspect(app_shop):
    with app_shop.store.writing() as session:
        session.execute(update(Prediction).values(label_class_id=None))
    assert not any("suspect" in line for line in open_case(app_shop.store, "p1").told)


def test_two_leads_who_settle_one_conflict_are_told(desk_of, app_shop):
    store, people = app_shop.store, app_shop.people
    shared = QueueSettings(overlap_share=1.0, hidden_share=0.0)
    put_queue_settings(store, people["lena"], shared)
    version = app_shop.product("p1").version
    label(store, people["anna"], Seen(1, version, "a"), "10", NOW)
    label(store, people["ben"], Seen(1, version, "b", is_second_opinion=True), "40", NOW + 1)
    lena, adam = Hands(desk_of("lena"), "conflicts"), Hands(desk_of("adam"), "conflicts")
    lena.act("label", code="10")
    with pytest.raises(AssertionError, match="lena"):
        adam.act("label", code="40")
    assert adam.turn.answer["stale_version"] is not None and adam.on_screen == "p1"


def test_undo_of_an_older_act_opens_its_own_product(desk_of, app_shop, suspects):
    lena = Hands(desk_of("lena"), "suspects")
    lena.act("label", code="2583")
    first = review_data(lena.desk, lena.turn)["recent"][0]["act_id"]
    lena.act("label", code="2583")
    lena.act("undo", act=first)
    assert lena.on_screen == "p1" and lena.turn.decided == ["p2"]


def test_put_off_is_not_the_end(desk_of, suspects):
    lena = Hands(desk_of("lena"), "suspects")
    lena.act("skip")
    lena.act("skip")
    assert lena.on_screen is None
    assert "2 are left" in review_data(lena.desk, lena.turn)["done"][0]


def test_an_unknown_review_is_refused(app_shop):
    with pytest.raises(ConfigError, match="suspects, conflicts, changed"):
        review_list(app_shop.store, "everything")
