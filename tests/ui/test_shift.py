"""The Label screen's keys, without a browser: what each does to the store and to what is open."""

import itertools

import pytest

from mmcore.services.labelling import Seen, label
from mmcore.services.queue import QueueChoice
from mmcore.ui.label_view import board_data
from mmcore.ui.shift import Shift, choose, fill, handle, start_with

NOW = 1_000_000.0


class Hands:
    """A person at a board: keys in, what the store says out."""

    def __init__(self, desk):
        self.desk, self.shift, self.clock = desk, Shift(), itertools.count(NOW)
        fill(desk, self.shift, next(self.clock))

    def act(self, kind, **more):
        item = self.shift.current
        act = {"kind": kind, "token": f"{kind}-{next(self.clock)}"}
        if item and kind not in ("undo", "photos"):
            act |= {"id": item.id, "version": item.version, "token": item.token, "seconds": 2.0}
            shown = board_data(self.desk, self.shift)["item"]
            best = shown["candidates"][:1]
            act["suggestion"] = {**best[0], "model": shown["model"]} if best else None
        act |= more
        handle(self.desk, self.shift, act, next(self.clock))
        return act

    @property
    def on_screen(self):
        return self.shift.current and self.shift.current.product_id


@pytest.fixture
def anna(desk_of):
    return Hands(desk_of("anna"))


@pytest.fixture
def ben(desk_of):
    return Hands(desk_of("ben"))


def test_enter_saves_the_suggestion_and_the_product_behind_comes(anna, app_shop):
    behind, suggested = anna.shift.ahead, anna.shift.current.suggestion.fused[0].code
    first = anna.on_screen
    anna.act("accept")
    (saved,) = app_shop.annotations("anna")
    assert (saved.kind, saved.seconds) == ("accept", 2.0)
    assert board_data(anna.desk, anna.shift)["recent"][0]["label"] == suggested
    assert anna.shift.current == behind and anna.on_screen != first
    assert anna.shift.answer["error"] is None and anna.shift.saved_at


def test_the_same_key_twice_counts_once(anna, app_shop):
    act = anna.act("accept")
    after = anna.on_screen
    handle(anna.desk, anna.shift, act, NOW + 50)  # a resend whose first answer was lost
    assert len(app_shop.annotations("anna")) == 1
    assert anna.on_screen == after and anna.shift.answer["error"] is None


def test_a_candidate_and_any_class_are_labels(anna, app_shop):
    anna.act("label", code="2583")
    (saved,) = app_shop.annotations("anna")
    assert saved.kind == "label"
    assert saved.suggestion["probability"] > 0  # what was shown is remembered


def test_skip_and_flag_keep_the_reason(anna, app_shop):
    anna.act("skip", comment="illisible")
    anna.act("flag", comment="deux articles")
    assert [(a.kind, a.comment) for a in app_shop.annotations("anna")] == [
        ("skip", "illisible"),
        ("flag", "deux articles"),
    ]


def test_undo_brings_the_product_back_at_any_depth(anna, app_shop):
    seen = []
    for _ in range(3):
        seen.append(anna.on_screen)
        anna.act("accept")
    for product_id in reversed(seen):
        anna.act("undo")
        assert anna.shift.answer["error"] is None
        assert anna.on_screen == product_id
    anna.act("undo")
    assert "no label, skip or flag of yours" in anna.shift.answer["error"]
    assert anna.on_screen == seen[0]


def test_one_of_the_last_ten_is_undone_by_its_number(anna):
    first = anna.on_screen
    anna.act("accept")
    anna.act("accept")
    acts = board_data(anna.desk, anna.shift)["recent"]
    anna.act("undo", act=acts[1]["act_id"])
    assert anna.on_screen == first


def test_two_people_never_have_the_same_product(anna, ben):
    for _ in range(8):
        anna.act("accept")
        ben.act("accept")
        theirs = {i.id for i in (ben.shift.current, ben.shift.ahead) if i}
        assert not theirs & set(anna.shift.open_products())


def test_a_stale_write_is_shown_and_the_decision_can_be_kept(anna, app_shop):
    item = anna.shift.current
    lead = app_shop.people["lena"]
    label(app_shop.store, lead, Seen(item.id, item.version, "lead"), "10", NOW)
    act = anna.act("label", code="2583")
    answer = anna.shift.answer
    assert "was labelled" in answer["error"] and "lena" in answer["error"]
    assert anna.shift.current == item and not app_shop.annotations("anna")
    handle(anna.desk, anna.shift, {**act, "version": answer["stale_version"]}, NOW + 60)
    assert anna.shift.answer["error"] is None
    assert len(app_shop.annotations("anna")) == 1 and anna.shift.current != item


def test_what_is_refused_can_be_left(anna):
    item = anna.shift.current
    anna.act("label", code="no such class")
    assert "no such class" in anna.shift.answer["error"]
    anna.act("drop", token="d")
    assert anna.shift.current != item


def test_an_act_that_is_none_is_refused(anna, app_shop):
    anna.act("explode")
    assert "no act 'explode'" in anna.shift.answer["error"]
    assert not app_shop.annotations("anna")


def test_another_queue_gives_back_what_was_open(anna, ben):
    mine = set(anna.shift.open_products())
    choose(anna.desk, anna.shift, QueueChoice("newest", only="unlabelled"), NOW + 9)
    assert anna.shift.current.label is None
    ben.shift.choice = QueueChoice("newest")
    seen = set()
    while ben.on_screen:
        seen |= set(ben.shift.open_products())
        ben.act("accept")
    assert mine - set(anna.shift.open_products()) <= seen


def test_a_link_puts_its_product_first(anna):
    free = {1, 2, 3, 4, 5} - set(anna.shift.open_products())
    wanted, before = free.pop(), anna.shift.current
    start_with(anna.desk, anna.shift, f"p{wanted}", NOW)
    assert anna.shift.current.id == wanted and anna.shift.ahead == before


def test_photos_are_sent_once_and_again_when_asked_for(anna):
    first = board_data(anna.desk, anna.shift)
    keys = {i.photo for i in (anna.shift.current, anna.shift.ahead) if i.photo}
    assert keys and keys <= set(first["photos"])
    assert all(url.startswith("data:image/jpeg;base64,") for url in first["photos"].values())
    assert board_data(anna.desk, anna.shift)["photos"] == {}
    anna.act("photos", keys=list(keys))
    assert set(board_data(anna.desk, anna.shift)["photos"]) == keys


def test_a_hidden_suggestion_does_not_leave_the_server(anna, app_shop, desk_of):
    from mmcore.services.queue_settings import QueueSettings, put_queue_settings

    hidden = QueueSettings(overlap_share=0.0, hidden_share=1.0)
    put_queue_settings(app_shop.store, app_shop.people["lena"], hidden)
    ben = Hands(desk_of("ben"))
    item = board_data(ben.desk, ben.shift)["item"]
    assert item["is_hidden"] and item["candidates"] == [] and item["views"] == {}
    ben.act("accept")
    assert "nothing to accept" in ben.shift.answer["error"]


def test_the_end_of_the_queue_says_what_to_do(anna):
    for _ in range(24):
        anna.act("accept")
    data = board_data(anna.desk, anna.shift)
    assert data["item"] is None
    assert "every product is decided" in data["done"][0] and "retrain" in data["done"][1]
    anna.act("undo")
    assert board_data(anna.desk, anna.shift)["item"]
