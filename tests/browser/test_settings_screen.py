"""Settings in a real browser: it keeps what was typed, which AppTest doesn't know."""

from playwright.sync_api import expect

from mmcore.services.queue_settings import queue_settings


def test_choices_that_were_put_back_are_shown_as_they_are(open_screen, app, shop):
    before = queue_settings(shop.store)
    page = open_screen(app, "/settings?s.part=Queue", "lena").page
    page.get_by_label("newest", exact=True).fill("0.4")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Undo: back").click()
    expect(page.get_by_role("button", name="Undo: back")).to_have_count(0)
    expect(page.get_by_label("newest", exact=True)).to_have_value("0.00")
    assert queue_settings(shop.store) == before
