"""Figures of a comparison: the answer plain and masked, and each strategy beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..evidence.compare import Comparison, Control, Effect
from ..evidence.files import StrategyResult
from .theme import CHANCE, MASKED, PLAIN

_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 30, "t": 10, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": None},
    "hovermode": "closest",
}
_PERCENT = {"tickformat": ".0%", "automargin": True, "zeroline": False}


def answers(comparison: Comparison, chance: Control | None = None) -> Any:
    """Return bars of every label's probability, plain and masked; chance as a grey interval."""
    import plotly.graph_objects as go

    labels = list(comparison.original.probabilities)
    figure = go.Figure()
    for name, colour, prediction in (
        ("plain", PLAIN, comparison.original),
        ("masked", MASKED, comparison.masked),
    ):
        values = [prediction.probabilities[label] for label in labels]
        figure.add_bar(
            x=values, y=labels, name=name, orientation="h", marker_color=colour,
            text=[f"{v:.1%}" for v in values], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}, " + name + ": %{x:.1%}<extra></extra>",
        )  # fmt: skip
    if chance is not None:
        figure.add_trace(_interval([chance.label], [chance], "random masks of the same size"))
    figure.update_layout(
        barmode="group", height=70 + 75 * len(labels), bargap=0.35,
        xaxis={**_PERCENT, "range": [0, 1.12], "title": "probability", "tickvals": _FIFTHS},
        yaxis={"automargin": True, "autorange": "reversed"}, **_LAYOUT,
    )  # fmt: skip
    return figure


_FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]


def strategies(effects: Sequence[Effect], label: str) -> Any:
    """Return one row per strategy: the label's probability under it, beside its chance band."""
    import plotly.graph_objects as go

    names = [effect.name for effect in effects]
    plain = effects[0].comparison.original.probabilities[label]
    values = [effect.comparison.masked.probabilities[label] for effect in effects]
    figure = go.Figure()
    figure.add_trace(_interval(names, [e.control for e in effects], "chance, 95 %"))
    figure.add_scatter(
        x=values, y=names, mode="markers", name="masked",
        marker={"color": MASKED, "size": 13, "line": {"width": 1, "color": "white"}},
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(
        x=plain, line={"color": PLAIN, "width": 2, "dash": "dot"},
        annotation={"text": f"plain {plain:.1%}", "yanchor": "bottom", "font": {"color": PLAIN}},
        annotation_position="top",
    )  # fmt: skip
    figure.update_layout(
        height=110 + 34 * len(names),
        xaxis={**_PERCENT, "range": [-0.02, 1.02], "title": f"p({label})", "tickvals": _FIFTHS},
        yaxis={"automargin": True, "autorange": "reversed"},
        **{**_LAYOUT, "margin": {"l": 10, "r": 30, "t": 34, "b": 10}},
    )
    figure.update_layout(legend={"y": -0.35, "yanchor": "top"})
    return figure


def _interval(names: Sequence[str], controls: Sequence[Control], name: str) -> Any:
    """Return grey intervals of the middle 95 % of the random draws."""
    import plotly.graph_objects as go

    middle = [(c.low + c.high) / 2 for c in controls]
    half = [(c.high - c.low) / 2 for c in controls]
    return go.Scatter(
        x=middle, y=list(names), mode="markers", name=name,
        marker={"color": CHANCE, "size": 9, "symbol": "square"},
        error_x={"type": "data", "array": half, "color": CHANCE, "thickness": 9, "width": 0},
        opacity=0.55,
        customdata=[(c.low, c.high) for c in controls],
        hovertemplate="%{y}, chance: %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
    )  # fmt: skip


def file_effects(results: Mapping[str, StrategyResult]) -> Any:
    """Return each strategy's change in accuracy with its 95 % interval, or its flip rate."""
    import plotly.graph_objects as go

    names = list(results)
    labelled = all(r.delta_accuracy is not None for r in results.values())
    values = [r.delta_accuracy if labelled else r.flip_rate for r in results.values()]
    bounds = [r.ci95 if labelled else r.flip_ci95 for r in results.values()]
    figure = go.Figure(
        go.Scatter(
            x=values, y=names, mode="markers",
            marker={"color": MASKED, "size": 12},
            error_x={
                "type": "data",
                "array": [b[1] - v for v, b in zip(values, bounds, strict=True)],
                "arrayminus": [v - b[0] for v, b in zip(values, bounds, strict=True)],
                "color": MASKED, "thickness": 2, "width": 6,
            },
            customdata=bounds,
            hovertemplate=(
                "%{y}: %{x:+.1%}, 95 % %{customdata[0]:+.1%} to %{customdata[1]:+.1%}"
                "<extra></extra>"
            ),
        )
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": CHANCE, "width": 1})
    title = "accuracy masked − plain" if labelled else "rows whose label flips"
    figure.update_layout(
        height=90 + 36 * len(names),
        xaxis={**_PERCENT, "title": f"{title}, with 95 % interval"},
        yaxis={"automargin": True, "autorange": "reversed"},
        showlegend=False, **_LAYOUT,
    )  # fmt: skip
    return figure
