"""Predict and Batch in a real browser, with a network behind them (small, untrained but real)."""

import csv
import io
import zipfile

import numpy as np
import pytest
from app_shop import CLASSES, open_app_shop
from browser_model import put_model
from photo_files import encode_photo
from playwright.sync_api import expect

NUM = 200


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = open_app_shop(tmp_path_factory.mktemp("predicting") / "home", with_model=False)
    put_model(shop, "m1")
    yield shop
    shop.store.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "piscine.jpg"
    path.write_bytes(encode_photo(np.full((300, 200, 3), (20, 120, 200), np.uint8)))
    return path


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Return a table of 200 products in French, and the ZIP archive of their photos."""
    folder = tmp_path_factory.mktemp("catalogue")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["référence", "désignation", "descriptif", "image"])
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for i in range(NUM):
            name = f"photo-{i}.jpg" if i % 4 else ""
            writer.writerow([f"neuf-{i}", f"Produit gonflable n° {i} d'été", "Très belle", name])
            if name:
                pixels = np.full((40, 40, 3), (i % 256, 90, 160), np.uint8)
                archive.writestr(name, encode_photo(pixels))
        writer.writerow(["", "sans identifiant", "", ""])
    (folder / "produits.csv").write_text(text.getvalue(), encoding="utf-8")
    return folder


def test_predict_with_text_and_a_photo(open_screen, app, photo):
    screen = open_screen(app, "/predict", "vera")
    page = screen.page
    page.get_by_label("Title").fill("Produit gonflable été 3 m")
    page.get_by_label("Title").press("Enter")
    page.locator("input[type=file]").set_input_files(str(photo))
    views = page.locator(".answers .view")
    expect(views).to_have_count(3)
    for view in ("text", "image", "fused"):
        expect(page.locator(f".view.{view} .best")).not_to_be_empty()
    names = "v => [...v.querySelectorAll('.bar .name')].map((n) => n.innerText).join()"
    orders = page.locator(".view").evaluate_all(f"views => views.map({names})")
    assert len(set(orders)) == 1, "every view shows the same classes in the same order"
    for view, inside in (("text", ".words mark"), ("image", ".heat"), ("fused", ".heat")):
        expect(page.locator(f".view.{view} .why {inside}").first).to_be_visible()
    expect(page.locator(".view.image .heat span")).to_have_count(49)
    expect(page.get_by_text("Nothing of this is stored")).to_be_visible()


def test_what_if_the_photo_were_missing(open_screen, app, shop):
    screen = open_screen(app, "/predict?product=p1", "vera")
    page = screen.page
    expect(page.locator(".view.image .best")).not_to_be_empty()
    page.get_by_test_id("stButtonGroup").get_by_text("photo", exact=True).click()
    expect(page.locator(".view.image .absent")).to_contain_text("No answer")
    expect(page.locator(".view.text .best")).not_to_be_empty()
    title = page.get_by_label("Title")
    expect(title).to_have_value(shop.product("p1").title)


def test_saving_puts_the_product_into_the_catalogue_with_its_label(open_screen, app, shop):
    screen = open_screen(app, "/predict", "lena")
    page = screen.page
    page.get_by_label("Title").fill("Produit été bouée licorne")
    page.get_by_label("Title").press("Enter")
    expect(page.locator(".view.fused .best")).not_to_be_empty()
    page.get_by_role("button", name="Save to the catalogue").click()
    expect(page.get_by_text("Saved as product")).to_be_visible()
    saved = [a for a in shop.annotations() if a.kind == "label"]
    assert len(saved) == 1 and saved[0].annotator_id == shop.people["lena"].id


def test_a_batch_of_200_products_with_a_zip(open_screen, app, shop, catalogue):
    screen = open_screen(app, "/batch", "lena")
    page = screen.page
    files = page.locator("input[type=file]")
    files.nth(0).set_input_files(str(catalogue / "produits.csv"))
    expect(page.get_by_text("produits.csv")).to_be_visible()
    files = page.locator("input[type=file]")
    files.nth(1).set_input_files(str(catalogue / "photos.zip"))
    expect(page.get_by_text("photos.zip")).to_be_visible()
    page.get_by_role("button", name="Keep and check").click()
    expect(page.get_by_text("Rows that can't be used")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Predict").click()
    expect(page.get_by_text(f"{NUM:,} products predicted by m1")).to_be_visible(timeout=60_000)
    page.reload()
    expect(page.get_by_text(f"{NUM:,} products predicted by m1")).to_be_visible()
    expect(page.locator(".card .picture img").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_text("Download", exact=True).click()
        page.get_by_role("button", name="as csv").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert len(rows) == NUM
    assert {row["predicted"] for row in rows} <= set(CLASSES)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Add all {NUM} to the catalogue").click()
    expect(page.get_by_text(f"{NUM} added")).to_be_visible(timeout=60_000)
    assert shop.product("neuf-7").title == "Produit gonflable n° 7 d'été"
