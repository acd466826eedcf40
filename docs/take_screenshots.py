"""Pictures of every screen, light and dark, wide and narrow, from a running app on the demo.

python docs/take_screenshots.py http://localhost:8501 FOLDER [--readme]

--readme writes the six of README into docs/screenshots instead, each below 200 kB. Needs
requirements-test.txt and Debian's chromium.
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from mmcore.ui.screens import SCREENS

SIZES = ((1440, 900), (800, 900))
SETTLED_MS = 2_500  # after the page has run: plots and photos are drawn then
README = {
    "label": "/label",
    "predict": "/predict?product={product}",
    "retrain": "/retrain",
    "catalogue": "/catalogue",
    "review": "/review",
    "models": "/models",
}
COLOURS = 256  # of the palette: photos stay recognisable, and the files small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--product", default="drawn-00007", help="shown on Predict and Product")
    parser.add_argument("--readme", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        (readme_pictures if arguments.readme else all_pictures)(browser, arguments)
        browser.close()


def all_pictures(browser, arguments) -> None:
    for scheme in ("light", "dark"):
        for width, height in SIZES:
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            for screen in SCREENS:
                query = {"product": "?id=", "predict": "?product="}.get(screen.address, "")
                query += arguments.product if query else ""
                visit(page, f"{arguments.url}/{screen.address}{query}")
                name = f"{screen.address}-{scheme}-{width}.png"
                page.screenshot(path=arguments.folder / name)
            page.close()


def readme_pictures(browser, arguments) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    for name, address in README.items():
        visit(page, arguments.url + address.format(product=arguments.product))
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        # coverage keeps the few pixels of a modality's dot in their colour
        small = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        small.save(arguments.folder / f"{name}.png", optimize=True)


def visit(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_timeout(SETTLED_MS)


if __name__ == "__main__":
    main()
