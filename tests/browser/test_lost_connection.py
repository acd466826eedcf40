"""The server stalls or dies while somebody labels: the screen says so, and no decision is lost."""

import signal

from playwright.sync_api import expect

WAIT_MS = 30_000


def test_a_server_that_stalls_is_told_and_the_decision_counts_once(open_screen, app, shop):
    screen = open_screen(app, "/label", "anna").ready()
    before = screen.product
    app.process.send_signal(signal.SIGSTOP)
    try:
        screen.press("Enter")
        expect(screen.page.locator(".state")).to_contain_text("not saved yet", timeout=WAIT_MS)
        assert screen.product == before
        screen.press("2")  # a second decision on it isn't taken
    finally:
        app.process.send_signal(signal.SIGCONT)
    expect(screen.board).not_to_have_attribute("data-product", before, timeout=WAIT_MS)
    expect(screen.page.locator(".state")).to_contain_text("saved")
    screen.page.wait_for_timeout(1000)
    saved = [a.kind for a in shop.annotations("anna")]
    assert saved == ["accept"]


def test_a_server_that_dies_gets_the_decision_when_it_is_back(open_screen, app, shop):
    screen = open_screen(app, "/label", "ben").ready()
    before = screen.product
    app.kill()
    screen.press("2")
    expect(screen.page.locator(".state")).to_contain_text("not saved yet", timeout=WAIT_MS)
    app.start()
    expect(screen.board).not_to_have_attribute("data-product", before, timeout=WAIT_MS)
    assert screen.product != before
    saved = shop.annotations("ben")
    assert [a.kind for a in saved] == ["label"]
    assert saved[0].product_id == shop.product(before).id
    screen.errors.clear()  # the browser rightly complained of a server that wasn't there
