"""What one waits for at the start: --help, a model, the first page in a browser.

python benchmarks/start.py [--rounds 11] [--screens label predict ...] [--keep]

- `--help` in turn with `python -c pass`, each a process of its own.
- A model: a fresh process imports what it needs, loads the folder (every checksum, the sessions)
  and answers for one product; the three are told apart. Lite0, and MobileNetV2 with random weights.
- The first page: from the start of `mmcore serve` until the screen stands complete in a Chromium
  that is open already (headless, 1440 x 900), a server of its own for each screen. The catalogue is
  the drawn one; that of 100,000 products is another script's.

Needs requirements-test.txt and Debian's chromium for the pages; `--screens` without a name leaves
them out.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench
from made_models import add_model, make_demo

SCREENS = ("label", "predict", "batch", "catalogue", "retrain", "models", "team")
ELEMENT = '[data-testid="stMainBlockContainer"] [data-testid="stElementContainer"]'
DRAWN = {"label": ".board[data-product]"}  # what a screen has when it is complete; else an element
LOAD = """
import json, sys, time
from pathlib import Path
began = time.perf_counter()
from mmcore.settings import read_settings
from mmcore.workspace import Workspace
import mmcore.runtime
from mmcore.services.prediction import load_runtime
home = Path(sys.argv[1])
imported = time.perf_counter()
runtime = load_runtime(Workspace(home), read_settings(home), sys.argv[2])
loaded = time.perf_counter()
photo = next(home.glob("photos/*/*")).read_bytes()
runtime.predict_one(mmcore.runtime.ProductInput("Piscine gonflable 3 m", photo=photo))
answered = time.perf_counter()
status = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print(json.dumps({"imports_s": imported - began, "load_s": loaded - imported,
    "first_answer_s": answered - loaded, "peak_mb": int(status) / 1024}))
"""


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="of --help; of loading: half")
    parser.add_argument("--screens", nargs="*", default=SCREENS, help="addresses of screens")
    parser.add_argument("--page-rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, help="workspace of a demo that is there already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        home = arguments.home or Path(folder) / "home"
        models = (make_demo(home), add_model(home, "mobilenet_v2"))
        figures: dict = {"help_s": help_figures(arguments.rounds)}
        for model in models:
            figures[f"model {model}"] = load_figures(home, model, -(-arguments.rounds // 2))
        print(json.dumps(figures), file=sys.stderr, flush=True)
        if arguments.screens:
            figures["first_page_s"] = page_figures(home, arguments.screens, arguments.page_rounds)
    bench.report(__file__, figures, (), arguments.keep)


def help_figures(rounds: int) -> dict:
    """Return the seconds of --help and of an empty program."""
    ways = {"help": ["-m", "mmcore", "--help"], "pass": ["-c", "pass"]}
    return bench.pairs({name: _timed(words) for name, words in ways.items()}, rounds)


def _timed(words: list[str]):
    def run() -> float:
        command = [sys.executable, *words]
        return bench.seconds(lambda: subprocess.run(command, check=True, capture_output=True))

    return run


def load_figures(home: Path, model: str, rounds: int) -> dict:
    """Return the medians of what a fresh process takes until it has answered once."""
    command = [sys.executable, "-c", LOAD, str(home), model]
    runs = []
    for _ in range(rounds):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout))
    found = {name: [run[name] for run in runs] for name in runs[0]}
    found["load_with_imports_s"] = [run["imports_s"] + run["load_s"] for run in runs]
    found["all_s"] = [run["imports_s"] + run["load_s"] + run["first_answer_s"] for run in runs]
    return {name: round(statistics.median(values), 3) for name, values in found.items()}


def page_figures(home: Path, screens: list[str], rounds: int) -> dict:
    """Return the seconds from a server's start to each screen; the middle and the longest one."""
    from playwright.sync_api import sync_playwright

    found = {}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for screen in screens:
            times = [first_page(browser, home, screen) for _ in range(rounds)]
            found[screen] = {
                "median": round(statistics.median(times), 2),
                "longest": round(max(times), 2),
            }
            print(screen, found[screen], file=sys.stderr, flush=True)
        browser.close()
    return found


def first_page(browser, home: Path, screen: str) -> float:
    """Return the seconds from the start of the server until a screen is drawn."""
    from app_browser import served

    from mmcore.workspace import Workspace

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    with served(Workspace(home)) as (url, _):
        page.goto(f"{url}/{screen}")
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        page.wait_for_selector(DRAWN.get(screen, ELEMENT))
        page.wait_for_function("() => !document.querySelector('[data-testid=\"stSkeleton\"]')")
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
        taken = time.perf_counter() - started
        if page.locator('[data-testid="stException"]').count():
            sys.exit(f"the screen {screen} shows an error")
        context.close()
    return taken


if __name__ == "__main__":
    main()
