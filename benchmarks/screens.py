"""How long each screen takes to open, and the Catalogue to show what a filter means, by size.

    PYTHONPATH=. python benchmarks/screens.py [--sizes 1000 10000 100000] [--rounds 3]

Starts the app on a made-up workspace with predictions, a queue and a model, and looks at it in
Chromium (headless, 1440 x 900) as an admin. A screen is open when its script has run and every
plot on it is drawn; "first" is the first time in the process. A filter's wait goes from the key or
click that sets it to the second frame after another list of cards stands there.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bench
from app_browser import SETTLED, browser_page, served
from made_shop import PERSON, make_shop
from playwright.sync_api import Locator, Page
from queue_catalogue import add_predictions

from mmcore.services.queue import refresh

SCREENS = {
    "Label": "label",
    "Bulk": "bulk",
    "Bulk, like a product": "bulk?like=ref-77",
    "Review": "review",
    "Predict": "predict",
    "Predict, a product": "predict?product=ref-77",
    "Batch": "batch",
    "Catalogue": "catalogue",
    "Product": "product?id=ref-77",
    "Retrain": "retrain",
    "Models": "models",
    "Team": "team",
    "Settings": "settings",
}
DRAWN = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const plots = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')];
  return app?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid="stSpinner"], [data-testid="stSkeleton"]')
    && document.querySelector('[data-testid="stMain"] [data-testid="stElementContainer"]')
    && plots.every((plot) => plot.querySelector('.main-svg'));
}"""
PLOTS = """() => document.querySelectorAll('[data-testid="stPlotlyChart"] .main-svg').length >= 6"""
# the wait from the last key or click to a grid of other cards
WATCH = """() => {
  const grid = () => [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)
    .map((r) => r.querySelector('.grid')).find(Boolean);
  const shown = () => [...(grid()?.children ?? [])].map((card) => card.dataset.id).join();
  let started = 0, before = '';
  window.waits = [];
  const begin = () => { started = performance.now(); before = shown(); };
  for (const kind of ['keydown', 'pointerup']) document.addEventListener(kind, begin, true);
  const look = () => {
    if (started && shown() && shown() !== before) {
      const at = started;
      started = 0;
      requestAnimationFrame(() => window.waits.push(performance.now() - at));
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3, help="how often each filter is set")
    options = parser.parse_args()
    found = {size: measure(size, options.rounds) for size in options.sizes}
    facts = (f"{max(options.sizes)}-products",)
    bench.report(__file__, {"products": found}, facts, options.keep)


def measure(num_products: int, rounds: int) -> dict:
    """Return the waits at one size."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        shop = make_shop(Path(folder) / "home", num_products)
        with shop.store.writing() as session:
            add_predictions(session, shop.version_id)
        refresh(shop.store, shop.version_id)
        shop.store.close()
        return look(shop.workspace, rounds)


def look(workspace, rounds: int) -> dict:
    """Return the waits on a workspace that is filled already."""
    with served(workspace) as (url, process), browser_page() as page:
        page.goto(f"{url}/settings?person={PERSON}")  # the process has run the app once
        page.wait_for_function(DRAWN)
        first = {name: open_screen(page, url, path) for name, path in SCREENS.items()}
        again = {name: open_screen(page, url, path) for name, path in SCREENS.items()}
        plots = open_screen(page, url, SCREENS["Catalogue"], PLOTS)
        page.wait_for_function(DRAWN)
        waits = catalogue_waits(page, rounds)
        memory = bench.peak_mb(process.pid)
    return {
        "first_open_s": first,
        "open_again_s": again,
        "catalogue_plots_s": plots,
        "catalogue_filters_ms": waits,
        "peak_mb": memory,
    }


def open_screen(page: Page, url: str, path: str, until: str = DRAWN) -> float:
    """Return the seconds until a screen is drawn in a browser that shows something else."""
    page.goto("about:blank")
    started = time.perf_counter()
    mark = "&" if "?" in path else "?"
    page.goto(f"{url}/{path}{mark}person={PERSON}", wait_until="commit")
    page.wait_for_function(until)
    return round(time.perf_counter() - started, 2)


def catalogue_waits(page: Page, rounds: int) -> dict[str, float]:
    """Return the median wait of each filter of the Catalogue, in milliseconds."""
    page.evaluate(WATCH)
    found: dict[str, list[float]] = {}

    def timed(name: str, act: Callable[[], None]) -> None:
        page.evaluate("window.waits.length = 0")
        act()
        page.wait_for_function("window.waits.length > 0")
        page.wait_for_selector(SETTLED)
        page.locator("h3").first.click()  # an open list of choices hides the rest of the page
        page.wait_for_timeout(400)
        found.setdefault(name, []).append(page.evaluate("window.waits[window.waits.length - 1]"))

    for turn in range(rounds):
        for name, words in (("a rare word", f"ref-{77 + turn}"), ("common words", "ba be")):
            timed(f"search: {name}", lambda words=words: search(page, words))
        timed("search lifted", lambda: search(page, ""))
        timed("number: flagged", lambda: page.get_by_role("button", name="flagged").click())
        timed("state lifted", lambda: clear(page, "Only"))
        timed("label", lambda: choose(page, "Label"))
        timed("label lifted", lambda: clear(page, "Label"))
        timed("predicted class", lambda: choose(page, "Predicted (fused)"))
        timed("predicted class lifted", lambda: clear(page, "Predicted (fused)"))
        timed("next page", lambda: page.get_by_role("button", name="Next").click())
        timed("page before", lambda: page.get_by_role("button", name="Before").click())
    return {name: round(statistics.median(waits), 1) for name, waits in found.items()}


def search(page: Page, words: str) -> None:
    box = page.get_by_label("Search")
    box.fill(words)
    box.press("Enter")


def choose(page: Page, label: str) -> None:
    """Take the third choice of a list, by key."""
    box = choice_box(page, label)
    box.click()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        box.press(key)


def clear(page: Page, label: str) -> None:
    """Take the last choice out of a list."""
    box = choice_box(page, label)
    box.click()
    box.press("Backspace")


def choice_box(page: Page, label: str) -> Locator:
    """Return where a list is typed into."""
    found = page.get_by_test_id("stMultiSelect").filter(has_text=label)
    return found.first.locator("input")


if __name__ == "__main__":
    main()
