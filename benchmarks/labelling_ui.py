"""How long a labeller waits, in a real browser: key press to the next product's text and photo.

python benchmarks/labelling_ui.py [--sizes 1000 100000] [--labels 100] [--csv FILE]

Starts the app on a made-up workspace of each size, opens the Label screen in Chromium (headless,
1440 x 900) and gives labels, one key each, with a pause of 250 ms as a person makes. Measured in
the page: from the keydown event to the second frame after the next product's words stand there
and its photo is decoded. Needs requirements-test.txt and Debian's chromium.
"""

import argparse
import csv
import datetime
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from queue_catalogue import make_catalogue
from sqlalchemy import update

from mmcore.photos import PhotoStore
from mmcore.services.photos import CARD_PX, thumbnail
from mmcore.store.engine import Store, sqlite_url
from mmcore.store.tables import Product
from mmcore.workspace import Workspace

NUM_PHOTOS = 200  # different ones; a product's is the one of its number, modulo
PAUSE_MS = 250
WATCH = """() => {
  const root = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)
    .find((r) => r.querySelector('.board'));
  const board = root.querySelector('.board'), photo = root.querySelector('.photo img');
  let pressed = 0;
  window.waits = [];
  document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  new MutationObserver(async () => {
    await photo.decode();
    requestAnimationFrame(() => requestAnimationFrame(
      () => window.waits.push(performance.now() - pressed)));
  }).observe(board, { attributes: true, attributeFilter: ['data-product'] });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--csv", type=Path, help="a row is added for each size")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        figures = measure(size, arguments.labels)
        print(json.dumps(figures), flush=True)
        if arguments.csv:
            keep(arguments.csv, figures)


def measure(num_products: int, num_labels: int) -> dict:
    """Return the waits at one size, and what else was seen of the machine."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        workspace = Workspace(Path(folder) / "home").create()
        fill(workspace, num_products)
        with served(workspace) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            opened = open_label(page, f"{url}/label?person=person 0")
            waits = label(page, num_labels)
            browser.close()
    p50, p95 = np.percentile(waits, (50, 95))
    return {
        "products": num_products,
        "labels": len(waits),
        "keys_per_label": 1,
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
        "longest_ms": round(max(waits), 1),
        "first_open_s": round(opened, 2),
        "load": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
        "date": datetime.date.today().isoformat(),
    }


def fill(workspace: Workspace, num_products: int) -> None:
    """Put products, predictions and photos into the workspace."""
    url = sqlite_url(workspace.database_file)
    make_catalogue(url, num_products, 1)
    photos, draw = PhotoStore(workspace.photos), np.random.default_rng(0)
    keys = []
    for _ in range(NUM_PHOTOS):
        small = draw.integers(0, 255, (20, 20, 3), np.uint8)
        picture = Image.fromarray(small).resize((800, 800), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
        keys.append(photos.add(file.getvalue()))
        thumbnail(workspace, keys[-1], CARD_PX)
    store = Store(url)
    with store.writing() as session:
        for i, key in enumerate(keys):
            session.execute(update(Product).where(Product.id % NUM_PHOTOS == i).values(photo=key))
    store.close()


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    """Give the address of the app on a workspace."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "mmcore", "serve", "--home", str(workspace.home)]
    command += ["--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/_stcore/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Return when the app answers."""
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=2).read()
            return
        except OSError:
            if process.poll() is not None:
                sys.exit(f"the app ended with {process.returncode} before it answered")
            time.sleep(0.1)
    sys.exit("the app gave no answer in 60 s")


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


def keep(path: Path, figures: dict) -> None:
    """Add a row to the CSV file, with a header where it is new."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, figures)
        if is_new:
            writer.writeheader()
        writer.writerow(figures)


if __name__ == "__main__":
    main()
