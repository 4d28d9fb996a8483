"""Charts as files: every kind of trace that a chart of the dashboard is made of."""

from __future__ import annotations

import re
from pathlib import Path

import plotly.graph_objects as go
import pytest

from maskviz.errors import ParameterError
from maskviz.figures import answers, compare, runs, units
from maskviz.figures.paper import _DRAWN, KINDS, chart_bytes, redrawn

BEGINS = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
HISTORY = [{"step": s, "loss": 1 / s, "plain_accuracy": 0.5, "plain_ci95": 0.1} for s in (1, 2, 3)]


def bars() -> go.Figure:
    names = ["good", "<b> & $x$"]
    return answers._pairs_of_bars(names, [0.2, 0.8], [0.4, 0.6], ".1%", {"tickformat": ".0%"})


def points() -> go.Figure:
    figure = go.Figure(compare._interval(["a", "b"], [(0.1, 0.2), (0.2, 0.5)], "chance"))
    figure.add_scatter(x=[0.3], y=["b"], mode="markers", name="own", error_x={"array": [0.1]})
    figure.add_vline(x=0.25, annotation={"text": "plain"})
    figure.add_hrect(y0=0, y1=1, fillcolor="rgba(0,0,0,0.1)")
    return figure


def heatmap() -> go.Figure:
    return go.Figure(
        go.Heatmap(x=["a", "b"], y=["c"], z=[[None, 1]], text=[["", "1"]], colorscale="RdBu")
    )


def picture() -> go.Figure:
    return go.Figure(go.Image(z=[[[0, 0, 0], [255, 255, 255]]]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "figure",
    [
        bars(), points(), heatmap(), picture(), runs.loss_figure(HISTORY),
        runs.accuracy_figure(HISTORY), units.lens_figure([0.1, 0.4], [0.2, 0.3], "p(good)"),
    ],
    ids=["bars", "points", "heatmap", "picture", "loss", "accuracy", "lens"],
)  # fmt: skip
def test_a_chart_is_written(figure: go.Figure, kind: str) -> None:
    content = chart_bytes(figure, kind)
    assert content.startswith(BEGINS[kind])
    assert kind == "png" or content == chart_bytes(figure, kind)  # no date in it


def test_what_is_drawn_is_what_the_chart_holds() -> None:
    axes = redrawn(bars()).axes[0]
    assert [round(p.get_width(), 3) for p in axes.patches] == [0.2, 0.8, 0.4, 0.6]
    labels = [t.get_text() for t in axes.get_yticklabels()]
    assert labels == ["good", r"<b> & \$x\$"]
    drawn = redrawn(points()).axes[0]
    ends = [sorted(p[0] for p in path) for c in drawn.collections for path in c.get_segments()]
    assert [pytest.approx(e) for e in ([0.1, 0.2], [0.2, 0.5], [0.2, 0.4])] == ends


def test_every_trace_of_the_house_can_be_drawn() -> None:
    sources = (p.read_text("utf-8") for p in Path("maskviz/figures").glob("*.py"))
    used = {m.lower() for s in sources for m in re.findall(r"go\.(\w+)\(|add_(scatter|bar)\(", s)
            for m in m if m}  # fmt: skip
    assert used - {"figure"} <= set(_DRAWN)


def test_another_kind_is_refused() -> None:
    with pytest.raises(ParameterError, match="svg, pdf, png"):
        chart_bytes(bars(), "gif")
