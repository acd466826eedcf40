"""The plot of README: macro-F1 by the share of the labels, from `benchmarks/accuracy.csv`.

PYTHONPATH=. python docs/draw_learning_curve.py [docs/learning_curve.png]

Needs requirements-test.txt and Debian's chromium.
"""

import argparse
import shutil
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.subplots import make_subplots

from mmcore.ui.colours import VIEW_COLOURS

ROOT = Path(__file__).resolve().parents[1]
DASHES = {"strong": "solid", "seed": "dot", "baseline": "dash"}
SIZE = (1200, 420)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", type=Path, nargs="?", default=ROOT / "docs/learning_curve.png")
    target = parser.parse_args().target
    rows = pd.read_csv(ROOT / "benchmarks" / "accuracy.csv")
    rows = rows[rows["variant"].isin(DASHES) & (rows["folds"] == 5)].sort_values("share")
    draw(rows, target)


def draw(rows: pd.DataFrame, target: Path) -> None:
    sets = list(dict.fromkeys(zip(rows["set"], rows["label"], strict=True)))
    titles = [f"{name}, {label}" for name, label in sets]
    figure = make_subplots(1, len(sets), subplot_titles=titles, horizontal_spacing=0.05)
    for place, (name, label) in enumerate(sets, start=1):
        of_set = rows[(rows["set"] == name) & (rows["label"] == label)]
        for variant, dash in DASHES.items():
            for view, colour in VIEW_COLOURS.items():
                line = of_set[of_set["variant"] == variant]
                figure.add_scatter(
                    x=100 * line["share"],
                    y=line[view],
                    name=f"{view}, {variant}",
                    legendgroup=variant,
                    showlegend=place == 1,
                    mode="lines+markers",
                    line={"color": colour, "dash": dash, "width": 2},
                    marker={"size": 5},
                    row=1,
                    col=place,
                )
    figure.update_xaxes(title="% of the labels of train and val", tickvals=[10, 25, 50, 100])
    figure.update_yaxes(title="macro-F1 on test", col=1)
    figure.update_layout(
        template="plotly_white",
        font={"family": "sans-serif", "size": 12, "color": "#1F2933"},
        margin={"l": 60, "r": 10, "t": 40, "b": 50},
    )
    picture(figure, target)


def picture(figure: go.Figure, target: Path) -> None:
    width, height = SIZE
    page_text = figure.to_html(
        include_plotlyjs=True, default_width=f"{width}px", default_height=f"{height}px"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_content(page_text)
        page.wait_for_selector(".main-svg")
        page.locator(".plot-container").first.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
