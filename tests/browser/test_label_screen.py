"""The Label screen in a real browser, with the keyboard alone; the database is asked afterwards."""

import time

import pytest
from playwright.sync_api import expect

from mmcore.services.labelling import Seen, label


@pytest.fixture
def anna(open_screen, app):
    return open_screen(app, "/label", "anna").ready()


def decide(screen, i):
    """Decide the product on the screen in one of four ways; return what was pressed."""
    before = screen.product
    if i % 4 == 0:
        screen.press("Enter", before)
    elif i % 4 == 1:
        screen.press("2", before)
    elif i % 4 == 2:
        screen.page.keyboard.type("pisc")
        screen.press("Enter", before)
    else:
        screen.press("Space", before)
    return before


def test_thirty_labels_by_keyboard_alone(anna, shop):
    decided = [decide(anna, i) for i in range(30)]
    assert len(set(decided)) == 30
    saved = shop.annotations("anna")
    assert [a.kind for a in saved] == ["accept", "label", "label", "skip"] * 7 + ["accept", "label"]
    ids = {shop.product(product_id).id: product_id for product_id in decided}
    assert [ids[a.product_id] for a in saved] == decided
    pool = [shop.product(p) for p in decided[2::4]]
    assert {p.class_id for p in pool} == {4}, "the class that was searched for"
    assert all(0 < a.seconds < 60 for a in saved)
    expect(anna.page.locator(".count")).to_contain_text("done")


def test_undo_brings_back_product_and_label(anna, shop):
    before, label = anna.product, shop.product(anna.product).class_id
    anna.press("2", before)
    assert shop.product(before).class_id != label
    anna.press("Backspace", anna.product)
    assert anna.product == before
    assert shop.product(before).class_id == label
    expect(anna.page.locator(".act").first).to_be_disabled()  # told as undone, not gone


def test_flag_and_skip_with_words(anna, shop):
    first = anna.product
    anna.press("x")
    anna.page.keyboard.type("deux produits sur la photo")
    anna.press("Enter", first)
    second = anna.product
    anna.press("Shift+Space")
    anna.page.keyboard.type("illisible")
    anna.press("Enter", second)
    words = [(a.kind, a.comment) for a in shop.annotations("anna")[-2:]]
    assert words == [("flag", "deux produits sur la photo"), ("skip", "illisible")]
    assert shop.product(first).is_flagged


def test_keys_that_are_held_down_or_hit_twice_count_once(anna, shop):
    count = len(shop.annotations("anna"))
    before = anna.product
    page = anna.page
    page.keyboard.down("Enter")
    for _ in range(10):
        page.keyboard.down("Enter")  # what a held key sends: repeats
    page.keyboard.up("Enter")
    expect(anna.board).not_to_have_attribute("data-product", before)
    page.wait_for_timeout(600)
    assert len(shop.annotations("anna")) == count + 1


def test_help_search_and_zoom_swallow_the_deciding_keys(anna, shop):
    count, before = len(shop.annotations("anna")), anna.product
    anna.press("h")
    expect(anna.page.locator(".help")).to_be_visible()
    for key in ("2", "Space", "x"):
        anna.press(key)
    anna.press("Escape")
    expect(anna.page.locator(".help")).to_be_hidden()
    anna.press("f")
    anna.page.keyboard.type("xzh 12")
    expect(anna.page.locator(".find input")).to_have_value("xzh 12")
    anna.press("Enter")  # nothing is found: nothing is decided
    anna.press("Escape")
    assert anna.product == before and len(shop.annotations("anna")) == count


def test_two_people_at_once_never_see_the_same_product(open_screen, app, shop):
    anna = open_screen(app, "/label", "anna").ready()
    ben = open_screen(app, "/label", "ben").ready()
    seen = {"anna": [anna.product], "ben": [ben.product]}
    for _ in range(6):
        for name, screen in (("anna", anna), ("ben", ben)):
            assert anna.product != ben.product
            screen.press("Enter", screen.product)
            seen[name].append(screen.product)
    assert not set(seen["anna"]) & set(seen["ben"])


def test_a_colleague_who_was_quicker_is_named_and_the_decision_kept(anna, shop):
    before = shop.product(anna.product)
    lena = Seen(before.id, before.version, f"lena {before.id}")
    label(shop.store, shop.people["lena"], lena, "10", time.time())
    anna.press("2")
    trouble = anna.page.locator(".trouble")
    expect(trouble).to_contain_text("lena")
    expect(anna.page.locator(".state")).to_have_text("not saved")
    assert anna.product == before.product_id
    trouble.get_by_text("all the same").click()
    expect(anna.board).not_to_have_attribute("data-product", before.product_id)
    assert shop.annotations()[-1].annotator_id == shop.people["anna"].id


def test_a_reloaded_page_shows_the_same_product(anna):
    before = anna.product
    anna.page.reload()
    assert anna.ready().product == before


def test_no_scrolling_at_1440_by_900(anna):
    sizes = "m => [m.scrollHeight, m.clientHeight, m.scrollWidth, m.clientWidth]"
    high, seen, wide, across = anna.page.locator('[data-testid="stMain"]').evaluate(sizes)
    assert high <= seen and wide <= across
    box = anna.page.locator(".strip").bounding_box()
    assert box["y"] + box["height"] <= 900


def test_a_narrow_window_shows_everything_below_one_another(open_screen, app):
    screen = open_screen(app, "/label", "ben", width=800).ready()
    assert screen.page.locator(".decision").bounding_box()["x"] < 100
    sizes = "m => [m.scrollWidth, m.clientWidth]"
    wide, across = screen.page.locator('[data-testid="stMain"]').evaluate(sizes)
    assert wide <= across
