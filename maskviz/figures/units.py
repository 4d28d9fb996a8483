"""Figures over layers: what masking each, or cutting a window, changes; what each would answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .theme import MASKED, PLAIN

_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def knockout_figure(
    layers: Sequence[str], effects: Sequence[float], whole: float, unit: str
) -> Any:
    """Return the effect of each window of layers as a curve, that of all layers as a line."""
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Scatter(
            x=list(layers), y=list(effects), mode="lines+markers", line={"color": PLAIN},
            hovertemplate="layers %{x}: %{y:+.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(
        y=whole, line={"color": MASKED, "dash": "dot"}, annotation_text="all layers",
        annotation_position="bottom right",
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": "rgba(128,128,128,0.4)", "width": 1})
    figure.update_layout(
        height=280, margin=_MARGIN, showlegend=False,
        xaxis={"title": "window of layers", "type": "category", "automargin": True},
        yaxis={"title": unit, "automargin": True},
    )  # fmt: skip
    return figure


def effects_figure(units: Sequence[str], effects: Sequence[float], unit: str) -> Any:
    """Return the effect of each MLP or layer as a bar, in the order of the layers."""
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Bar(
            x=list(units), y=list(effects),
            marker={"color": [MASKED if value < 0 else PLAIN for value in effects]},
            hovertemplate="%{x}: %{y:+.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=280, margin=_MARGIN, showlegend=False,
        xaxis={"type": "category", "automargin": True},
        yaxis={"title": unit, "automargin": True},
    )  # fmt: skip
    return figure


def lens_figure(plain: Sequence[float], masked: Sequence[float], target: str) -> Any:
    """Return the target's probability at each layer, plain and, where there is one, masked."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, values, colour in (("plain", plain, PLAIN), ("masked", masked, MASKED)):
        if values:
            figure.add_scatter(
                x=list(range(len(values))), y=list(values), mode="lines+markers", name=name,
                line={"color": colour}, hovertemplate="layer %{x}: %{y:.1%}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        height=280, margin=_MARGIN, legend={"orientation": "h", "y": 1.1},
        xaxis={"title": "behind layer", "automargin": True},
        yaxis={"title": target, "tickformat": ".0%", "rangemode": "tozero", "automargin": True},
    )  # fmt: skip
    return figure
