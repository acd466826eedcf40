"""Figures in the colours of the app; what is drawn comes ready from the services."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from mmcore.services.confusion import Confusion
from mmcore.services.jobs import EpochPoint
from mmcore.services.lineage import ScorePoint
from mmcore.ui.colours import AFTER_COLOUR, BEFORE_COLOUR, VIEW_COLOURS

CONFIG = {"displayModeBar": False}
_CLEAR = "rgba(0,0,0,0)"


def draw(figure: go.Figure, key: str, height: int = 280, **options):
    """Show a figure the way all are shown; returns what is selected where that was asked for."""
    return show(styled(figure, height), key, **options)


def styled(figure: go.Figure, height: int) -> go.Figure:
    """Return the figure, dressed the way all are; it may be kept and shown again and again."""
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 52, "b": 8},
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )


def show(figure: go.Figure, key: str, **options):
    """Show a figure that is styled already, as `draw` does."""
    return st.plotly_chart(figure, key=key, config=CONFIG, **options)


def learning_curves(epochs: Sequence[EpochPoint]) -> tuple[go.Figure, go.Figure]:
    """Return the loss, and macro-F1 on val of each view, over the epochs of all phases."""
    numbers = [point.number for point in epochs]
    loss = go.Figure(
        go.Scatter(
            x=numbers, y=[p.train_loss for p in epochs], name="loss", line_color=AFTER_COLOUR
        )
    )
    loss.update_layout(title="Loss on train", xaxis_title="epoch")
    scores = go.Figure()
    for view in dict.fromkeys(view for point in epochs for view in point.val_macro_f1):
        values = [point.val_macro_f1.get(view) for point in epochs]
        colour = VIEW_COLOURS.get(view)
        scores.add_trace(go.Scatter(x=numbers, y=values, name=view, line_color=colour))
    scores.update_layout(title="macro-F1 on val", xaxis_title="epoch", yaxis_range=[0, 1])
    return loss, scores


def scores_over_time(points: Sequence[ScorePoint]) -> go.Figure:
    """Return macro-F1 on test of every version, by view, in the order they were made."""
    figure = go.Figure()
    for view in dict.fromkeys(point.view for point in points):
        mine = [point for point in points if point.view == view]
        figure.add_trace(
            go.Scatter(
                x=[point.name for point in mine],
                y=[point.macro_f1 for point in mine],
                name=view,
                mode="lines+markers",
                line_color=VIEW_COLOURS.get(view),
            )
        )
    figure.update_layout(yaxis_title="macro-F1 on test", yaxis_range=[0, 1])
    return figure


def confusion_squares(found: Confusion) -> go.Figure:
    """Return the confusion matrix as squares that can be clicked: heatmaps select nothing."""
    cells = found.cells
    figure = go.Figure(
        go.Scatter(
            x=[cell.answer for cell in cells],
            y=[cell.label for cell in cells],
            mode="markers",
            marker={
                "symbol": "square",
                "size": max(8, min(26, 620 // max(1, len(found.codes)))),
                "color": [cell.share for cell in cells],
                "colorscale": [[0, "#E8EAF6"], [1, AFTER_COLOUR]],
                "cmin": 0,
                "cmax": 1,
                "line": {
                    "width": [0 if cell.is_right else 1 for cell in cells],
                    "color": "#D55E00",
                },
            },
            customdata=[[cell.label, cell.answer] for cell in cells],
            text=[
                f"{found.names[cell.label]} taken for {found.names[cell.answer]}: "
                f"{cell.count} ({cell.share:.0%})"
                for cell in cells
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    codes = list(found.codes)
    axis = {"type": "category", "categoryorder": "array", "categoryarray": codes, "showgrid": True}
    figure.update_xaxes(title="answer", side="top", tickangle=-60, **axis)
    figure.update_yaxes(title="label", **axis | {"categoryarray": codes[::-1]})
    return figure


def before_after(
    names: Sequence[str], before: Sequence[float], after: Sequence[float]
) -> go.Figure:
    """Return F1 of classes before and after, as a line between two dots each."""
    figure = go.Figure()
    for name, low, high in zip(names, before, after, strict=True):
        figure.add_trace(
            go.Scatter(
                x=[low, high],
                y=[name, name],
                mode="lines",
                line={"color": BEFORE_COLOUR, "width": 2},
                showlegend=False,
                hoverinfo="skip",
            )
        )
    for title, values, colour in (
        ("before", before, BEFORE_COLOUR),
        ("after", after, AFTER_COLOUR),
    ):
        figure.add_trace(
            go.Scatter(x=values, y=names, mode="markers", name=title, marker_color=colour)
        )
    figure.update_xaxes(range=[0, 1], title="F1")
    figure.update_yaxes(autorange="reversed")
    return figure
