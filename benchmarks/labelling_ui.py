"""How long a labeller waits, in a real browser: key press to the next product's text and photo.

    PYTHONPATH=. python benchmarks/labelling_ui.py [--sizes 1000 10000 100000] [--labels 100]

Starts the app on a made-up workspace of each size, opens the Label screen in Chromium (headless,
1440 x 900) and gives labels, one key each, with a pause of 250 ms as a person makes. Measured in
the page: from the keydown event to the second frame after the next product's words stand there
and its photo is decoded.
"""

import os
import tempfile
import time
from pathlib import Path

import bench
from app_browser import browser_page, served
from made_shop import photo_files
from playwright.sync_api import Page
from queue_catalogue import make_catalogue
from sqlalchemy import update

from mmcore.store.engine import Store, sqlite_url
from mmcore.store.tables import Product
from mmcore.workspace import Workspace

PAUSE_MS = 250
WATCH = """() => {
  const root = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)
    .find((r) => r.querySelector('.board'));
  const board = root.querySelector('.board'), photo = root.querySelector('.photo img');
  let pressed = 0;
  window.waits = [];
  document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  new MutationObserver(async () => {
    await photo.decode().catch(() => {});  // refused where the source changes meanwhile
    requestAnimationFrame(() => requestAnimationFrame(
      () => window.waits.push(performance.now() - pressed)));
  }).observe(board, { attributes: true, attributeFilter: ['data-product'] });
}"""


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--labels", type=int, default=100)
    options = parser.parse_args()
    found = {size: measure(size, options.labels) for size in options.sizes}
    facts = (f"{max(options.sizes)}-products", f"{options.labels}-labels")
    bench.report(__file__, {"products": found}, facts, options.keep)


def measure(num_products: int, num_labels: int) -> dict:
    """Return the waits at one size, one key a label."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        workspace = Workspace(Path(folder) / "home").create()
        fill(workspace, num_products)
        with served(workspace) as (url, _), browser_page() as page:
            opened = open_label(page, f"{url}/label?person=person 0")
            waits = label(page, num_labels)
    seconds = [wait / 1000 for wait in waits]
    return bench.percentiles(seconds) | {"first_open_s": round(opened, 2)}


def fill(workspace: Workspace, num_products: int) -> None:
    """Put products, predictions and photos into the workspace."""
    url = sqlite_url(workspace.database_file)
    make_catalogue(url, num_products, 1)
    keys = photo_files(workspace)
    store = Store(url)
    with store.writing() as session:
        for i, key in enumerate(keys):
            is_its = Product.id % len(keys) == i
            session.execute(update(Product).where(is_its).values(photo=key))
    store.close()


def open_label(page: Page, address: str) -> float:
    """Return the seconds until the first product is there, the app's process being new."""
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".board[data-product]")
    taken = time.perf_counter() - started
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    return taken


def label(page: Page, count: int) -> list[float]:
    """Return the wait after each label, in milliseconds."""
    for done in range(count):
        # now and then a suggestion is hidden on purpose: then a class is walked to first
        if page.locator(".accept").is_disabled():
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_function("n => window.waits.length > n", arg=done)
        page.wait_for_timeout(PAUSE_MS)
    return page.evaluate("window.waits")


if __name__ == "__main__":
    main()
