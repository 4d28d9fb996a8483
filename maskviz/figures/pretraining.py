"""The figure of continued pre-training: fine-tunes with and without it, seed by seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..evidence.intervals import mean_interval
from .theme import CHANCE, MASKED, PLAIN

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..sweeps.pretraining import Pretrained

WITHOUT, WITH = "without pre-training", "with pre-training"


def pretraining_figure(found: Pretrained) -> go.Figure:
    """Draw each seed as a line from the fine-tune without to that with it, and both means.

    A line that rises is a seed that pre-training helped; bars are Student's 95 % intervals.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for seed, pair in enumerate(zip(found.without, found.with_it, strict=True)):
        figure.add_scatter(
            x=[WITHOUT, WITH], y=pair, mode="lines+markers", name="one seed", legendgroup="seed",
            showlegend=seed == 0, line={"color": CHANCE, "width": 1.5}, marker={"size": 6},
            hovertemplate=f"seed {seed}, %{{x}}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    for name, values, colour in ((WITHOUT, found.without, PLAIN), (WITH, found.with_it, MASKED)):
        mean, low, high = mean_interval(list(values))
        figure.add_scatter(
            x=[name], y=[mean], mode="markers", name=f"mean {name}",
            marker={"color": colour, "size": 13, "symbol": "diamond"},
            error_y=_bar(mean, low, high, colour),
            hovertemplate=f"mean {name}: %{{y:.1%}}, {low:.1%} to {high:.1%}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        title={"text": "Accuracy of each fine-tune, 95 % intervals over seeds",
               "font": {"size": 15}},
        yaxis={"tickformat": ".0%", "title": {"text": "accuracy"}, "automargin": True},
        xaxis={"range": [-0.4, 1.4], "type": "category"}, height=400,
        margin={"l": 8, "r": 20, "t": 48, "b": 8},
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
    )  # fmt: skip
    return figure


def _bar(mean: float, low: float, high: float, colour: str) -> dict[str, Any]:
    """Return the bar of an interval, none for a single seed; no accuracy lies beyond 0 and 1."""
    up, down = (0.0, 0.0) if high != high else (min(1, high) - mean, mean - max(0, low))
    return {"type": "data", "array": [up], "arrayminus": [down], "color": colour, "thickness": 2,
            "width": 8}  # fmt: skip
