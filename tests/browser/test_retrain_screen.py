"""A retrain in a real browser: started, reloaded, cancelled, outliving the app, activated, rolled
back. The worker is the real one, the network small."""

import pytest
from app_shop import open_app_shop
from browser_model import put_model
from playwright.sync_api import expect

from mmcore.services.jobs import list_jobs
from mmcore.services.registry_view import list_versions

LONG_MS = 180_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("retraining") / "home"
    shop = open_app_shop(home, num_products=60, with_model=False)
    put_model(shop, "m1")
    yield shop
    shop.store.close()


def start(page):
    page.get_by_test_id("stMain").get_by_role("button", name="Retrain", exact=False).first.click()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()


def jobs(shop):
    return [job for job in list_jobs(shop.store, 0.0) if job.kind == "retrain"]


def production(shop):
    versions = list_versions(shop.store, shop.workspace)
    return next(v.name for v in versions if v.stage == "production")


def test_it_is_cancelled_and_production_stays(open_screen, app, shop):
    page = open_screen(app, "/retrain", "lena").page
    expect(page.get_by_text("No GPU was found")).to_be_visible()
    start(page)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("was cancelled").first).to_be_visible(timeout=LONG_MS)
    assert [job.state for job in jobs(shop)] == ["cancelled"]
    assert production(shop) == "m1"


def test_it_outlives_a_reload_a_closed_browser_and_the_app(open_screen, app, shop):
    screen = open_screen(app, "/retrain", "lena")
    start(screen.page)
    screen.page.reload()
    expect(screen.page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    address = screen.page.url
    assert f"job={jobs(shop)[0].id}" in address
    screen.page.close()
    app.kill()
    assert jobs(shop)[0].is_active
    app.start()
    again = open_screen(app, "/retrain", "lena")
    expect(again.page.get_by_text("is done").first).to_be_visible(timeout=LONG_MS)
    assert [job.state for job in jobs(shop)] == ["succeeded", "cancelled"]
    screen.errors.clear()  # its page was closed while it spoke with the server


def test_it_is_activated_and_rolled_back(open_screen, app, shop):
    candidate = jobs(shop)[0].model
    page = open_screen(app, "/retrain", "lena").page
    reason = page.get_by_label("The gate said no")
    expect(page.get_by_role("button", name=f"Activate {candidate}")).to_be_visible()
    if reason.count():  # a network this small may be refused: then a reason is asked for
        reason.fill("a test")
        reason.press("Enter")
    page.get_by_role("button", name=f"Activate {candidate}").click()
    expect(page.get_by_text("it is in production")).to_be_visible()
    assert production(shop) == candidate
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("button", name=f"Activate {candidate}")).to_be_visible()
    assert production(shop) == "m1"


def test_a_viewer_sees_it_and_can_do_nothing(open_screen, app):
    page = open_screen(app, "/retrain", "vera").page
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("button", name="Retrain").first).to_be_disabled()
